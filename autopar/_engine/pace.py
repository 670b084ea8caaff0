"""The running mean of what an item takes on the workers of a map; chunk sizes follow it."""

from __future__ import annotations


class Pace:
    """Exponentially weighted seconds an item, so that a drift in the input shows within a few chunks."""

    WEIGHT = 0.3

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def add(self, items: int, wall: float) -> None:
        """Take in one chunk."""
        if items <= 0:
            return
        each = wall / items
        self.seconds = each if self.seconds <= 0 else (1 - self.WEIGHT) * self.seconds + self.WEIGHT * each
