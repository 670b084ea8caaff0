"""The best plan of each backend for the work that is left, with its price and what stands against it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from autopar._model.light_dataclass import dataclass
from autopar._model.plan import BACKENDS, Plan
from autopar._model.workload import Kind
from autopar._plan.eligibility import Barrier, barriers
from autopar._plan.memory import NO_LIMIT, workers_that_fit
from autopar._plan.model import Load, predict, priced
from autopar._plan.situation import Situation

SHARE_HEADROOM = 2
"""Concurrency offered to I/O, as a multiple of what CPU and GIL can keep up with; climbing finds the rest."""

FEWEST_USEFUL = 64
"""Least ceiling for I/O: the first items, on which it rests, also pay for imports and first connections. Unmeasured."""

UNLIMITED = 1 << 62

PROCESSES_PER_CORE = 4
"""Most worker processes on a core, for items that wait and may not use threads: each costs memory. Unmeasured."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One backend with the plan it would take, and what stands against it."""

    plan: Plan
    against: tuple[Barrier, ...]

    @property
    def cost(self) -> float:
        return math.inf if self.plan.predicted is None else self.plan.predicted


def best_plan(name: str, situation: Situation, work: Load) -> Rival:
    """The best plan of one backend, also where a hint would have to open it; without a price where none could."""
    against = barriers(name, situation)
    if not all(barrier.lifts for barrier in against):
        return Rival(Plan(backend=name), against)
    plans = [with_cost(plan, situation, work) for plan in _plans(name, situation, work)]
    return Rival(min(plans, key=lambda plan: math.inf if plan.predicted is None else plan.predicted), against)


def with_cost(plan: Plan, situation: Situation, work: Load) -> Plan:
    if not situation.measured or not priced(plan.backend):
        return plan
    own = BACKENDS[plan.backend].same_process or plan.backend == "dask"
    alike = 1.0 if own else situation.corrections.get("processes", 1.0)  # what slows one kind of process slows all
    correction = situation.corrections.get(plan.backend, alike)
    loading = situation.loading.get(plan.backend, 0.0)
    return replace(plan, predicted=correction * predict(plan, work, situation) + loading)


def _plans(name: str, situation: Situation, work: Load) -> Iterator[Plan]:
    """Plans of one backend, differing in workers."""
    if name == "serial":
        yield Plan()
        return
    settings = situation.settings
    waiting = waits(situation)
    most, adaptive = _most_workers(name, situation, work, waiting)
    fitting = workers_for_memory(name, situation, work)
    most = max(1, min(most, fitting if settings.workers is None else settings.workers))
    chunksize = 1 if settings.timeout is not None else settings.chunksize
    if chunksize is None and name != "dask" and (waiting or name == "asyncio"):
        chunksize = 1
    widths = {most}
    if name == "processes" and adaptive:
        widths.add(min(most, situation.cores))  # each process more costs its start
    if not adaptive and name != "asyncio":
        widths |= {2**k for k in range(1, most.bit_length()) if 2**k < most}
        if name == "processes" and settings.workers is None and most < work.items <= 2 * most:
            # A worker for each of a few items shares the cores evenly; one for each core would leave some idle at last.
            widths.add(min(work.items, fitting))
        widths |= {there for there in (situation.warm.get(name, 0),) if 1 < there < most}
    for workers in sorted(widths):
        yield Plan(backend=name, workers=workers, chunksize=chunksize, adaptive=adaptive and workers > 1)


def workers_for_memory(name: str, situation: Situation, work: Load) -> int:
    """Workers of a backend for which there is memory."""
    spec = BACKENDS[name]
    if spec.same_process or name == "dask":
        return NO_LIMIT
    shared = 0.0 if spec.inherits else work.shared
    return workers_that_fit(situation.host.memory, shared, work.transport)


def waits(situation: Situation) -> bool:
    """Concurrency is to be found by climbing: the items wait, or a demand comes before anything is measured."""
    workload = situation.workload
    if workload.kind in (Kind.IO, Kind.MIXED):
        return True
    return not situation.measured and workload.gil_share is None


def _most_workers(name: str, situation: Situation, work: Load, waiting: bool) -> tuple[int, bool]:
    """The most workers that could help, and whether concurrency climbs towards it."""
    costs = situation.costs
    cores = max(situation.cores, 2) if situation.settings.eager else situation.cores
    # Climbing costs nothing where few items come; where many do, a ceiling from those seen so far would be too low.
    to_come = work.items if situation.remaining is not None else UNLIMITED
    if name == "asyncio":
        # A loop holds many waiting tasks as cheaply as few, and gather(), the usual way, starts them all at once.
        return min(work.items, costs.async_ceiling), False
    if name == "dask":
        return min(to_come, 1 if situation.cluster is None else situation.cluster.cores), False
    if not BACKENDS[name].same_process:
        keep_up = cores * work.each / work.busy if waiting and work.busy > 0 else cores
        useful = max(cores, math.ceil(min(keep_up, PROCESSES_PER_CORE * cores)))
        return (min(to_come, useful), True) if waiting else (min(work.items, useful), False)
    budget = situation.threads + situation.warm.get("threads", 0)
    if not waiting:
        return min(work.items, cores, budget), False
    keep_up = min(
        work.each / work.gil if work.gil > 0 else math.inf,
        situation.cores * work.each / work.busy if work.busy > 0 else math.inf,
    )
    useful = costs.io_ceiling if math.isinf(keep_up) else max(FEWEST_USEFUL, math.ceil(SHARE_HEADROOM * keep_up))
    return min(to_come, budget, costs.io_ceiling, useful), True


def clearly_better(plan: Plan, serial: float, situation: Situation) -> bool:
    """Better by a share, and by what may come between: less where no worker has to be started."""
    costs, cost = situation.costs, math.inf if plan.predicted is None else plan.predicted
    there = situation.warm.get(plan.backend, 0) >= plan.workers
    return cost < serial * (1.0 - costs.margin) and cost < serial - (
        costs.warm_margin_seconds if there else costs.margin_seconds
    )
