"""Predicted seconds of a plan, from the workload and the costs of its backend."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from autopar._model.light_dataclass import dataclass
from autopar._model.plan import BACKENDS, Plan
from autopar._model.workload import Kind
from autopar._plan.chunks import chunk_seconds
from autopar._plan.costs import Costs
from autopar._plan.situation import Situation

UNKNOWN_GIL_SHARE = 1.0
"""A share nobody measured is priced as if threads gained nothing; a race on real items finds out where that matters."""


MEASURED_CORES = 2
"""Cores on which the start of a worker process was measured: as many start side by side, and more on more cores."""

LEAST_SECOND = 0.5
"""Least that a second worker is thought to add. A trial that shows less was as likely made at a busy moment, and what
comes of a plan corrects the next one. Unmeasured."""

RELEASING_GIL_SHARE = 0.2
"""A share nobody measured of a function that seems to release the GIL. A guess, until a race."""


@dataclass(frozen=True, slots=True)
class Load:
    """The work to price.

    Attributes
    ----------
    items
        How many.
    each
        Wall seconds of an item alone.
    busy
        Core seconds of an item: its CPU time, and for computing items also the time other programs took from it.
    gil
        Seconds of an item during which it holds the GIL.
    transport
        Pickled bytes of an item and its result.
    shared
        Pickled bytes that travel with the function, once to each worker.
    objects
        Objects that pickle meets in an item and its result.
    """

    items: int
    each: float
    busy: float
    gil: float
    transport: float = 0.0
    shared: float = 0.0
    objects: float = 0.0


def load(situation: Situation) -> Load:
    """The work that is left, in the model's terms."""
    workload = situation.workload
    each = workload.seconds_per_item
    computes = workload.kind in (Kind.CPU, Kind.TINY)
    busy = max(each, workload.cpu_per_item) if computes else workload.cpu_per_item
    busy = min(busy, each * max(1, situation.host.cores))  # more is another thread's
    share = workload.gil_share
    if share is None:
        share = RELEASING_GIL_SHARE if seems_to_release(situation) else UNKNOWN_GIL_SHARE
    profile = situation.profile
    # Threads that an item runs by itself do not hold the GIL besides it.
    own = min(busy, each) if workload.cores_per_item > 1.0 else busy
    return Load(
        items=situation.items,
        each=each,
        busy=busy,
        gil=min(each, own * share),
        transport=(profile.bytes_in or 0.0) + (profile.bytes_out or 0.0),
        shared=profile.bytes_shared or 0.0,
        objects=profile.objects or 0.0,
    )


def seems_to_release(situation: Situation) -> bool:
    """It calls what is known to release the GIL, or works on several cores at once, which nothing can that holds it."""
    return bool(situation.traits.releasing_calls) or situation.workload.cores_per_item > 1.0


def predict(plan: Plan, work: Load, situation: Situation) -> float:
    """Seconds until the last of the items is done, for a plan with a backend that has a price.

    Raises
    ------
    KeyError
        No price is known for the plan's backend.
    """
    return _PRICES[plan.backend](plan, work, situation)


def priced(backend: str) -> bool:
    """A price is known for plans of this backend."""
    return backend in _PRICES


def throughput_time(each: float, gil: float, workers: int) -> float:
    """Seconds between completions when ``workers`` threads share one GIL.

    A closed network of one queue (the GIL, ``gil`` seconds a visit) and one delay (the rest of the item): the
    response of the queue grows with the share of the other workers met there, and never falls below saturation. Exact
    for one and two workers; Lazowska et al., Quantitative System Performance (1984), chapter 5.
    """
    if each <= 0:
        return 0.0
    met = (workers - 1) * gil / each
    return max(each - gil + gil * (1.0 + met), workers * gil) / workers


def cold_start(costs: Costs, workers: int, cores: int, *, fork: bool) -> float:
    """Seconds until so many worker processes are there, where none was."""
    return (costs.fork_base if fork else costs.process_base) + _start(costs, workers, cores, fork=fork)


def _start(costs: Costs, workers: int, cores: int, *, fork: bool = False) -> float:
    """The caller's part comes for one after the other; the rest is the new processes' own work, side by side."""
    call, each = (costs.fork_call, costs.fork_start) if fork else (costs.process_call, costs.process_start)
    return workers * (call + max(0.0, each - call) * MEASURED_CORES / cores)


def climb_start(backend: str, cores: int, best: int | None, costs: Costs) -> int:
    """Items under way at which adaptive concurrency begins: where it ended the last time, if that was more.

    A process on each core is what a pool has without being told, so fewer would only lose.
    """
    return max(costs.climb_start if BACKENDS[backend].same_process else cores, best or 1)


def _serial(plan: Plan, work: Load, situation: Situation) -> float:
    return work.items * work.each


def _threads(plan: Plan, work: Load, situation: Situation) -> float:
    costs = situation.costs
    workers = min(plan.workers, max(1, work.items))
    start = _to_start("threads", workers, situation.warm) * costs.thread_start
    chunk = _chunk(plan, work, workers, costs.thread_dispatch)
    dispatch = work.items / chunk * costs.thread_dispatch + work.items * costs.thread_item
    cores = _cores(work, workers, situation.cores, costs.second_thread)
    shared = work.items * max(throughput_time(work.each, work.gil, workers), work.busy / cores)
    alone = _rounds(plan, work.items, workers, situation) * _side_by_side(work, workers, situation.cores, cores)
    return start + dispatch + max(shared, alone)


def _asyncio(plan: Plan, work: Load, situation: Situation) -> float:
    costs = situation.costs
    workers = min(plan.workers, max(1, work.items))
    alone = _rounds(plan, work.items, workers, situation) * work.each
    return costs.async_start + work.items * costs.async_dispatch + max(work.items * work.busy, alone)


def _processes(plan: Plan, work: Load, situation: Situation) -> float:
    costs = situation.costs
    workers = min(plan.workers, max(1, work.items))
    missing = _to_start("processes", workers, situation.warm)
    chunk = _chunk(plan, work, workers, costs.lost_with_a_chunk(same_process=False))
    dispatch = work.items / chunk * costs.process_dispatch
    transport = work.items * (costs.process_item + _way(work, costs.process_byte, costs))
    transport += workers * work.shared * costs.process_byte
    items = _on_processes(plan, work, workers, situation)
    if missing == workers:
        items += cold_start(costs, workers, situation.cores, fork=situation.forkable)
    elif missing:
        # Only a first pool is forked: once it has threads to serve it, no worker can be. Those that are there go on.
        start = cold_start(costs, missing, situation.cores, fork=False)
        few = _on_processes(plan, work, workers - missing, situation)
        items = few if few <= start else start + items * (1.0 - start / few) + missing * costs.process_call
    return dispatch + transport + items


def _way(work: Load, byte: float, costs: Costs) -> float:
    """Seconds of an item's way there and back: a large one's by its bytes, that of many small objects by these."""
    return max(work.transport * byte, work.objects * costs.process_object)


def _on_processes(plan: Plan, work: Load, workers: int, situation: Situation) -> float:
    """Seconds of the items themselves on so many processes."""
    cores = _cores(work, workers, situation.cores, situation.costs.second_process)
    alone = _rounds(plan, work.items, workers, situation) * _side_by_side(work, workers, situation.cores, cores)
    return max(alone, work.items * work.busy / cores)


def _dask(plan: Plan, work: Load, situation: Situation) -> float:
    """A pool of processes behind a scheduler, through which every chunk passes and every byte of it.

    Waits, which take no core, overlap as far as there are workers; what computes has the cores that others leave.
    """
    cluster = situation.cluster
    if cluster is None:
        return math.inf
    costs = situation.costs
    workers = min(plan.workers, max(1, work.items))
    cold = 0.0 if cluster.warm else costs.process_base + costs.process_start
    chunk = _chunk(plan, work, workers, cluster.chunk)
    dispatch = cluster.round_trip + work.items / chunk * cluster.dispatch
    transport = work.items * (costs.process_item + _way(work, cluster.byte, costs))
    transport += min(workers, cluster.workers) * work.shared * cluster.byte
    alone = _rounds(plan, work.items, workers, situation) * work.each
    busy = work.items * work.busy / min(workers, cluster.free)
    return cold + dispatch + transport + max(alone, busy) / cluster.speed


def _multiprocessing(plan: Plan, work: Load, situation: Situation) -> float:
    """Forked anew for each map, through a fork server; what the function carries is there already."""
    afresh = replace(situation, forkable=True, warm={})
    return situation.costs.fork_call + _processes(plan, replace(work, shared=0.0), afresh)


def _interpreters(plan: Plan, work: Load, situation: Situation) -> float:
    """As processes that cannot be forked, with a start of their own."""
    costs = replace(
        situation.costs, process_base=situation.costs.interpreter_base, process_start=situation.costs.interpreter_start
    )
    warm = {"processes": situation.warm.get("interpreters", 0)}
    return _processes(plan, work, replace(situation, costs=costs, forkable=False, warm=warm))


def _joblib(plan: Plan, work: Load, situation: Situation) -> float:
    """As processes that cannot be forked, at the prices of loky's executor."""
    own = situation.costs
    costs = replace(
        own, process_base=own.joblib_base, process_start=own.joblib_start, process_dispatch=own.joblib_dispatch
    )
    warm = {"processes": situation.warm.get("joblib", 0)}
    return _processes(plan, work, replace(situation, costs=costs, forkable=False, warm=warm))


_PRICES: Mapping[str, Callable[[Plan, Load, Situation], float]] = {
    "serial": _serial,
    "threads": _threads,
    "asyncio": _asyncio,
    "processes": _processes,
    "dask": _dask,
    "multiprocessing": _multiprocessing,
    "interpreters": _interpreters,
    "joblib": _joblib,
}


def _cores(work: Load, workers: int, cores: int, second: float) -> float:
    """Work that so many workers get done in a second, in seconds of a core alone."""
    return 1.0 + (_used(work, workers, cores) - 1.0) * max(LEAST_SECOND, min(1.0, second))


def _used(work: Load, workers: int, cores: int) -> float:
    """Cores that so many workers keep busy; an item may have threads of its own."""
    return max(1.0, min(cores, workers * max(1.0, work.busy / work.each if work.each > 0 else 1.0)))


def _side_by_side(work: Load, workers: int, cores: int, worth: float) -> float:
    """Seconds of one item while the other workers compute too, on cores that are together worth less than alone."""
    return work.each + min(work.busy, work.each) * (_used(work, workers, cores) / worth - 1.0)


def _to_start(backend: str, workers: int, warm: Mapping[str, int]) -> int:
    return max(0, workers - warm.get(backend, 0))


def _chunk(plan: Plan, work: Load, workers: int, dispatch: float) -> float:
    """Items of a typical chunk: what the plan says, else by time, and never fewer chunks than workers."""
    if plan.chunksize is not None:
        return float(plan.chunksize)
    by_time = chunk_seconds(dispatch, workers) / work.each if work.each > 0 else 1.0
    return max(1.0, min(by_time, work.items / (2 * workers)))


def _rounds(plan: Plan, items: int, workers: int, situation: Situation) -> int:
    """Items that follow one another on the busiest worker; adaptive concurrency doubles with each of them."""
    if not plan.adaptive:
        return math.ceil(items / workers)
    best = situation.profile.best_concurrency
    limit = min(workers, climb_start(plan.backend, situation.cores, best, situation.costs))
    rounds = 0
    while items > 0 and limit < workers:
        items -= limit
        limit = min(workers, 2 * limit)
        rounds += 1
    return rounds + math.ceil(max(0, items) / workers)
