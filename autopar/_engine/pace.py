"""The running mean of what an item takes on the workers of a map; chunk sizes follow it."""

from __future__ import annotations


class Pace:
    """Exponentially weighted seconds an item, so that a drift in the input shows within a few chunks.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.add(2, 0.02, under_way=4)
    >>> pace.seconds, pace.typical
    (0.01, False)
    """

    WEIGHT = 0.3

    FIRST_ENOUGH = 0.75
    """Share of the chunks that went out together from which their mean says something: the mean of the shorter three
    quarters of exponential times is 0.54 of the mean of all, that of the shortest tenth 0.05."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._largest = 1
        self._chunks = 0
        self._first = 0

    def add(self, items: int, wall: float, under_way: int = 1) -> None:
        """Take in one chunk, the first of so many that were under way."""
        self._first = self._first or under_way
        self._chunks += 1
        if items <= 0:
            return
        each = wall / items
        # A chunk's own cost is in its time: one of many more items than those before tells more than they do.
        weight = 1.0 if self.seconds <= 0 else max(self.WEIGHT, 1 - self._largest / items)
        self.seconds += weight * (each - self.seconds)
        self._largest = max(self._largest, items)

    @property
    def typical(self) -> bool:
        """Not only the shortest of those chunks have ended that went out together first."""
        return 0 < self.FIRST_ENOUGH * self._first <= self._chunks
