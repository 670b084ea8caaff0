"""How many items travel to a worker together."""

from __future__ import annotations

import math

from autopar._plan.costs import DEFAULT_COSTS

DISPATCH_SHARE = 20
"""A chunk holds at least this many times its dispatch, so that handing it over costs at most 5 %."""

TAIL_SHARE = 2
"""At the tail a chunk still holds this many times its dispatch; smaller ones cost more than the idling they save."""


def next_chunksize(
    seconds_per_item: float,
    remaining: int | None,
    workers: int,
    dispatch: float,
    *,
    buffered: int | None = None,
    target: float = DEFAULT_COSTS.chunk_seconds,
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
    target
        Seconds of work that a chunk should hold.

    Returns
    -------
    int
        At least 1; at most ``remaining`` and ``buffered`` where these are at least 1.

    Notes
    -----
    The tail is guided self-scheduling (Polychronopoulos and Kuck, 1987) at half its step: each chunk takes at most
    ``remaining / (2 * workers)`` items, so that one slow chunk does not keep the other workers idle at the end.

    Examples
    --------
    >>> next_chunksize(1e-4, 10_000, 2, 1e-4)
    50
    >>> next_chunksize(1e-4, 12, 2, 1e-6)
    3
    """
    if seconds_per_item <= 0:
        return 1
    size = _items_of(max(target, DISPATCH_SHARE * dispatch), seconds_per_item)
    if remaining is not None:
        guided = -(-remaining // (2 * max(1, workers)))
        least = _items_of(TAIL_SHARE * dispatch, seconds_per_item)
        size = min(size, max(guided, least), remaining)
    if buffered is not None:
        size = min(size, buffered)
    return max(1, size)


def _items_of(seconds: float, seconds_per_item: float) -> int:
    """Items that fill a time; a rounding error is no further item."""
    return math.ceil(seconds / seconds_per_item - 1e-9)
