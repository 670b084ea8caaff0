"""Who ran what of a map, and when: spans of workers, in bounded number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from autopar._model.light_dataclass import dataclass

MOST_SPANS = 200
"""Spans kept of one map."""

MOST_WORKERS = 64
"""Workers told apart; the spans of all others are put together."""

CALLER = "the caller's thread"
"""What the thread is called that asked for the map."""

ALL_OTHERS = "all others"
"""What those are called that are not told apart."""


class Span(NamedTuple):
    """Consecutive chunks of one worker.

    Attributes
    ----------
    worker
        Position of the worker's name in the timeline.
    start, end
        Seconds since the map began.
    items, chunks
        How many it ran.
    busy
        Seconds of these that went into the items; more than ``end - start`` where workers were put together.
    """

    worker: int
    start: float
    end: float
    items: int
    chunks: int = 1
    busy: float = 0.0


Row: TypeAlias = Any
"""What a span holds, in its order, as any sequence: while a map runs thousands are put together, and to make tuples of
them takes a tenth off a map of 3,000 coroutines."""


@dataclass(slots=True)
class Timeline:
    """The spans of one map, by worker and time.

    Attributes
    ----------
    workers
        What each worker is called, in the order in which they began.
    spans
        At most :data:`MOST_SPANS`, apart from a map in which more workers took part than that.
    """

    workers: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()

    def let_go(self) -> None:
        """Make room: of an old map nobody wants to know it."""
        self.workers, self.spans = (), ()


def condensed(spans: Iterable[Row], most: int = MOST_SPANS) -> tuple[list[Span], float]:
    """Put neighbours of a worker together until few enough are left.

    Neighbours go together while they last no longer than a grain, which doubles until that is enough: so all parts of
    the map are seen equally well, and a chunk that took long stands by itself.

    Parameters
    ----------
    spans
        Spans, or all of them lists of the same.
    most
        Spans that may be left, if there are no more workers than that.

    Returns
    -------
    list of Span, float
        By worker and time; the grain in seconds, 0 where nothing was put together.

    Examples
    --------
    >>> spans, grain = condensed([Span(0, 0.0, 1.0, 5, 1, 1.0), Span(0, 1.0, 2.0, 5, 1, 0.5), Span(1, 0.0, 4.0, 9)], 2)
    >>> spans[0]
    Span(worker=0, start=0.0, end=2.0, items=10, chunks=2, busy=1.5)
    >>> len(spans), grain
    (2, 4.0)
    """
    kept = sorted(spans)
    workers = len({row[0] for row in kept})
    room, grain = max(most, workers), 0.0
    if len(kept) > room:
        grain = max(max(row[2] for row in kept) - min(row[1] for row in kept), 1e-9) * workers / room
        while len(kept := _joined(kept, grain)) > room:
            grain *= 2
    return list(map(Span._make, kept)), grain


def _joined(rows: Sequence[Row], grain: float) -> list[Row]:
    joined: list[Row] = []
    worker, start, end, items, chunks, busy = rows[0]
    for row in rows[1:]:
        if row[0] == worker and max(row[2], end) - start <= grain:
            end = max(end, row[2])
            items += row[3]
            chunks += row[4]
            busy += row[5]
        else:
            joined.append((worker, start, end, items, chunks, busy))
            worker, start, end, items, chunks, busy = row
    return [*joined, (worker, start, end, items, chunks, busy)]
