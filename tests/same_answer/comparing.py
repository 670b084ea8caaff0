"""Runs a program the loop's way and autopar's ways, each on state of its own, and pictures all that is left behind."""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import logging
import math
import operator
import os
import random
import re
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any
from unittest.mock import patch

import autopar
from autopar._backends.chunk import run_chunk
from autopar._engine import elsewhere, here, machine
from autopar._model.plan import BACKENDS, Plan
from autopar._model.work import Chunk, Outcome
from autopar._observe import host
from tests.routes import PARALLEL

Apply = Callable[[Any, Any], list[Any]]

NAME = "a_random_program"
"""The module that a program is; no worker process can import it."""

_SCALARS = (int, float, complex, str, bytes, bool, type(None))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_OPAQUE = (ModuleType, logging.Logger, logging.Handler, BuiltinFunctionType, type(operator.itemgetter(0)), property)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run went.

    Attributes
    ----------
    ended
        The results one by one, or the exception.
    output, random
        What was printed, and the state of the random stream.
    left
        Everything that the module's names, the items among them, lead to afterwards.
    together
        The results in one picture with `left`, which shows what is the same object as what; other processes can keep
        that within one result only.
    """

    ended: Any
    output: str
    random: Any
    left: Any
    together: Any


def run(source: str, apply: Apply) -> Ran:
    """Make the program's module anew and apply its function to its items."""
    file = "<a random program>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    module = ModuleType(NAME)
    names = vars(module)
    sys.modules[NAME] = module
    try:
        exec(_compiled(source, file), names)
        random.seed(1)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            results, ended = outcome(apply, names["f"], names["ITEMS"], file)
        return ran(results, ended, output.getvalue(), names["ITEMS"], names)
    finally:
        del sys.modules[NAME]


def outcome(apply: Apply, function: Any, items: Any, file: str) -> tuple[list[Any], Any]:
    """The results, and a picture of them or of the exception."""
    try:
        results = apply(function, items)
    except Exception as error:
        return [], _picture_of_error(error, file)
    return results, [picture(result, Flat()) for result in results]


def ran(results: list[Any], ended: Any, output: str, items: Any, names: dict[str, Any]) -> Ran:
    """What is there after a run."""
    stream = random.getstate()
    seen: dict[int, tuple[int, Any]] = {}
    state = {name: value for name, value in names.items() if not name.startswith("__")}
    left = picture([items, state], seen)
    return Ran(ended, _ADDRESS.sub("", output), stream, left, picture(results, seen))


_latest: tuple[str, Any] = ("", None)


def _compiled(source: str, file: str) -> Any:
    global _latest
    if _latest[0] != source:
        _latest = (source, compile(source, file, "exec"))
    return _latest[1]


def _picture_of_error(error: BaseException, file: str) -> Any:
    """Type, args, attributes, causes, and the program's lines in the traceback."""
    frames = [
        (frame.name, frame.lineno) for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file
    ]
    if isinstance(error, RecursionError):
        frames = frames[:1]  # how deep it came depends on where it began
    attributes = {name: value for name, value in vars(error).items() if name != "__notes__"}
    causes = [type(link).__qualname__ for link in (error.__cause__, error.__context__) if link is not None]
    return ("raised", _class(type(error)), picture(error.args, Flat()), picture(attributes, Flat()), causes, frames)


def _class(cls: type) -> str:
    """A class by name; one of the program's own has to be the very class of that module."""
    own = cls.__module__ == NAME and "<" not in cls.__qualname__
    stray = own and vars(sys.modules[NAME]).get(cls.__qualname__) is not cls
    return f"{cls.__module__}.{cls.__qualname__}{' (a copy)' if stray else ''}"


class Flat(dict[int, Any]):
    """Remembers nothing but where it is: what is the same object as what is left out of the picture."""

    def leave(self, value: Any) -> None:
        self.pop(id(value), None)


def picture(value: Any, seen: dict[int, tuple[int, Any]] | None = None) -> Any:
    """Values and types all the way down, and where the same mutable object comes again."""
    seen = {} if seen is None else seen
    if type(value) in _SCALARS:
        return (type(value).__name__, _ADDRESS.sub("", repr(value)))
    if isinstance(value, _OPAQUE):
        return type(value).__name__
    if id(value) in seen and type(value) is not tuple:
        return ("again", seen[id(value)][0])
    seen[id(value)] = len(seen), value  # kept alive, so that nothing else gets its address
    drawn = (_class(type(value)), _parts(value, seen))
    if isinstance(seen, Flat):
        seen.leave(value)
    return drawn


def _parts(value: Any, seen: dict[int, tuple[int, Any]]) -> Any:
    if isinstance(value, type) and value.__module__ != NAME:
        return value.__qualname__
    # Names with two underscores are Python's own: pickling leaves __slotnames__ in a class.
    own = {name: each for name, each in getattr(value, "__dict__", {}).items() if name[:2] != "__"}
    kept = [(_ADDRESS.sub("", name), picture(each, seen)) for name, each in own.items()]
    if isinstance(value, type):
        return kept
    if isinstance(value, dict):
        return [(picture(key, seen), picture(each, seen)) for key, each in value.items()], kept
    if isinstance(value, (set, frozenset)):
        return sorted(repr(picture(each)) for each in value), kept
    if isinstance(value, (list, tuple, deque)):
        return [picture(each, seen) for each in value], kept
    return _parts_of_callable(value, seen, kept) or _state(value, seen, kept)


def _parts_of_callable(value: Any, seen: dict[int, tuple[int, Any]], kept: Any) -> Any:
    """What a function holds; None for anything else."""
    if isinstance(value, MethodType):
        return picture(value.__func__, seen), picture(value.__self__, seen)
    if isinstance(value, FunctionType):
        cells = [picture(cell.cell_contents, seen) for cell in value.__closure__ or ()]
        return value.__qualname__, picture(value.__defaults__, seen), picture(value.__kwdefaults__, seen), cells, kept
    if isinstance(value, functools.partial):
        return picture(value.func, seen), picture(value.args, seen), picture(value.keywords, seen)
    return None


def _state(value: Any, seen: dict[int, tuple[int, Any]], kept: Any) -> Any:
    """What other objects hold."""
    if isinstance(value, BaseException):
        return picture(value.args, seen), kept
    if hasattr(value, "bit_generator"):  # numpy.random.Generator
        return picture(value.bit_generator.state, Flat())
    if isinstance(value, random.Random):
        return picture(value.getstate(), Flat())
    if hasattr(value, "__length_hint__"):
        return operator.length_hint(value)
    if hasattr(value, "__dict__"):
        return kept
    return _ADDRESS.sub("", repr(value))


# -- the ways


def in_the_loop(function: Any, items: Any) -> list[Any]:
    """What is right by definition."""
    return [function(item) for item in items]


_HOST = host.observe_host()


@contextlib.contextmanager
def eager(backend: str) -> Iterator[None]:
    """After the first item everything goes to this backend, if the planner leaves it."""
    others = {name: replace(BACKENDS[name], minimum_python=(99, 0)) for name in PARALLEL - {backend}}
    with (
        patch.object(host, "_latest", (math.inf, os.getpid(), _HOST)),
        patch.dict("os.environ", AUTOPAR_EAGER="1"),
        patch.dict(BACKENDS, others),
        patch.object(here, "CREDIBLE_SLICE", 0.0),
    ):
        yield


class _Backwards:
    """A pool in the caller's thread that runs what overlaps in the opposite order, when nothing else is left to do."""

    def __init__(self, plan: Plan) -> None:
        self.capacity = 1 if plan.workers == 1 else 64
        self._waiting: list[tuple[Chunk, Future[Outcome]]] = []

    def submit(self, chunk: Chunk) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        self._waiting.append((chunk, future))
        return future

    def flush(self) -> None:
        while self._waiting:
            chunk, future = self._waiting.pop()
            if future.set_running_or_notify_cancel():
                future.set_result(run_chunk(chunk, keep=chunk.job.ordered))

    def admit(self, limit: int) -> int:
        return limit

    def abandon(self, future: Future[Outcome]) -> bool:
        return future.cancel()

    def close(self) -> None:
        self.flush()


class _BackwardsBackend:
    """Stands in for the module of a backend."""

    def __init__(self) -> None:
        self.opened: list[_Backwards] = []

    def open(self, plan: Plan) -> _Backwards:
        self.opened.append(_Backwards(plan))
        return self.opened[-1]


@contextlib.contextmanager
def backwards() -> Iterator[None]:
    """Threads run their items last to first, wherever more than one may be under way: the worst of their orders."""
    backend = _BackwardsBackend()
    wait = elsewhere.Elsewhere.wait

    def flush_and_wait(self: elsewhere.Elsewhere) -> Any:
        for pool in backend.opened:
            pool.flush()
        return wait(self)

    with (
        patch.object(machine, "load", lambda name: backend),
        patch.object(elsewhere.Elsewhere, "wait", flush_and_wait),
        patch.object(elsewhere.Elsewhere, "_new_climb", lambda self, plan: None),
    ):
        yield


class Mapped:
    """Autopar's way, by `map`.

    Attributes
    ----------
    tried
        Backends that ran items.
    """

    def __init__(self, **hints: Any) -> None:
        self.tried: set[str] = set()
        self._hints = hints

    def __call__(self, function: Any, items: Any) -> list[Any]:
        before = len(autopar.decisions())
        try:
            if isinstance(function, type):
                return autopar.map(function, items, **self._hints)
            return list(autopar.parallel(function, **self._hints).map(items))
        finally:
            made = autopar.decisions()[before:]
            self.tried.update(plan.backend for decision in made for plan, _ in decision.tried)


def different(expected: Ran, found: Ran, *, together: bool) -> str:
    """The first of the things that are not as in the loop, or an empty string."""
    for name in ("ended", "output", "random", "left", *(["together"] if together else [])):
        one, other = getattr(expected, name), getattr(found, name)
        if one != other:
            return f"{name}: {_where(one, other)}"
    return ""


def _where(expected: Any, found: Any) -> str:
    """The place in two pictures where they part."""
    if type(expected) is type(found) and isinstance(expected, (list, tuple)) and len(expected) == len(found):
        for one, other in zip(expected, found, strict=True):
            if one != other:
                return _where(one, other)
    return f"{str(expected)[:200]} in the loop, here {str(found)[:200]}"


def check_all_ways(run_by: Callable[[Apply], Ran], *, thorough: bool = True) -> set[str]:
    """Compare the loop with each way that the planner leaves; return the names of those that ran items.

    ``run_by`` runs the program one way. What is not ``thorough`` leaves out real threads, which seldom show a race that
    running backwards does not show, and processes where not even threads are left.
    """
    expected = run_by(in_the_loop)
    tried: set[str] = set()

    def check(name: str, way: Mapped, *, together: bool = True) -> None:
        found = run_by(way)
        tried.update(way.tried)
        assert not (difference := different(expected, found, together=together)), f"{name}: {difference}"

    with eager("threads"):
        with backwards():
            check("threads, last to first", Mapped(workers=4, chunksize=1))
        if thorough and "threads" in tried:
            check("threads", Mapped(chunksize=1))
    if thorough or "threads" in tried:
        with eager("processes"):
            check("processes", Mapped(), together=False)
    return tried
