"""What runs again on a pool: items that failed, each after its pause; and what is left of a chunk whose worker died."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from autopar._backends.chunk import pause_before
from autopar._model.hints import Settings
from autopar._model.observation import Traits
from autopar._model.work import Chunk, Emission, Failure, Outcome, Pending, Pool
from autopar.errors import WorkerDiedError


class Again:
    """Items of one map that wait to run again.

    Parameters
    ----------
    settings
        Of the map.
    now
        The clock.

    Attributes
    ----------
    here
        Items that raised are sent again from here, one by one, and not run again by their worker: a pause keeps no
        worker waiting, and a time-out is one attempt's.
    """

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self.here = settings.retries > 0 and (settings.timeout is not None or settings.backoff is not None)
        self._retry = settings.retry
        self._now = now
        self._failures: dict[int, int] = {}
        self._waiting: list[tuple[float, int, Chunk]] = []
        self._said: dict[int, list[Emission]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def failed(self, chunk: Chunk, error: BaseException) -> bool:
        """Note that a chunk failed; True if it waits to run again now."""
        failures = self._failures[chunk.start] = self._failures.get(chunk.start, 0) + 1
        if not self._retry.again(error, failures):
            return False
        heapq.heappush(self._waiting, (self._now() + pause_before(self._retry, failures), chunk.start, chunk))
        return True

    def raised(self, chunk: Chunk, outcome: Outcome) -> bool:
        """The same for an item that raised; what it said is kept until it has an answer."""
        if not self.here:
            return False
        error = _error_of(outcome)
        if len(chunk.items) == 1 and error is not None and self.failed(chunk, error):
            self._said.setdefault(chunk.start, []).extend(outcome.emitted)
            return True
        if said := self._said.pop(chunk.start, None):
            outcome.emitted = [*said, *outcome.emitted]
        return False

    def next(self) -> Chunk | None:
        """One whose pause is over."""
        if self._waiting and self._waiting[0][0] <= self._now():
            return heapq.heappop(self._waiting)[2]
        return None

    @property
    def due(self) -> float | None:
        """When the next pause is over."""
        return self._waiting[0][0] if self._waiting else None

    def drop_beyond(self, index: int) -> None:
        """Nothing beyond this item is wanted any more."""
        self._waiting = [each for each in self._waiting if each[1] < index]
        heapq.heapify(self._waiting)

    def rest(self) -> list[Chunk]:
        """All that wait, to run elsewhere."""
        waiting, self._waiting = self._waiting, []
        return [chunk for _, _, chunk in sorted(waiting, key=lambda each: each[1])]


def _error_of(outcome: Outcome) -> BaseException | None:
    """Why the only item of a chunk has no result, if it raised something that an item may raise again."""
    if outcome.error is not None:
        return outcome.error
    value = outcome.values[0] if outcome.values else None
    return value.error if isinstance(value, Failure) and outcome.lost is None else None


def without_the_begun(
    chunk: Chunk, error: WorkerDiedError, begun: int, traits: Traits
) -> tuple[list[tuple[Chunk, WorkerDiedError]], list[Chunk]]:
    """Divide a dead worker's chunk whose items may not run twice.

    Parameters
    ----------
    chunk, error
        The chunk, and what became of its worker.
    begun
        Items that had begun, one more if all had ended.
    traits
        Of the function.

    Returns
    -------
    list, list
        Those that are lost, with their errors; and what can still run, one by one if none had begun.
    """
    items = len(chunk.items)
    lost = min(begun, items)
    if not lost:
        return [], one_by_one(chunk)
    rest = [Chunk(chunk.job, chunk.start + lost, chunk.items[lost:])] if lost < items else []
    culprit = begun - 1 if begun <= items else None
    when = "their results were sent" if culprit is None else f"it was at item {chunk.start + culprit}"
    other = WorkerDiedError(
        f"{error} while {when}, and this item had run; {not_twice(traits)}", exitcode=error.exitcode
    )
    return [(each, error if place == culprit else other) for place, each in enumerate(one_by_one(chunk)[:lost])], rest


def one_by_one(chunk: Chunk) -> list[Chunk]:
    """A chunk for each item."""
    return [Chunk(chunk.job, index, [item]) for index, item in enumerate(chunk.items, chunk.start)]


def called_back(in_flight: dict[Pending, Chunk]) -> list[Chunk]:
    """Take out what no worker has begun."""
    waiting = [future for future in list(in_flight) if future.cancel()]
    return [in_flight.pop(future) for future in waiting]


def not_twice(traits: Traits) -> str:
    """Why an item does not run again, and what would let it."""
    outside = traits.outside_calls[:3]
    why = f"since it reaches outside the program ({', '.join(outside)}) " if outside else ""
    return f"{why}it may not run twice, unless retries= or pure=True says that it may"


def first_failure(outcome: Outcome) -> int | None:
    """The place of the first item of a chunk that raised."""
    failed = (place for place, value in enumerate(outcome.values) if isinstance(value, Failure))
    return next(failed, None if outcome.error is None else len(outcome.values))


def unclear(chunk: Chunk, error: WorkerDiedError, pool: Pool) -> bool:
    """Another item than the one to blame may have been lost with it; alone on its pool none is."""
    return len(chunk.items) > 1 or (not error.certain and pool.capacity > 1)
