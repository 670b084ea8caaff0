"""Maps of an executor: its threads take chunks of the items in turn, sized by what the items take.

Unlike a map of the engine's own it starts at once, runs while nobody asks for results, and shares the executor's
workers with everything else that was submitted, in the order of submission.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from itertools import islice
from typing import Any

from autopar._engine.own_workers import Workers
from autopar._engine.pace import Pace
from autopar._engine.submitted import Calls
from autopar._model.work import Outcome
from autopar._plan.chunks import next_chunksize


class ExecutorMap:
    """One map.

    Parameters
    ----------
    workers, calls
        The executor's workers, and how to run items on them.
    items
        Tuples of positional arguments.
    chunksize
        Items run together; None to go by time.
    buffersize
        Most items taken and not yet handed out; None to take all at once.
    timeout
        Seconds from now for all results.
    """

    def __init__(
        self,
        workers: Workers,
        calls: Calls,
        items: Iterator[tuple[Any, ...]],
        *,
        chunksize: int | None,
        buffersize: int | None,
        timeout: float | None,
    ) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout
        self._workers = workers
        self._calls = calls
        self._source = items
        self._lazy = buffersize is not None
        # Where the time is limited, of the map or of an item, none waits for the end of a chunk.
        self._chunksize = 1 if calls.carefully or (chunksize is None and timeout is not None) else chunksize
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, tuple[Any, ...]]] = deque()
        self._outcomes: dict[int, Outcome] = {}
        self._pace = Pace()
        self._at_work = 0
        self._taken = self._numbers_from = 0
        self._unsettled = 0
        self._cancelled = self._recorded = False
        self._error: BaseException | None = None
        self._failed: tuple[float, str] = (float("inf"), "")
        self._refill(buffersize)
        story = calls.listen(None if self._lazy else self._taken)
        try:
            self._call_for_hands()
        except BaseException as error:
            if story is not None:
                story.dropped(error)
            raise
        if not self._taken:
            self._record()

    def results(self) -> Iterator[Any]:
        """Results in order."""
        place = 0
        try:
            while place < self._taken:
                outcome = self._wait_for(place)
                place += len(outcome.values)
                outcome.values.reverse()
                while outcome.values:
                    if self._lazy:
                        self._refill(1)
                        self._call_for_hands()
                    yield outcome.values.pop()
                if outcome.error is not None:
                    try:
                        raise outcome.error
                    finally:
                        del outcome
        finally:
            self._cancel()

    def _refill(self, count: int | None) -> None:
        """Take items from the input, as many as are wanted now."""
        fresh = list(self._source if count is None else islice(self._source, count))
        with self._changed:
            for args in fresh:
                self._waiting.append((self._taken, args))
                self._taken += 1
            self._unsettled += len(fresh)

    def _call_for_hands(self) -> None:
        """Have as many threads come as there are items for."""
        while True:
            with self._changed:
                if self._at_work >= min(self._workers.limit, self._at_work + len(self._waiting)):
                    return
                if self._at_work and self._at_work >= self._unsettled:
                    return
                self._at_work += 1
            try:
                hand = self._workers.submit(self._work)
            except BaseException:
                with self._changed:
                    self._at_work -= 1
                raise
            hand.add_done_callback(self._gone)

    def _gone(self, hand: Future[Any]) -> None:
        """A thread has left; if it never came, the items have nobody."""
        error: BaseException | None = None
        if hand.cancelled():
            error = CancelledError()
        elif (raised := hand.exception()) is not None:
            error = raised
        if error is not None:
            with self._changed:
                self._at_work -= 1
                if not self._at_work:
                    self._error = error
                self._changed.notify_all()
        if self._error is not None and not self._at_work:
            self._record()

    def _work(self) -> None:
        """Run chunks until none is left; on a thread of the executor."""
        while (chunk := self._take()) is not None:
            start, items, remaining = chunk
            try:
                outcome = self._calls.run(start, items, remaining)
            except BaseException as raised:
                outcome = Outcome([], raised)
            del items, chunk
            self._put(start, outcome)
            del outcome

    def _take(self) -> tuple[int, list[tuple[Any, ...]], int] | None:
        with self._changed:
            if self._workers.cancelling and not self._cancelled:
                self._give_up(CancelledError())
            if not self._waiting or self._cancelled:
                self._at_work -= 1
                return None
            remaining = len(self._waiting)
            size = self._chunksize
            if size is None:
                size = next_chunksize(self._pace.seconds, remaining, self._workers.limit, self._calls.dispatch)
            start = self._waiting[0][0]
            items = [self._waiting.popleft()[1] for _ in range(min(size, remaining))]
            return start, items, remaining

    def _give_up(self, error: BaseException) -> None:
        self._waiting.clear()
        self._cancelled = True
        self._error = error
        self._changed.notify_all()

    def _put(self, start: int, outcome: Outcome) -> None:
        with self._changed:
            self._pace.add(len(outcome.values), outcome.wall)
            self._outcomes[start] = outcome
            self._unsettled -= len(outcome.values) + (outcome.error is not None)
            if outcome.error is not None:
                self._failed = min(self._failed, (start, type(outcome.error).__qualname__))
                kept = [(place, args) for place, args in self._waiting if place < start]
                self._unsettled -= len(self._waiting) - len(kept)
                self._waiting = deque(kept)
            self._changed.notify_all()
            ended = not self._unsettled and not self._lazy
        if ended:
            self._record()

    def _wait_for(self, place: int) -> Outcome:
        with self._changed:
            while place not in self._outcomes:
                if self._error is not None:
                    raise self._error
                left = None if self._end is None else self._end - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._changed.wait(left if left is None else min(left, threading.TIMEOUT_MAX))
            return self._outcomes.pop(place)

    def _cancel(self) -> None:
        """Nobody wants the rest."""
        with self._changed:
            self._waiting.clear()
            self._cancelled = True
            self._outcomes.clear()
        self._record()

    def _record(self) -> None:
        """Write down how it went, with the first error in input order."""
        with self._changed:
            if self._recorded:
                return
            self._recorded = True
        self._calls.record(self._failed[1] or ("" if self._error is None else type(self._error).__qualname__))


def futures_in_order(
    submit: Callable[..., Future[Any]],
    items: Iterator[tuple[Any, ...]],
    *,
    timeout: float | None,
    buffersize: int | None,
) -> Iterator[Any]:
    """Results of calls that are submitted one by one, in order: for coroutine functions."""
    end = None if timeout is None else time.monotonic() + timeout
    futures = deque(submit(*args) for args in (items if buffersize is None else islice(items, buffersize)))

    def deliver() -> Iterator[Any]:
        try:
            while futures:
                future = futures.popleft()
                try:
                    value = future.result(None if end is None else max(0.0, end - time.monotonic()))
                except BaseException:
                    future.cancel()
                    raise
                finally:
                    del future
                if buffersize is not None:
                    futures.extend(submit(*args) for args in islice(items, 1))
                yield value
                del value
        finally:
            for future in futures:
                future.cancel()

    return deliver()
