"""Watches one real call for changes that outlive it: the dynamic check on what the static analysis found.

It compares what the call could reach before and after: its arguments, closure cells, defaults, the globals it
names, the global random states, the environment and the working folder. Objects are compared by their pickles, within a
budget; what does not pickle or is too large is left to the static analysis.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from types import CellType, FunctionType, ModuleType
from typing import Any

from autopar._model.effects import Effect, EffectKind

BUDGET = 1 << 18
"""Bytes of pickle compared for one object: at about 1 GB/s (benchmarks/backend_costs.py, process byte) 0.3 ms."""


class Witness:
    """Snapshots taken before one call.

    Parameters
    ----------
    function
        What will be called.
    args, kwargs
        What it will be called with.

    Examples
    --------
    >>> def remember(x, into):
    ...     into.append(x)
    >>> seen = []
    >>> witness = Witness(remember, (1, seen), {})
    >>> remember(1, seen)
    >>> [str(effect) for effect in witness.changes()]
    ['remember changes an argument: argument 2, seen to change while it ran']
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._name = getattr(function, "__qualname__", type(function).__qualname__)
        self._watched: list[tuple[EffectKind, str, Callable[[], Any], bytes]] = []
        for position, value in enumerate(args, 1):
            self._watch(EffectKind.WRITES_ARGUMENT, f"argument {position}", _constant(value))
        for name, value in kwargs.items():
            self._watch(EffectKind.WRITES_ARGUMENT, f"argument {name!r}", _constant(value))
        owner = getattr(function, "__self__", None)
        if owner is not None and not isinstance(owner, ModuleType):
            self._watch(EffectKind.WRITES_SELF, "its own object", _constant(owner))
        plain = getattr(function, "__func__", function)
        if isinstance(plain, FunctionType):
            self._watch_function(plain)
        self._watch(EffectKind.PROCESS_STATE, "os.environ", lambda: dict(os.environ))
        self._watch(EffectKind.PROCESS_STATE, "the working folder", os.getcwd)
        for module, get in (("random", "getstate"), ("numpy.random", "get_state")):
            if module in sys.modules:
                self._watch(EffectKind.RANDOM, module, getattr(sys.modules[module], get))

    def _watch_function(self, function: FunctionType) -> None:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            self._watch(EffectKind.WRITES_CLOSURE, f"closure variable {name!r}", _cell(cell))
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._watch(EffectKind.WRITES_DEFAULT, "a default", _constant(value))
        names = function.__globals__
        for name in function.__code__.co_names:
            if name in names and not callable(names[name]) and not isinstance(names[name], ModuleType):
                self._watch(EffectKind.WRITES_GLOBAL, f"global {name!r}", _item(names, name))

    def changes(self) -> tuple[Effect, ...]:
        """What is different now."""
        found = []
        for kind, what, get, before in self._watched:
            after = _fingerprint(get)
            if after is not None and after != before:
                found.append(Effect(kind, f"{what}, seen to change while it ran", self._name))
        return tuple(found)

    def _watch(self, kind: EffectKind, what: str, get: Callable[[], Any]) -> None:
        before = _fingerprint(get)
        if before is not None:
            self._watched.append((kind, what, get, before))


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _cell(cell: CellType) -> Callable[[], Any]:
    return lambda: cell.cell_contents


def _item(names: dict[str, Any], name: str) -> Callable[[], Any]:
    return lambda: names[name]


class _TooLargeError(Exception):
    """More bytes than the budget."""


class _Bounded:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._left = BUDGET

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._left -= size
        if self._left < 0:
            raise _TooLargeError
        self.parts.append(bytes(data))
        return size


def _fingerprint(get: Callable[[], Any]) -> bytes | None:
    """The object's pickle, or None where it has none within the budget."""
    try:
        value = get()
        if callable(value):
            return None
        target = _Bounded()
        pickle.Pickler(target, protocol=5).dump(value)
    except Exception:
        return None
    return b"".join(target.parts)
