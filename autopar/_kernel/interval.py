"""Interval arithmetic on integers: what a value can be, so that a check that cannot fire is left out."""

from __future__ import annotations

from autopar._kernel.types import INT64_MAX, INT64_MIN
from autopar._model.light_dataclass import dataclass

__all__ = ["FULL", "Interval", "interval_of_dtype"]

# Loop headers widen to these bounds, so that a fix-point is reached in a few rounds.
_STEPS = (-(2**53), -(2**31), -(2**15), -1, 0, 1, 255, 2**15, 2**31, 2**32, 2**53)


@dataclass(frozen=True)
class Interval:
    """All integers from `lo` to `hi`, both included.

    >>> Interval(0, 9) * Interval(-1, 2)
    Interval(lo=-9, hi=18)
    """

    lo: int
    hi: int

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.lo - other.hi, self.hi - other.lo)

    def __mul__(self, other: Interval) -> Interval:
        return _hull([a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)])

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __abs__(self) -> Interval:
        if self.lo >= 0:
            return self
        return -self if self.hi <= 0 else Interval(0, max(-self.lo, self.hi))

    def __or__(self, other: Interval) -> Interval:
        """Return the smallest interval that holds both."""
        return Interval(min(self.lo, other.lo), max(self.hi, other.hi))

    def __and__(self, other: Interval) -> Interval | None:
        """Return what is in both, or None if nothing is."""
        lo, hi = max(self.lo, other.lo), min(self.hi, other.hi)
        return Interval(lo, hi) if lo <= hi else None

    def __floordiv__(self, other: Interval) -> Interval:
        """Return the quotients by a divisor that is never zero."""
        parts = [
            part for part in (other & Interval(1, max(1, other.hi)), other & Interval(min(-1, other.lo), -1)) if part
        ]
        return _hull([a // b for a in (self.lo, self.hi) for part in parts for b in (part.lo, part.hi)])

    def __mod__(self, other: Interval) -> Interval:
        """Return the remainders by a divisor that is never zero; they have its sign."""
        if other.lo > 0 and self.lo >= 0 and self.hi < other.lo:
            return self
        return Interval(min(0, other.lo + 1), max(0, other.hi - 1))

    def within(self, other: Interval) -> bool:
        """Whether all of this is in the other."""
        return other.lo <= self.lo and self.hi <= other.hi

    def widened(self, newer: Interval, to: Interval) -> Interval:
        """Return the hull of both with each bound that moved pushed on to the next step, at most to `to`."""
        lo, hi = self.lo, self.hi
        if newer.lo < lo:
            lo = max((s for s in _STEPS if to.lo <= s <= newer.lo), default=to.lo)
        if newer.hi > hi:
            hi = min((s for s in _STEPS if newer.hi <= s <= to.hi), default=to.hi)
        return Interval(lo, hi)

    @property
    def fixed(self) -> bool:
        """Whether there is one value only."""
        return self.lo == self.hi


def _hull(values: list[int]) -> Interval:
    return Interval(min(values), max(values))


FULL = Interval(INT64_MIN, INT64_MAX)


def interval_of_dtype(dtype: str) -> Interval:
    """Return what an integer dtype can hold."""
    if dtype == "bool":
        return Interval(0, 1)
    bits = int(dtype.lstrip("uint"))
    return Interval(0, 2**bits - 1) if dtype.startswith("u") else Interval(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
