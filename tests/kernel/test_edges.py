"""At the edges of the number types, compiled code gives what Python gives or leaves for Python."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.kernel.running import Left, Running, same

INTS = [0, 1, -1, 2, -2, 3, 7, -7, 63, 64, 255, 2**31, -(2**31), 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 10**18]
FLOATS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.5,
    -3.5,
    1e-320,
    1e308,
    -1e308,
    2.0**53,
    1e19,
    math.inf,
    -math.inf,
    math.nan,
    0.1,
]
PYTHON: list[Callable[[Any, Any], Any]] = []


def taken(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Note a function of two numbers to be tried."""
    PYTHON.append(function)
    return function


@taken
def add(a: Any, b: Any) -> Any:
    return a + b


@taken
def subtract(a: Any, b: Any) -> Any:
    return a - b


@taken
def multiply(a: Any, b: Any) -> Any:
    return a * b


@taken
def divide(a: Any, b: Any) -> Any:
    return a / b


@taken
def floor_divide(a: Any, b: Any) -> Any:
    return a // b


@taken
def remainder(a: Any, b: Any) -> Any:
    return a % b


@taken
def less(a: Any, b: Any) -> Any:
    return a < b


@taken
def equal(a: Any, b: Any) -> Any:
    return a == b


@taken
def at_least(a: Any, b: Any) -> Any:
    return a >= b


@taken
def least(a: Any, b: Any) -> Any:
    return min(a, b)


@taken
def chosen(a: Any, b: Any) -> Any:
    return a and b


@taken
def absolute(a: Any, b: Any) -> Any:
    return abs(a), -b


@taken
def rounded(a: Any, b: Any) -> Any:
    return round(a), int(b)


@taken
def floats(a: Any, b: Any) -> Any:
    return float(a), bool(b)


@taken
def constants(a: Any, b: Any) -> Any:
    return a * 3 + 1, b - 5, 7 - a, b * -4


@taken
def by_constants(a: Any, b: Any) -> Any:
    return a // 8, a % 8, b // -3, b % -3, a % 1, b // 1


def shift_left(a: Any, b: Any) -> Any:
    return a << b


def shift_right(a: Any, b: Any) -> Any:
    return a >> b


def power(a: Any, b: Any) -> Any:
    return a**b


def bits(a: Any, b: Any) -> Any:
    return a & b, a | b, a ^ b, ~a


def roots(a: Any, b: Any) -> Any:
    return math.sqrt(a), math.exp(b), math.atan2(a, b)


def squares(a: Any, b: Any) -> Any:
    return a**2, a**3, b**-1, b**-2, b**0.5


def either_way(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call gives, or the class of what it raises or warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return function(*arguments)
        except Left:
            return Left
        except Exception as error:
            return type(error)


def check(function: Callable[..., Any], values: list[tuple[Any, Any]], least_share: float = 0.25) -> None:
    """Compare compiled and plain function for each pair of values."""
    compiled = Running(function, *values[0])
    left = 0
    for pair in values:
        ours, plain = either_way(compiled, *pair), either_way(function, *pair)
        if ours is Left:
            left += 1
        else:
            assert same(ours, plain), (pair, plain, ours)
    assert left <= len(values) * (1 - least_share)


@pytest.mark.slow
@pytest.mark.parametrize("function", [*PYTHON, shift_left, shift_right, power, bits], ids=lambda f: f.__name__)
def test_integers(function: Callable[..., Any]) -> None:
    """Python's integers: overflow leaves, everything else is exact."""
    small = function in (shift_left, power)
    second = [b for b in INTS if abs(b) < 100] if small else INTS
    check(function, [(a, b) for a in INTS for b in second], 0.05 if small else 0.25)


@pytest.mark.slow
@pytest.mark.parametrize("function", [*PYTHON, power, roots, squares], ids=lambda f: f.__name__)
def test_floats(function: Callable[..., Any]) -> None:
    """Python's floats, with signed zeros, infinities and NaN."""
    check(function, [(a, b) for a in FLOATS for b in FLOATS], 0.05)


MIXED = [add, multiply, divide, floor_divide, remainder, less, equal, at_least, power]


@pytest.mark.slow
@pytest.mark.parametrize("function", MIXED, ids=lambda f: f.__name__)
def test_integers_with_floats(function: Callable[..., Any]) -> None:
    """An int next to a float, which Python compares exactly and adds with one rounding."""
    check(function, [(a, b) for a in INTS for b in FLOATS], 0.05)
    check(function, [(b, a) for a in INTS for b in FLOATS], 0.05)


ARITHMETIC = [add, subtract, multiply, divide, floor_divide, remainder, less, equal]
NUMPY = [np.int8, np.uint8, np.int32, np.int64, np.float32, np.float64]


def elements(a: Any, b: Any) -> Any:
    """Stand for two array elements: their sum, which has the type that NEP 50 says."""
    return a[0] + b[0], a[0] * b[0], a[0] < b[0]


@pytest.mark.slow
@pytest.mark.parametrize("left", NUMPY, ids=lambda d: d.__name__)
@pytest.mark.parametrize("right", NUMPY, ids=lambda d: d.__name__)
def test_elements_of_arrays(left: Any, right: Any) -> None:
    """The type of an operation on two dtypes is NumPy's, and so is its value, or the call leaves."""
    numbers = [0, 1, 3, 100, 127]
    check(elements, [(np.array([a], left), np.array([b], right)) for a in numbers for b in numbers], 0.2)


def with_number(a: Any, b: Any) -> Any:
    return a[0] + b, a[0] * b, a[0] - b, a[0] < b


@pytest.mark.slow
@pytest.mark.parametrize("dtype", NUMPY, ids=lambda d: d.__name__)
@pytest.mark.parametrize("numbers", [[0, 1, 200, -3, 2**40], [0.0, 0.1, -2.5, 1e300, math.inf]], ids=["int", "float"])
def test_an_element_with_a_python_number(dtype: Any, numbers: list[Any]) -> None:
    """A Python number takes the type of the element next to it."""
    check(with_number, [(np.array([a], dtype), b) for a in (0, 1, 100, 127) for b in numbers], 0.2)


def store(a: Any, b: Any) -> Any:
    a[0] = b
    return a


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [*NUMPY, np.bool_, np.uint64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("numbers", [[0, 1, 300, -1, 2**40], [0.0, 3.7, -3.7, 1e20, math.nan]], ids=["int", "float"])
def test_storing_a_number(dtype: Any, numbers: list[Any]) -> None:
    """A number is stored as NumPy stores it, or the call leaves before."""
    compiled = Running(store, np.zeros(2, dtype), numbers[0])
    for number in numbers:
        ours, theirs = np.zeros(2, dtype), np.zeros(2, dtype)
        result, plain = either_way(compiled, ours, number), either_way(store, theirs, number)
        if result is not Left:
            assert result is ours
            assert plain is theirs
            assert same(ours, theirs)


def item(a: Any, i: Any) -> Any:
    return a[i], a[-1], a[i - 1]


@pytest.mark.slow
@pytest.mark.parametrize("items", [[5, 6, 7], np.arange(3.0), np.arange(6)[::2]], ids=["list", "array", "strided"])
def test_indexes(items: Any) -> None:
    """Indexes count from the end if negative, and leave if beyond."""
    check(item, [(items, i) for i in (-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 2**62)])
