"""Variables that loops count in: how far they can get, from how often they are moved and by how much.

The range of such a variable at the head of a loop is not found by widening but worked out: what it is on entry, plus
the number of rounds times what one round adds. By induction over the rounds it holds in each.

A while loop has no such number. But one that moves a variable by a few in each round would run for years before the
variable overflows, given that each round is really run: so such a loop is marked, and the C compiler is kept from
working out what many rounds do together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autopar._kernel import types as t
from autopar._kernel.context import Change
from autopar._kernel.interval import FULL, Interval
from autopar._kernel.state import Bound, State
from autopar._kernel.value import Number

__all__ = ["counted", "multiplied", "with_ranges"]

_SLOW, _YEARS = 4, 2**61  # at five rounds in a nanosecond, which no processor makes, 2**59 rounds take over three years


def counted(entry: State, header: State, changes: Sequence[Change], rounds: int | None) -> dict[str, Interval]:
    """Return the ranges at a loop's head of the variables that it counts in."""
    out: dict[str, Interval] = {}
    for key in {change.key for change in changes}:
        first, guess = entry.get(key), header.get(key)
        if not isinstance(first, Bound) or not isinstance(guess, Bound):
            continue
        numbers = (first.value, guess.value)
        if any(not isinstance(n, Number) or n.kind != t.Int() or n.flag is not None for n in numbers):
            continue
        reach = _reach(key, changes, rounds or 1)
        if rounds is None and reach is not None:
            reach = _in_years(reach)
        if reach is None or not isinstance(first.value, Number) or not isinstance(guess.value, Number):
            continue
        far = Interval(first.value.range.lo + min(0, reach.lo), first.value.range.hi + max(0, reach.hi))
        if far.within(FULL):
            out[key] = guess.value.range if far.within(guess.value.range) else far
    return out


def _in_years(reach: Interval) -> Interval | None:
    """Return how far a variable that moves so much in each round gets, or None if it moves fast."""
    if not reach.within(Interval(-_SLOW, _SLOW)):
        return None
    return Interval(-_YEARS if reach.lo < 0 else 0, _YEARS if reach.hi > 0 else 0)


def with_ranges(state: State, ranges: dict[str, Interval]) -> State:
    """Return a state with the ranges of some variables put in."""
    out = dict(state)
    for key, known in ranges.items():
        bound = out.get(key)
        if isinstance(bound, Bound) and isinstance(bound.value, Number) and bound.value.kind == t.Int():
            out[key] = Bound(replace(bound.value, range=known), bound.certain)
    return out


def _reach(key: str, changes: Sequence[Change], rounds: int) -> Interval | None:
    """Return what all rounds together add to a variable."""
    total = Interval(0, 0)
    for change in changes:
        if change.key != key:
            continue
        if change.by is None or change.times is None:
            return None
        total = total + (change.by | Interval(0, 0)) * Interval(change.times, change.times)
    return total * Interval(rounds, rounds)


def multiplied(change: Change, rounds: int | None) -> Change:
    """Return a change in a loop's body as one of the loop as a whole."""
    times = change.times
    return replace(change, times=None if times is None or rounds is None else times * rounds)
