"""How many items that wait travel together, where it is known how many there are: as many to each worker."""

from __future__ import annotations

import math

from autopar._plan.chunks import chunk_seconds

FEW = 4
"""Rounds of short items after which a map ends before it could tell how many of them should wait at a time, and more
threads would cost more than they save (benchmarks/regret: nap)."""


class Rounds:
    """Chunk sizes of one map: rounds of a chunk for each worker, all of about the same size.

    Items that wait on threads need the GIL before and after, and so does the hand-over of each chunk. So these are as
    few as the longest good chunk allows, and the last round is as large as the others: to end evenly by ever smaller
    chunks would cost more than what one chunk, which is short, may come late.

    Attributes
    ----------
    few
        Items are short, and what is left of them goes out in a few rounds.

    Examples
    --------
    >>> rounds = Rounds()
    >>> [rounds.next(1e-3, left, 2, 1e-4) for left in (9, 6, 3)], rounds.next(5e-2, 100, 2, 1e-4)
    ([3, 2, 2], 1)
    """

    def __init__(self) -> None:
        self.few = False
        self._items = 0
        self._chunks = 0

    def next(self, seconds_per_item: float, remaining: int, workers: int, dispatch: float) -> int:
        """Size of the next chunk of ``remaining`` items; the parameters are those of :func:`next_chunksize`."""
        if self._chunks <= 0 or self._items != remaining:
            most = max(1, math.floor(chunk_seconds(dispatch, workers, waits=True) / seconds_per_item))
            rounds = math.ceil(remaining / (workers * most))
            self.few = most > 1 and rounds <= FEW
            self._chunks = rounds * workers
        size = max(1, min(remaining, -(-remaining // self._chunks)))
        self._chunks -= 1
        self._items = remaining - size
        return size
