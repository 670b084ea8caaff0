"""How many items travel to a worker together."""

from __future__ import annotations

import math

DISPATCH_SHARE = 40
"""A chunk holds at least this many times its dispatch, so that handing it over costs at most 2.5 %."""

PARENTS_SHARE = 1.5
"""Among many workers a chunk holds this many times the dispatch of one chunk for each of them, since the parent hands
over one after the other: with less it could not keep up (benchmarks/simulate.py: hosts with 65 to 1024 cores)."""

WAITS_SHARE = 6.0
"""The same for items that wait on threads: the parent's work takes the GIL from them, a sixth of the time at most
(benchmarks/regret: nap)."""

TAIL_SHARE = 2
"""At the tail a chunk still holds this many times its dispatch; smaller ones cost more than the idling they save."""


def next_chunksize(
    seconds_per_item: float,
    remaining: int | None,
    workers: int,
    dispatch: float,
    *,
    buffered: int | None = None,
    waits: bool = False,
) -> int:
    """Size of the next chunk: by time, and shrinking at the tail.

    Parameters
    ----------
    seconds_per_item
        Mean wall time of an item; 0 if it is not known, which gives 1.
    remaining
        Items not handed over yet; None if their number is not known.
    workers
        Chunks under way at the same time.
    dispatch
        Seconds for handing over one chunk.
    buffered
        Most items that may be taken now (back-pressure); None for no limit.
    waits
        They wait, and not for a core.

    Returns
    -------
    int
        At least 1; at most ``remaining`` and ``buffered`` where these are at least 1.

    Notes
    -----
    The tail is guided self-scheduling (Polychronopoulos and Kuck, 1987) at half its step: each chunk takes at most
    ``remaining / (2 * workers)`` items, so that one slow chunk does not keep the other workers idle at the end. It goes
    on for as long as the parent can hand over chunks as fast as the workers end them: then ``s`` seconds of work in
    chunks of ``c`` end after ``s / c * dispatch + c`` seconds, which is least for ``c = sqrt(s * dispatch)``.

    Examples
    --------
    >>> next_chunksize(1e-4, 10_000, 2, 1e-4)
    40
    >>> next_chunksize(1e-4, 12, 2, 1e-6)
    1
    """
    if seconds_per_item <= 0:
        return 1
    size = _items_of(chunk_seconds(dispatch, workers, waits=waits), seconds_per_item)
    if remaining is not None:
        guided = -(-remaining // (2 * max(1, workers)))
        least = _items_of(_least_seconds(seconds_per_item * remaining, workers, dispatch), seconds_per_item)
        size = min(size, max(guided, least), remaining)
    if buffered is not None:
        size = min(size, buffered)
    return max(1, size)


def chunk_seconds(dispatch: float, workers: int, *, waits: bool = False) -> float:
    """Seconds of work that a chunk should hold.

    Examples
    --------
    >>> chunk_seconds(1e-4, 2), round(chunk_seconds(1e-4, 100), 6)
    (0.004, 0.015)
    """
    return max(DISPATCH_SHARE, (WAITS_SHARE if waits else PARENTS_SHARE) * workers) * dispatch


def _least_seconds(left: float, workers: int, dispatch: float) -> float:
    """Seconds of work that a chunk at the tail should hold, of so much that is left."""
    return max(TAIL_SHARE * dispatch, min(workers * dispatch, math.sqrt(left * dispatch)))


def _items_of(seconds: float, seconds_per_item: float) -> int:
    """Items that fill a time; a rounding error is no further item."""
    return math.ceil(seconds / seconds_per_item - 1e-9)
