"""Runs the items of a chunk: the only loop over items outside the caller's thread."""

from __future__ import annotations

import functools
import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from autopar._backends.marks import Each
from autopar._backends.said import Keeper, Lines
from autopar._backends.standing import standing_at
from autopar._backends.turns import Turn
from autopar._model.nesting import nested_cores
from autopar._model.retry import Retry
from autopar._model.work import Chunk, Emission, Failure, Job, Outcome, RunsBlocks
from autopar._native_api import NATIVE, call_each, thread_probe


def bind(job: Job) -> Callable[..., Any]:
    """The job's function with its keyword arguments."""
    return functools.partial(job.function, **job.kwargs) if job.kwargs else job.function


def run_each(
    stand: Callable[..., Any], call: Callable[..., Any], items: Iterator[Any], count: int, out: list[Any], star: bool
) -> bool | BaseException:
    """:func:`call_each`, from a frame that stands at the line of the map."""
    if not NATIVE:
        call = functools.partial(stand, call)
    ended: bool | BaseException = stand(call_each, call, items, count, out, star)
    return ended


def run_chunk(chunk: Chunk, *, keep: bool = False, each: Each = iter) -> Outcome:
    """Run the items in order and measure them; an error ends the chunk unless the job collects errors.

    With ``keep`` what they print and log goes into the outcome; where results have no order it is put out at once, by
    whole lines. ``each`` goes through the items.
    """
    job = chunk.job
    if job.seed is None:
        return _run_measured(chunk, None, keep=keep, each=each)
    with Turn(job.seed, numpy_random=job.numpy_random, lent=not job.draws) as turn:
        return _run_measured(chunk, turn, keep=keep, each=each)


def _run_measured(chunk: Chunk, turn: Turn | None, *, keep: bool, each: Each) -> Outcome:
    job = chunk.job
    values: list[Any] = []
    error: BaseException | None = None
    emitted: list[Emission] = []
    keeper = (Keeper if job.ordered else Lines)(values).start() if keep else None
    token = nested_cores.set(job.cores)
    wall, cpu, process_cpu, waits, _ = thread_probe()
    try:
        if job.collect or job.retry.times or turn is not None:
            _run_carefully(job, chunk, values, each, turn)
        else:
            _run_plainly(job, chunk, values, each)
    except BaseException as raised:
        error = raised
    finally:
        after = thread_probe()
        nested_cores.reset(token)
        if keeper is not None:
            emitted = keeper.stop()
    return Outcome(
        values,
        error,
        wall=(after[0] - wall) / 1e9,
        cpu=(after[1] - cpu) / 1e9,
        process_cpu=(after[2] - process_cpu) / 1e9,
        waits=after[3] - waits,
        emitted=emitted,
    )


_stands: WeakKeyDictionary[Job, Callable[..., Any]] = WeakKeyDictionary()
"""Job -> what stands at its line. No longer than the job: it holds the globals of the caller's module."""


def _standing(job: Job) -> Callable[..., Any]:
    stand = _stands.get(job)
    if stand is None:
        stand = _stands[job] = standing_at(job.line)
    return stand


def _run_plainly(job: Job, chunk: Chunk, values: list[Any], each: Each) -> None:
    """All items at once where the function can do that, else one by one."""
    stand = _standing(job)
    block: RunsBlocks | None = getattr(job.function, "__autopar_block__", None)
    if block is None or not job.repeatable or not stand(block, chunk.items, job.star, job.kwargs, values):
        run_each(stand, bind(job), each(chunk.items), len(chunk.items), values, job.star)


def _run_carefully(job: Job, chunk: Chunk, values: list[Any], each: Each, turn: Turn | None) -> None:
    call = functools.partial(standing_at(job.line), bind(job))
    for index, item in enumerate(each(chunk.items), chunk.start):
        for failures in itertools.count(1):
            if turn is not None:
                turn.begin(index)
            try:
                values.append(call(*item) if job.star else call(item))
            except Exception as error:
                if job.retry.again(error, failures):
                    time.sleep(pause_before(job.retry, failures))
                    continue
                if not job.collect:
                    raise
                values.append(Failure(error))
            break


def pause_before(retry: Retry, failures: int) -> float:
    """Seconds until an item that failed so many times runs again; the program's own random numbers stay as they are."""
    return retry.pause(failures, int.from_bytes(os.urandom(6), "big") / 2**48) if retry.backoff else 0.0
