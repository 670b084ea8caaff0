"""The ways that a programmer would pick by hand, and what each takes on a simulated machine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from autopar._model.work import Outcome
from tests.simulation.machine import SimulatedMachine
from tests.simulation.shapes import HostShape, Totals, WorkShape

THREADS = (2, 8, 64)
CHUNKS = (1, 8, 32)

CAUTION = 0.9
"""What a way takes at least, by a formula without noise, may be so much too high."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way, fixed before the first item.

    Attributes
    ----------
    backend
        ``"serial"``, ``"threads"`` or ``"processes"``.
    workers, chunksize
        As for ``concurrent.futures``.
    """

    backend: str
    workers: int = 1
    chunksize: int = 1

    def __str__(self) -> str:
        if self.backend == "serial":
            return "serial"
        chunks = f", chunksize {self.chunksize}" if self.chunksize > 1 else ""
        return f"{self.workers} {self.backend}{chunks}"


def ways(host: HostShape, work: WorkShape) -> Iterator[Way]:
    """All hand-picked ways that give the loop's answer."""
    items = len(work)
    yield Way("serial")
    for workers in sorted({*THREADS, host.cores}):
        if workers > 1:
            yield Way("threads", workers)
    if not work.pickles:
        return
    even = math.ceil(items / host.cores)
    for chunksize in sorted({*CHUNKS, even, math.ceil(even / 4), math.ceil(even / 16)}):
        yield Way("processes", host.cores, chunksize)


def best_way(host: HostShape, work: WorkShape, *, warm: bool, seed: int = 0) -> tuple[Way, float]:
    """The fastest of them, and the seconds that it takes.

    A way that by its lower bound cannot be the best is not run.
    """
    totals = Totals(work).between(0, len(work))
    bounds = [(CAUTION * at_least(way, host, work, totals, warm=warm), str(way), way) for way in ways(host, work)]
    best, least = Way("serial"), math.inf
    for bound, _, way in sorted(bounds):
        if bound >= least:
            break
        seconds = run_by_hand(way, host, work, warm=warm, seed=seed, limit=least)
        if seconds < least:
            best, least = way, seconds
    return best, least


def at_least(way: Way, host: HostShape, work: WorkShape, totals: tuple[float, float, float], *, warm: bool) -> float:
    """Seconds below which a way cannot end."""
    gil, free, wait = totals
    prices, items = host.prices, len(work)
    outside = wait if work.outside else 0.0
    computing = (gil + free * work.demand + outside) / host.capacity(host.cores)
    fed = (free + outside) / work.bandwidth
    served = wait / min(work.slots, way.workers)
    if way.backend == "serial":
        return gil + free + wait
    least = max((gil + free + wait) / way.workers, computing, fed, served)
    if way.backend == "threads":
        return max(least, gil if host.gil else 0.0, items * prices.thread_dispatch / 2)
    each_way = (math.ceil(items / way.chunksize) * prices.process_dispatch + items * prices.process_item) / 2
    parents = prices.parents_share * (each_way + items * prices.process_byte * work.bytes_in)
    if host.gil:  # Without it answers are taken in side by side.
        parents += prices.parents_share * (each_way + items * prices.process_byte * work.bytes_out)
    cold = 0.0 if warm else prices.fork + prices.settle + work.first
    # The parent's work and the start of the workers overlap; what comes after them does not.
    return max(least + cold, parents)


def run_by_hand(
    way: Way, host: HostShape, work: WorkShape, *, warm: bool, seed: int = 0, limit: float = math.inf
) -> float:
    """Seconds that a way takes; infinite if it is more than ``limit``."""
    machine = SimulatedMachine(host, work, seed)
    machine.first_paid = warm
    items = len(work)
    if way.backend == "serial":
        for index in range(items):
            machine.item(index)
        return machine.now()
    workers = machine.workers(way.backend, way.workers)
    if warm:
        workers.prewarm(way.workers)
    elif way.backend == "processes":
        workers.fork(min(way.workers, math.ceil(items / way.chunksize)))
    futures: list[Future[Outcome]] = []
    for start in range(0, items, way.chunksize):
        futures.append(workers.submit(start, min(way.chunksize, items - start)))
        if machine.now() > limit:
            return math.inf
    left = iter(futures)
    for future in left:
        while not future.done():
            machine.step()
            if machine.now() > limit:
                return math.inf
        future.result()
    return machine.now()
