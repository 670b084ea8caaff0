"""What a call costs: plain, wrapped by others, and decorated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import repeat
from typing import Any

import wrapt

from autopar import parallel
from benchmarks.overhead.timing import Row, compare

SETTLED = 30_000
"""Calls after which samples have become as rare as they get for the shortest function."""


def identity(x: Any) -> Any:
    """Do nothing."""
    return x


def calls_of(function: Callable[..., Any], *arguments: Any) -> Callable[[int], object]:
    """Call so many times from a loop of bytecode, as programs do."""
    if len(arguments) == 1:
        (argument,) = arguments

        def one(number: int) -> None:
            for _ in repeat(None, number):
                function(argument)

        return one

    def more(number: int) -> None:
        for _ in repeat(None, number):
            function(*arguments)

    return more


def by_closure(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@wrapt.decorator
def by_wrapt(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """Wrap as wrapt's decorators do."""
    return wrapped(*args, **kwargs)


class Shop:
    """Methods, plain and decorated."""

    def plain(self, x: Any) -> Any:
        """Do nothing."""
        return x

    decorated = parallel(plain)


def calls() -> list[Row]:
    """Compare one positional argument, no keywords."""
    decorated, shop = parallel(identity), Shop()
    for _ in range(SETTLED):
        decorated(1)
        shop.decorated(1)

    def plain_method(number: int) -> None:
        for _ in repeat(None, number):
            shop.plain(1)

    def decorated_method(number: int) -> None:
        for _ in repeat(None, number):
            shop.decorated(1)

    rivals = {
        "plain": calls_of(identity, 1),
        "@parallel": calls_of(decorated, 1),
        "functools.partial": calls_of(functools.partial(identity), 1),
        "wrapt.CallableObjectProxy": calls_of(wrapt.CallableObjectProxy(identity), 1),
        "functools.wraps closure": calls_of(by_closure(identity), 1),
        "wrapt.FunctionWrapper": calls_of(by_wrapt(identity), 1),
        "plain method": plain_method,
        "@parallel method": decorated_method,
    }
    return compare(rivals, 100_000, "ns")


def add(x: float, y: float) -> float:
    """Compute next to nothing, so that what is left is the way in and out."""
    return x + y


def touch(a: Any, b: Any) -> float:
    """Read one element of two arrays."""
    return a[0] + b[0]  # type: ignore[no-any-return]


def compiled_calls() -> list[Row]:
    """Compare the way into compiled code: autopar's and Numba's."""
    import numba
    import numpy as np

    arrays = np.ones(8), np.ones(8)
    native_add, native_touch = parallel(add, compiler="native"), parallel(touch, compiler="native")
    numba_add, numba_touch = numba.njit(add), numba.njit(touch)
    for _ in range(SETTLED):
        native_add(1.0, 2.0)
        native_touch(*arrays)

    def scalars(function: Any) -> Callable[[int], object]:
        def run(number: int) -> None:
            for _ in repeat(None, number):
                function(1.0, 2.0)

        return run

    def two_arrays(function: Any) -> Callable[[int], object]:
        a, b = arrays

        def run(number: int) -> None:
            for _ in repeat(None, number):
                function(a, b)

        return run

    rivals = {
        "two floats, plain": scalars(add),
        'two floats, compiler="native"': scalars(native_add),
        "two floats, numba.njit": scalars(numba_add),
        "two arrays, plain": two_arrays(touch),
        'two arrays, compiler="native"': two_arrays(native_touch),
        "two arrays, numba.njit": two_arrays(numba_touch),
    }
    return compare(rivals, 100_000, "ns")
