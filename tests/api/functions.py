"""Functions that worker processes import by name, so this module imports little."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from autopar import parallel


def spend() -> int:
    """Take about 0.1 ms, long enough for a planner to look at."""
    return sum(range(6000))


@parallel
def square(x: int) -> int:
    """Square a number."""
    spend()
    return x * x


@parallel
def affine(x: int, factor: int = 2, *, offset: int = 0) -> int:
    spend()
    return factor * x + offset


@parallel
async def async_square(x: int) -> int:
    """Square a number, asynchronously."""
    return x * x


@parallel
async def async_affine(x: int, factor: int = 2, *, offset: int = 0) -> int:
    return factor * x + offset


@parallel
def where(x: int) -> tuple[int, int]:
    """Process and thread that run the item."""
    return os.getpid(), threading.get_ident()


def plain_square(x: int) -> int:
    return x * x


def doubled(function: Callable[[int], int]) -> Callable[[int], int]:
    """An ordinary decorator."""

    @functools.wraps(function)
    def inner(x: int) -> int:
        return 2 * function(x)

    return inner


@parallel
@doubled
def twice_the_square(x: int) -> int:
    return x * x


@parallel
@functools.cache
def cached_square(x: int) -> int:
    return x * x


class Scaler:
    """Has every kind of method."""

    factor = 3

    def __init__(self, offset: int) -> None:
        self.offset = offset

    @parallel
    def scale(self, x: int) -> int:
        return self.factor * x + self.offset

    @parallel
    @classmethod
    def of_class(cls, x: int) -> int:
        return cls.factor * x

    @parallel
    @staticmethod
    def static(x: int) -> int:
        return x + 1

    @parallel
    async def ascale(self, x: int) -> int:
        return self.factor * x + self.offset


class SlottedScaler:
    """Has no ``__dict__``."""

    __slots__ = ("factor",)

    def __init__(self, factor: int) -> None:
        self.factor = factor

    @parallel
    def scale(self, x: int) -> int:
        return self.factor * x


class Adder:
    """A callable object."""

    def __init__(self, summand: int) -> None:
        self.summand = summand

    def __call__(self, x: int) -> int:
        return x + self.summand


class Point:
    """A class, to be called once an item."""

    def __init__(self, x: int, y: int = 0) -> None:
        self.x = x
        self.y = y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    __hash__ = None  # type: ignore[assignment]


def add(x: int, y: int) -> int:
    return x + y


def closure_over(n: int) -> Callable[[int], int]:
    def inner(x: int) -> int:
        return x + n

    return inner


def identity(x: Any) -> Any:
    return x
