"""What a workload is: a function, its items, and how a user would map them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Call: TypeAlias = Literal["map", "imap", "amap"]


@dataclass(frozen=True, slots=True)
class Work:
    """A function and its items.

    Attributes
    ----------
    function
        Plain or ``async def``.
    items
        Gives the items of one map; each call gives the same ones.
    """

    function: Callable[..., Any]
    items: Callable[[], Iterable[Any]]


Prepare: TypeAlias = Callable[[int, ExitStack], Work]


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the benchmark.

    Attributes
    ----------
    name, what
        Its name, and what an item is.
    prepare
        Makes the work for a number of items, untimed; what has to be closed goes on the stack.
    count, quick
        Items in a full and in a quick run.
    call
        How autopar is called: ``map``, ``list(imap(...))``, or ``amap`` inside a running event loop.
    coroutine
        The function is ``async def``.
    compiles
        The function is one that numba's ``njit`` takes, so compiled code is among its hand-picked ways.
    """

    name: str
    what: str
    prepare: Prepare
    count: int
    quick: int
    call: Call = "map"
    coroutine: bool = False
    compiles: bool = False


def over(function: Callable[..., Any], items: Callable[[int], Iterable[Any]]) -> Prepare:
    """Prepare a function of a module over items that need nothing outside this process."""

    def prepare(count: int, stack: ExitStack) -> Work:
        inputs = items(count)
        return Work(function, lambda: inputs)

    return prepare
