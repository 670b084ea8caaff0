"""Variables that loops count in: how far they can get, from how often they are moved and by how much.

The range of such a variable at the head of a loop is not found by widening but worked out: what it is on entry, plus
the number of rounds times what one round adds. By induction over the rounds it holds in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autopar._kernel import types as t
from autopar._kernel.context import Change
from autopar._kernel.interval import FULL, Interval
from autopar._kernel.state import Bound, State
from autopar._kernel.value import Number

__all__ = ["counted", "multiplied"]


def counted(entry: State, header: State, after: State, changes: Sequence[Change], rounds: int | None) -> State:
    """Return `after`, the next guess of what holds at a loop's head, with the ranges of counters worked out."""
    if rounds is None:
        return after
    out = dict(after)
    for key, bound in after.items():
        first, guess = entry.get(key), header.get(key)
        if not isinstance(bound, Bound) or not isinstance(first, Bound) or not isinstance(guess, Bound):
            continue
        value, start = bound.value, first.value
        if not isinstance(value, Number) or not isinstance(start, Number) or not isinstance(guess.value, Number):
            continue
        if any(number.kind != t.Int() or number.flag is not None for number in (value, start, guess.value)):
            continue
        reach = _reach(key, changes, rounds)
        if reach is None:
            continue
        far = Interval(start.range.lo + min(0, reach.lo), start.range.hi + max(0, reach.hi))
        if not far.within(FULL) or far == start.range:
            continue
        known = guess.value.range if far.within(guess.value.range) else far
        out[key] = Bound(replace(value, range=known), bound.certain)
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
