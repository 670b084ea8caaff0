"""Notes which worker ran which chunk of a map, and when, for the timeline of its decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any

from autopar._model.timeline import ALL_OTHERS, CALLER, MOST_WORKERS, Timeline, condensed
from autopar._model.work import Outcome, Pending

ROOM = 1000
"""Spans kept until they are condensed; from then on chunks that are shorter than the grain make no span of their own,
so that noting a chunk takes 0.6 us of CPU time whatever their number (CPython 3.11)."""

SHORTEST_COROUTINE = 20e-6
"""Seconds of a coroutine from which it is noted: 60 times what that takes (0.3 us of CPU time)."""

GRACE = 1e-3
"""Seconds by which the times of chunks may be off that their pool does not time."""

CALLED = {
    "threads": "thread",
    "asyncio": "coroutine",
    "interpreters": "interpreter",
    "dask": "place on the cluster",
}
"""What the workers of a backend are called, where it is not a process."""


class ChunkTimes:
    """The timeline of one map while it runs.

    Parameters
    ----------
    began
        When the map began, on the clock that the spans are given in.

    Examples
    --------
    >>> times = ChunkTimes(began=10.0)
    >>> times.here(10.5, 0.5, items=3)
    >>> times.elsewhere("threads", 4711, 10.5, 11.0, items=4)
    >>> times.elsewhere("threads", 4712, 10.5, 12.0, items=4)
    >>> found = times.timeline()
    >>> found.workers
    ("the caller's thread", 'thread 1', 'thread 2')
    >>> found.spans[1]
    Span(worker=1, start=0.5, end=1.0, items=4, chunks=1, busy=0.5)
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._spans: list[list[Any]] = []  # as in Span
        self._newest: dict[int, list[Any]] = {}
        self._grain = 0.0
        self._numbers: dict[tuple[str, Hashable], int] = {}
        self._backends: list[str] = []
        self._free_from: dict[str, list[float]] = {}
        self._on_pool = False

    def here(self, now: float, seconds: float, items: int) -> None:
        """Note a slice of the loop in the caller's thread, which has just ended."""
        self._add(CALLER, 0, now - seconds, now, items)

    def coroutine(self, number: int, start: float, end: float) -> None:
        """Note an item of the so-many-th coroutine, if it took long enough for that."""
        if end - start > SHORTEST_COROUTINE:
            self.elsewhere("asyncio", number, start, end, 1)

    def chunk(self, backend: str, pending: Pending, outcome: Outcome, now: float) -> None:
        """Note a chunk of a pool; where that does not time its chunks, it has just ended."""
        wall = outcome.wall
        start = getattr(pending, "started", None)
        if start is None:
            start = now - wall
        worker = getattr(pending, "worker", None)
        if worker is None:
            worker = self._free(backend, start, start + wall)
        self._on_pool = True
        self._add(backend, worker, start, start + wall, len(outcome.values))

    def elsewhere(self, backend: str, worker: Hashable | None, start: float, end: float, items: int) -> None:
        """Note a chunk; of a worker that is not known, one that was free then is taken to have run it."""
        self._on_pool = True
        self._add(backend, self._free(backend, start, end) if worker is None else worker, start, end, items)

    def timeline(self) -> Timeline | None:
        """What was noted; None where nothing ran beside the caller's thread."""
        if not self._on_pool:
            return None
        spans = sorted(condensed(self._spans)[0], key=lambda span: span.start)
        places: dict[int, int] = {}
        for span in spans:
            places.setdefault(span.worker, len(places))
        return Timeline(
            self._names(list(places)),
            tuple(
                span._replace(
                    worker=places[span.worker], start=max(0.0, span.start - self._began), end=span.end - self._began
                )
                for span in spans
            ),
        )

    def _names(self, numbers: list[int]) -> tuple[str, ...]:
        """What workers are called, those of a backend numbered in the order in which they are given."""
        seen: Counter[str] = Counter()
        names = []
        for number in numbers:
            backend = self._backends[number] if number < MOST_WORKERS else ""
            seen[backend] += 1
            called = CALLED.get(backend, "process")
            names.append({CALLER: CALLER, "": ALL_OTHERS}.get(backend, f"{called} {seen[backend]}"))
        return tuple(names)

    def _add(self, backend: str, worker: Hashable, start: float, end: float, items: int) -> None:
        number = self._numbers.get((backend, worker))
        if number is None:
            number = self._numbers[backend, worker] = min(len(self._backends), MOST_WORKERS)
            self._backends.append(backend)
        last = self._newest.get(number)
        if last is not None and last[1] <= start and end - last[1] <= self._grain:
            if end > last[2]:
                last[2] = end
            last[3] += items
            last[4] += 1
            last[5] += end - start
            return
        span = self._newest[number] = [number, start, end, items, 1, end - start]
        self._spans.append(span)
        if len(self._spans) >= ROOM:
            kept, grain = condensed(self._spans)
            self._grain = max(grain, self._grain)
            self._spans = [list(each) for each in kept]
            self._newest = {each[0]: each for each in self._spans}

    def _free(self, backend: str, start: float, end: float) -> int:
        """The first worker that was free; with a millisecond's grace, for these times are not exact."""
        ends = self._free_from.setdefault(backend, [])
        for number, free_from in enumerate(ends):
            if free_from <= start + GRACE:
                ends[number] = end
                return number
        ends.append(end)
        return len(ends) - 1
