"""A warm pool: what a chunk, an item and a byte take through it. The pool is handed in: this room knows no backend."""

from __future__ import annotations

import os
import time
from statistics import median

from autopar._model.work import Chunk, Job, Outcome, Pool
from autopar._observe.calibration.clock import least, middle
from autopar._observe.calibration.cores import hash_some, times_of_a_trial, what_a_second_adds

_UNDER_WAY = 4


def chunk_there_and_back(pool: Pool, chunks: int) -> float:
    """Seconds a chunk of one trivial item while a few are always under way."""
    return middle(lambda: _chunks(pool, chunks), 3)


def _chunks(pool: Pool, chunks: int) -> float:
    chunk = Chunk(_trivial(), 0, [1])
    _checked(pool.submit(chunk).result())
    started = time.perf_counter()
    waiting = [pool.submit(chunk) for _ in range(_UNDER_WAY)]
    for _ in range(chunks - _UNDER_WAY):
        _checked(waiting.pop(0).result())
        waiting.append(pool.submit(chunk))
    for future in waiting:
        _checked(future.result())
    return (time.perf_counter() - started) / chunks


def round_trip(pool: Pool, times: int) -> float:
    """Seconds that a chunk of one trivial item is on its way, while nothing else is."""
    chunk = Chunk(_trivial(), 0, [1])
    _checked(pool.submit(chunk).result())
    trips = [trip for _ in range(times) if (trip := pool.submit(chunk).result().dispatch) is not None]
    return median(trips)


def item_in_chunk(pool: Pool, items: int) -> float:
    """Seconds that a trivial item more adds to a chunk, over what the loop takes for it."""
    job, values = _trivial(), list(range(items))

    def alone() -> float:
        started = time.perf_counter()
        for value in values:
            abs(value)
        return time.perf_counter() - started

    def sent(count: int) -> float:
        chunk = Chunk(job, 0, values[:count])
        started = time.perf_counter()
        _checked(pool.submit(chunk).result())
        return time.perf_counter() - started

    sent(1)
    extra = least(lambda: sent(items)) - least(lambda: sent(1)) - least(alone)
    return max(1e-9, extra / items)


def byte_both_ways(pool: Pool, size: int) -> float:
    """Seconds a byte, for an item that goes there and comes back."""
    chunk = Chunk(Job(_itself, reference=(__name__, _itself.__qualname__), name="itself"), 0, [os.urandom(size)])

    def once() -> float:
        started = time.perf_counter()
        _checked(pool.submit(chunk).result())
        return (time.perf_counter() - started) / (2 * size)

    once()
    return least(once, 2)


def second_process(pool: Pool) -> float:
    """Cores that a second worker of a pool of processes adds; both are there already."""
    times = times_of_a_trial()
    job = Job(hash_some, reference=(hash_some.__module__, hash_some.__qualname__), name="hash")

    def busy(chunks: int) -> float:
        started = time.perf_counter()
        for future in [pool.submit(Chunk(job, 0, [times])) for _ in range(chunks)]:
            _checked(future.result())
        return time.perf_counter() - started

    busy(2)
    return what_a_second_adds(lambda: busy(1), lambda: busy(2))


def _itself(value: object) -> object:
    return value


def _trivial() -> Job:
    return Job(abs, reference=("builtins", "abs"), name="abs")


def _checked(outcome: Outcome) -> None:
    """A chunk that failed has measured nothing."""
    if outcome.error is not None:
        raise outcome.error
