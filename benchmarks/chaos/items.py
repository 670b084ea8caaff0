"""Items that behave well, badly or slowly, and what may become of each; imported by worker processes."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from typing import Any, NamedTuple

from autopar.errors import ItemError, ItemTimeoutError, TransportError, WorkerDiedError

HARMLESS = ("plain", "plain", "plain", "spin", "sleep", "large", "hungry")
FAILING = ("raises", "odd", "no-memory")
DEADLY = ("exit", "killed", "crash", "unpicklable")
"""Kinds of items that are for worker processes alone."""

SLOW = "slow"
SLOW_SECONDS = 3.0

WELL = {"plain", "spin", "sleep", "large", "hungry", SLOW}


class OddError(Exception):
    """Its ``__init__`` takes other arguments than it passes on."""

    def __init__(self, item: int, *, reason: str) -> None:
        super().__init__(f"{item}: {reason}")
        self.item = item


class Unpicklable:
    """Raises when it is pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("this does not travel")


class Recipe(NamedTuple):
    """Which items of a map are of which kind.

    Attributes
    ----------
    seed
        The same one gives the same kinds.
    hostile
        Share of items that are not harmless.
    kinds
        What those may be.
    seconds
        Longest time that a sleeping or spinning item takes.
    """

    seed: int
    hostile: float
    kinds: tuple[str, ...]
    seconds: float

    def kind(self, x: int) -> str:
        """The kind of one item."""
        rng = random.Random(self.seed * 1_000_003 + x)
        return rng.choice(self.kinds) if self.kinds and rng.random() < self.hostile else rng.choice(HARMLESS)


def answer(x: int) -> int:
    """What an item that ends well gives."""
    return 3 * x + 1


def item(x: int, recipe: Recipe) -> Any:
    """Behave as the recipe says."""
    kind = recipe.kind(x)
    if kind == "spin":
        end = time.perf_counter() + recipe.seconds
        while time.perf_counter() < end:
            sum(range(100))
    elif kind == "sleep":
        time.sleep(recipe.seconds * (x % 5))
    elif kind == SLOW:
        time.sleep(SLOW_SECONDS)
    elif kind == "large":
        return answer(x), bytes(100_000 + 1_000 * (x % 300))
    elif kind == "hungry":
        return answer(x) + len(bytearray(20_000_000).rstrip(b"\0"))
    elif kind in FAILING:
        _fail(x, kind)
    elif kind == "unpicklable":
        return Unpicklable()
    elif kind in DEADLY:
        _end_process(kind, x)
    return answer(x)


def _fail(x: int, kind: str) -> None:
    if kind == "odd":
        raise OddError(x, reason="odd")
    if kind == "no-memory":
        bytearray(1 << 62)
    raise ValueError(x)


def _end_process(kind: str, x: int) -> None:
    if multiprocessing.parent_process() is None and os.environ.get("AUTOPAR_CHAOS_MAPPER") == str(os.getpid()):
        raise AssertionError("this item was to run in a worker process")
    if kind == "exit":
        os._exit(x % 2)
    os.kill(os.getpid(), signal.SIGKILL if kind == "killed" else signal.SIGSEGV)
    time.sleep(60)


# -- what may become of them ---------------------------------------------------------------------------------------


def value_of(result: Any) -> Any:
    """The answer in a result, whatever came along with it."""
    return result[0] if isinstance(result, tuple) else result


def wrong(x: int, result: Any, recipe: Recipe, *, timeout: bool, errors: tuple[type[BaseException], ...]) -> str:
    """What is wrong with an item's result or error; empty where it is one that may be.

    Parameters
    ----------
    x, result, recipe
        The item, which is its own index, what became of it, and what it was to do.
    timeout
        The map has a time-out, so any item may run out of time on a busy machine.
    errors
        What may become of an item that is not to blame: worker processes are killed at random.
    """
    kind = recipe.kind(x)
    if isinstance(result, ItemError):
        if result.index != x:
            return f"an error of item {x} names item {result.index}: {result!r}"
        if isinstance(result, ItemTimeoutError):
            return "" if timeout else f"item {x} ran out of a time that nobody set: {result!r}"
        if isinstance(result, TransportError) and kind == "unpicklable":
            return ""
        may: tuple[type[BaseException], ...] = (WorkerDiedError, *errors) if kind in DEADLY else errors
        return "" if isinstance(result, may) else f"item {x} ({kind}) became {result!r}"
    if isinstance(result, BaseException):
        expected: dict[str, Any] = {"raises": ValueError, "odd": OddError, "no-memory": MemoryError}
        if kind not in expected or type(result) is not expected[kind]:
            return f"item {x} ({kind}) became {result!r}"
        named = {"raises": result.args == (x,), "odd": getattr(result, "item", x) == x}
        return "" if named.get(kind, True) else f"item {x} has another's error: {result!r}"
    if kind == "unpicklable":
        return "" if isinstance(result, Unpicklable) else f"item {x} (unpicklable) became {result!r:.80}"
    return "" if kind in WELL and value_of(result) == answer(x) else f"item {x} ({kind}) became {result!r:.80}"
