"""Watches one real call for changes that outlive it: the dynamic check on what the static analysis found.

It compares what the call could reach before and after: its arguments and their classes, the closure cells, defaults and
attributes of the function and of those it uses, the module-level names that the analysis saw it read, the global random
states, the environment, the working folder, the search path and the context. Numbers and texts are compared as they
are, other objects by their pickles, within a budget; what does not pickle is compared attribute by attribute, and what
is too large is left to the static analysis.
"""

from __future__ import annotations

import contextvars
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CellType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, NamedTuple

from autopar._model.effects import Effect, EffectKind, GlobalRead
from autopar._model.own_work import OWN_WORK

ONE = 1 << 16
"""Bytes of pickle compared for one object: what `pickle` hands out at once (its frame), at 5 to 10 ns a number."""
ALL = 1 << 18
"""Bytes of pickle compared for one call: at about 1 GB/s (benchmarks/backend_costs.py, process byte) 0.3 ms."""
WATCHED = 200
"""Places watched for one call. Pulled out of the air."""

_FIXED = (int, float, complex, str, bytes, bool, type(None))
_CODE = (type, FunctionType, MethodType, ModuleType, type(len), property, staticmethod, classmethod)
_WRAPPERS = 3
"""Decorators around one another that are looked through. Pulled out of the air."""
_OF_ALL_THREADS = frozenset({EffectKind.PROCESS_STATE, EffectKind.RANDOM})
"""Kinds of effects that any thread of the process may have had."""
_LAZY = frozenset({"decimal_context"})
"""Context variables that the library sets at first use."""
_UNSEEN = object()
"""Stands for what cannot be compared."""

Get = Callable[[], Any]


class _Place(NamedTuple):
    """Something that the call may change: how a change counts, what it is called, and what is there."""

    kind: EffectKind
    what: str
    get: Get


class Witness:
    """Snapshots taken before one call.

    Parameters
    ----------
    function
        What will be called.
    args, kwargs
        What it will be called with.
    reads
        Module-level names that the function, or one it calls, reads; those it names itself where nothing is given.

    Attributes
    ----------
    unclear
        What has changed of the whole process while a thread of autopar's own was at work, which may have done it.

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

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        reads: Iterable[GlobalRead] | None = None,
    ) -> None:
        self._name = getattr(function, "__qualname__", type(function).__qualname__)
        self.unclear: tuple[Effect, ...] = ()
        self._begun, self._disturbed = OWN_WORK.begun, OWN_WORK.threads > 0
        self._left = ALL
        self._watched: list[tuple[_Place, Any]] = []
        for place in _places(function, args, kwargs, reads):
            if len(self._watched) >= WATCHED:
                break
            before = self._snapshot(place.get)
            if before is not _UNSEEN:
                self._watched.append((place, before))

    def changes(self) -> tuple[Effect, ...]:
        """What is different now, but for what is ``unclear``."""
        self._left = ALL
        disturbed = self._disturbed or OWN_WORK.begun != self._begun
        found: dict[tuple[EffectKind, str], Effect] = {}
        unclear: dict[tuple[EffectKind, str], Effect] = {}
        for place, before in self._watched:
            after = self._snapshot(place.get)
            if after is not _UNSEEN and not _same(before, after):
                into = unclear if disturbed and place.kind in _OF_ALL_THREADS else found
                into[place.kind, place.what] = Effect(
                    place.kind, f"{place.what}, seen to change while it ran", self._name
                )
        self.unclear = tuple(unclear.values())
        return tuple(found.values())

    def _snapshot(self, get: Get) -> Any:
        """The value as it can be compared later; `_UNSEEN` where it cannot."""
        try:
            value = get()
        except Exception:
            return None  # an empty cell, or a name that is gone
        if isinstance(value, _FIXED) or type(value) is _State:
            return value
        if isinstance(value, _CODE):
            return _Identity(value)
        return self._pickled(value)

    def _pickled(self, value: Any, *, parts: bool = True) -> Any:
        target = _Bounded(min(ONE, self._left))
        try:
            pickle.Pickler(target, protocol=5).dump(value)
        except _TooLargeError:
            return _UNSEEN
        except Exception:
            return self._by_parts(value) if parts else _UNSEEN
        self._left -= target.size
        return b"".join(target.parts)

    def _by_parts(self, value: Any) -> Any:
        """An object that does not pickle, by its attributes or members: numbers and texts, pickles and identities."""
        if type(value) in (list, tuple, dict, set, frozenset):
            members: Iterable[Any] = [*value.items()] if type(value) is dict else [*value]
        elif type(getattr(type(value), "__dict__", {}).get("__dict__")) is type(vars(_Bounded)["__dict__"]):
            members = vars(value).items()
        else:
            return _UNSEEN
        return [self._part(part) for member in members for part in (member if type(member) is tuple else (member,))]

    def _part(self, value: Any) -> Any:
        if isinstance(value, _FIXED):
            return value
        pickled = _UNSEEN if isinstance(value, _CODE) else self._pickled(value, parts=False)
        return _Identity(value) if pickled is _UNSEEN else pickled


class _Identity:
    """Compares equal to nothing but the same object."""

    __slots__ = ("obj",)

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __eq__(self, other: object) -> bool:
        return type(other) is _Identity and other.obj is self.obj

    __hash__ = None  # type: ignore[assignment]


class _State(tuple[Any, ...]):
    """A tuple of plain values and of objects compared by identity."""


def _same(before: Any, after: Any) -> bool:
    return before is after or (type(before) is type(after) and bool(before == after))


# What is watched


def _places(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    reads: Iterable[GlobalRead] | None,
) -> Iterator[_Place]:
    """Everything the call may reach, the likeliest first."""
    for position, value in enumerate(args, 1):
        yield _Place(EffectKind.WRITES_ARGUMENT, f"argument {position}", _constant(value))
    for name, value in kwargs.items():
        yield _Place(EffectKind.WRITES_ARGUMENT, f"argument {name!r}", _constant(value))
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, ModuleType):
        yield _Place(EffectKind.WRITES_SELF, "its own object", _constant(owner))
    elif not isinstance(function, _CODE):
        yield _Place(EffectKind.WRITES_SELF, "its own object", _constant(function))
    plain = getattr(function, "__func__", function)
    if isinstance(plain, FunctionType):
        yield from _of_function(plain, "")
        if reads is None:
            module = str(plain.__globals__.get("__name__"))
            for name in plain.__code__.co_names:
                yield from _of_global(plain.__globals__, GlobalRead(module, name))
    yield from _of_process()
    for read in reads or ():
        names = getattr(sys.modules.get(read.module), "__dict__", None) or getattr(plain, "__globals__", {})
        yield from _of_global(names, read)
    for cls in {type(value): None for value in (owner, *args, *kwargs.values())}:
        yield from _of_class(cls)


def _of_function(function: FunctionType, whose: str, depth: int = 0) -> Iterator[_Place]:
    """What a function keeps between its calls, and the functions in its closure that it may call."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        held = _content(cell)
        if isinstance(held, FunctionType) and depth < _WRAPPERS:
            yield from _of_function(held, f" of {held.__name__}()", depth + 1)
        yield _Place(EffectKind.WRITES_CLOSURE, f"closure variable {name!r}{whose}", _cell(cell))
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        if not isinstance(value, _FIXED):
            yield _Place(EffectKind.WRITES_DEFAULT, f"a default{whose}", _constant(value))
    yield _Place(EffectKind.WRITES_SHARED, f"an attribute{whose or ' of the function'}", _attributes(function))


def _of_global(names: dict[str, Any], read: GlobalRead) -> Iterator[_Place]:
    """A module-level name: what it stands for, and what that keeps."""
    value = names.get(read.name, _UNSEEN)
    if value is _UNSEEN:
        return
    yield _Place(EffectKind.WRITES_GLOBAL, f"global {read.name!r}", _item(names, read.name))
    function = getattr(value, "__func__", value)
    if isinstance(function, FunctionType):
        yield from _of_function(function, f" of {read.name}()")
    elif isinstance(value, type):
        yield from _of_class(value)
    elif not isinstance(value, (*_FIXED, ModuleType)):
        yield from _of_class(type(value))


def _of_class(cls: type) -> Iterator[_Place]:
    """The data in a class of the program."""
    if cls.__module__ == "builtins" or cls.__module__.partition(".")[0] in sys.stdlib_module_names:
        return
    yield _Place(EffectKind.WRITES_SHARED, f"the attributes of class {cls.__qualname__}", _names(cls))
    for name, value in list(vars(cls).items()):
        if not (name.startswith("__") or isinstance(value, _CODE) or hasattr(type(value), "__get__")):
            what = f"class attribute {cls.__qualname__}.{name}"
            yield _Place(EffectKind.WRITES_SHARED, what, _item(vars(cls), name))


def _of_process() -> Iterator[_Place]:
    """The state of the whole process, and the random streams."""
    for module, get in (("random", _random_state), ("numpy.random", _numpy_random_state)):
        if module in sys.modules:
            yield _Place(EffectKind.RANDOM, module, get)
    yield _Place(EffectKind.PROCESS_STATE, "os.environ", _environment)
    yield _Place(EffectKind.PROCESS_STATE, "the working folder", os.getcwd)
    yield _Place(EffectKind.PROCESS_STATE, "sys.path", lambda: _State(sys.path))
    yield _Place(EffectKind.CONTEXT, "a context variable", _context)
    if "decimal" in sys.modules:
        yield _Place(EffectKind.CONTEXT, "the decimal context", _decimal_context)


def _environment() -> Any:
    # CPython keeps the variables in a plain dict, encoded; copying that is 100 times as quick as os.environ.
    kept = os.environ.__dict__.get("_data")
    return _State((kept if type(kept) is dict else os.environ.copy()).items())


def _random_state() -> Any:
    return _State(sys.modules["random"].getstate())


def _numpy_random_state() -> Any:
    """The legacy stream, its array as bytes."""
    name, words, *rest = sys.modules["numpy.random"].get_state()
    return _State((name, words.tobytes(), *rest))


def _context() -> Any:
    return _State((id(v), _Identity(value)) for v, value in contextvars.copy_context().items() if v.name not in _LAZY)


def _decimal_context() -> Any:
    """Without the flags, which every calculation sets."""
    now = sys.modules["decimal"].getcontext()
    return _State((now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp))


def _constant(value: Any) -> Get:
    return lambda: value


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


def _cell(cell: CellType) -> Get:
    return lambda: cell.cell_contents


def _attributes(function: FunctionType) -> Get:
    return lambda: {name: value for name, value in vars(function).items() if not name.startswith("__")}


def _names(cls: type) -> Get:
    return lambda: _State(vars(cls))


def _item(names: Mapping[str, Any] | MappingProxyType[str, Any], name: str) -> Get:
    return lambda: names[name]


# Pickles within a budget


class _TooLargeError(Exception):
    """More bytes than the budget."""


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, limit: int) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self._limit = limit

    def write(self, data: Any) -> int:
        """Keep the bytes; raises `_TooLargeError`."""
        size = memoryview(data).nbytes
        self.size += size
        if self.size > self._limit:
            raise _TooLargeError
        self.parts.append(bytes(data))
        return size
