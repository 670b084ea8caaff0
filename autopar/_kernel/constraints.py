"""What a test that held says of the variables in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autopar._kernel import promotion
from autopar._kernel.interval import FULL, Interval
from autopar._kernel.state import Bound, State
from autopar._kernel.types import INT64_MAX, INT64_MIN
from autopar._kernel.value import Number
from autopar._model.light_dataclass import dataclass

__all__ = ["FLIPPED", "NEGATED", "Constraint", "apply"]

NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True)
class Constraint:
    """A variable stands in a relation, one of "<", "<=", ">", ">=", "==", "!=", to a number."""

    name: str
    relation: str
    other: Number


def apply(state: State, constraints: Sequence[Constraint]) -> State | None:
    """Return a state narrowed by constraints, or None if they cannot all hold."""
    out = dict(state)
    for constraint in constraints:
        bound = out.get(constraint.name)
        if not isinstance(bound, Bound) or not isinstance(bound.value, Number):
            continue
        number = bound.value
        if not promotion.is_integer(number.kind) or not promotion.is_integer(constraint.other.kind):
            continue
        narrowed = _narrow(number, constraint)
        if narrowed is None:
            return None
        out[constraint.name] = Bound(narrowed, bound.certain)
    return out


def _narrow(number: Number, constraint: Constraint) -> Number | None:
    other, relation = constraint.other, constraint.relation
    known = _allowed(relation, other.range, number.range)
    both = number.range & known if known else None
    if both is None:
        return None
    below = dict(number.below)
    if relation in ("<", "<=", "=="):
        for symbol, c in other.bounds().items():
            at_most = c - (relation == "<")
            below[symbol] = min(at_most, below.get(symbol, at_most))
    return replace(number, range=both, below=tuple(sorted(below.items())))


def _allowed(relation: str, other: Interval, mine: Interval) -> Interval | None:
    if relation == "<":
        return _interval(INT64_MIN, other.hi - 1)
    if relation == "<=":
        return _interval(INT64_MIN, other.hi)
    if relation == ">":
        return _interval(other.lo + 1, INT64_MAX)
    if relation == ">=":
        return _interval(other.lo, INT64_MAX)
    if relation == "==":
        return other
    if other.fixed and other.lo == mine.lo:
        return _interval(mine.lo + 1, INT64_MAX)
    if other.fixed and other.hi == mine.hi:
        return _interval(INT64_MIN, mine.hi - 1)
    return FULL


def _interval(lo: int, hi: int) -> Interval | None:
    return Interval(lo, hi) if lo <= hi else None
