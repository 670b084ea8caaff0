"""Intervals hold every result of the operation on any of their members."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._kernel.interval import FULL, Interval, interval_of_dtype

NUMBERS = st.integers(-(2**64), 2**64) | st.integers(-9, 9)
OPERATORS: list[Callable[[int, int], int]] = [operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod]


@pytest.mark.parametrize("operation", OPERATORS, ids=lambda f: f.__name__)
@given(ends=st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), at=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_an_operation_on_members_is_a_member(
    operation: Callable[..., int], ends: tuple[int, int, int, int], at: tuple[float, float]
) -> None:
    """Whatever two numbers are taken of two intervals, their sum, difference and so on is in that of the intervals."""
    a, b = (Interval(min(pair), max(pair)) for pair in (ends[:2], ends[2:]))
    if operation in (operator.floordiv, operator.mod) and b.lo <= 0 <= b.hi:
        b = Interval(1, abs(b.hi) + 1)
    x, y = (i.lo + int((i.hi - i.lo) * share) for i, share in zip((a, b), at, strict=True))
    x, y = min(x, a.hi), min(y, b.hi)
    known = operation(a, b)
    result = operation(x, y)
    assert isinstance(known, Interval)
    assert known.lo <= result <= known.hi


@given(a=NUMBERS, b=NUMBERS)
def test_the_absolute_value(a: int, b: int) -> None:
    """The absolute values of the ends and of zero between them are members."""
    known = abs(Interval(min(a, b), max(a, b)))
    assert known.lo <= min(abs(a), abs(b)) <= max(abs(a), abs(b)) <= known.hi


def test_widening_comes_to_rest() -> None:
    """A bound that keeps moving reaches the limit in a few steps, and one that does not stays."""
    known, rounds = Interval(0, 0), 0
    while (wider := known.widened(Interval(0, known.hi + 1), FULL)) != known:
        known, rounds = wider, rounds + 1
    assert known == Interval(0, FULL.hi)
    assert rounds < 12


@pytest.mark.parametrize(("dtype", "lo", "hi"), [("int8", -128, 127), ("uint16", 0, 65535), ("bool", 0, 1)])
def test_dtypes(dtype: str, lo: int, hi: int) -> None:
    """A dtype's interval is what it can hold."""
    assert interval_of_dtype(dtype) == Interval(lo, hi)
