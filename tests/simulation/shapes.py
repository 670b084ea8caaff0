"""What is simulated: items whose true costs are known, and hosts whose true prices are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from autopar._model.observation import Traits


@dataclass(frozen=True, slots=True)
class Prices:
    """What the host's workers really take, in seconds.

    The middle values are those that ``benchmarks/backend_costs.py`` found, split where planning does not split them:
    a process start is a little of the parent's time and then CPU time of the child, a chunk's way is partly the
    parent's work, one after the other, and partly the worker's.

    Attributes
    ----------
    thread_start, thread_dispatch, thread_item
        Of the caller: starting a thread; handing over a chunk and taking it back; each item in it.
    spawn, boot
        Starting a worker process: of the caller, one at a time; and of the new process.
    fork, settle
        The same where it is forked.
    process_dispatch, process_item, process_byte
        A chunk's way to a process and back, each item in it, and each pickled byte.
    parents_share
        Share of these three that is the caller's own work.
    loop_start, task
        Starting an event loop, and a coroutine's way through it.
    look, plan
        Looking at a function for the first time, and each planning.
    """

    thread_start: float = 120e-6
    thread_dispatch: float = 30e-6
    thread_item: float = 20e-9
    spawn: float = 0.4e-3
    boot: float = 80e-3
    fork: float = 1.4e-3
    settle: float = 5e-3
    process_dispatch: float = 110e-6
    process_item: float = 0.2e-6
    process_byte: float = 4e-9
    parents_share: float = 0.6
    loop_start: float = 200e-6
    task: float = 10e-6
    look: float = 0.5e-3
    plan: float = 0.2e-3


@dataclass(frozen=True, slots=True)
class HostShape:
    """One machine.

    Attributes
    ----------
    cores
        Logical cores, as the program sees them.
    physical
        Of these, how many are whole; the others add ``sibling`` of a core's work each.
    sibling
        See above: 0.3 for a hyperthread, 0 for cores that others use.
    gil
        The interpreter has one.
    noise
        Standard deviation of the logarithm of what an item takes over what it should.
    prices
        What its workers take.
    nodes
        Machines of this shape that a cluster backend could use.
    """

    cores: int
    physical: float = 0.0
    sibling: float = 1.0
    gil: bool = True
    noise: float = 0.0
    prices: Prices = field(default_factory=Prices)
    nodes: int = 1

    def capacity(self, running: float) -> float:
        """Work in a second when so many compute."""
        whole = self.physical or self.cores
        if running <= whole:
            return running
        return whole + self.sibling * (min(running, self.cores) - whole)


@dataclass(frozen=True, slots=True, eq=False)
class WorkShape:
    """The items of one map, each with its own true costs, in seconds alone on an idle machine.

    Attributes
    ----------
    kind
        For the report.
    gil, free, wait
        Of each item: computing with the GIL, computing without, and waiting.
    demand
        Cores that an item's computing without the GIL keeps busy.
    slots, thrash
        What it waits for serves so many at a time, and gets slower by so much for each in its queue.
    outside
        The waits are computing of other processes on this host.
    bandwidth
        Items that the memory can feed at the same time.
    bytes_in, bytes_out
        Pickled size of an item and of its result.
    pickles
        The function and its items can be sent to processes.
    first
        Additional seconds of the first item in each process.
    traits
        What the static analysis would say.
    sized
        The number of items is known beforehand.
    """

    kind: str
    gil: Sequence[float]
    free: Sequence[float]
    wait: Sequence[float]
    demand: float = 1.0
    slots: float = math.inf
    thrash: float = 0.0
    outside: bool = False
    bandwidth: float = math.inf
    bytes_in: float = 10.0
    bytes_out: float = 10.0
    pickles: bool = True
    first: float = 0.0
    traits: Traits = field(default_factory=lambda: Traits("simulated.item"))
    sized: bool = True

    def __len__(self) -> int:
        return len(self.gil)

    @property
    def serial(self) -> float:
        """Seconds of the plain loop, apart from the first item's addition."""
        return sum(self.gil) + sum(self.free) + sum(self.wait)


class Totals:
    """Sums of a shape's items from one position to another."""

    def __init__(self, work: WorkShape) -> None:
        self._sums = [[0.0, *accumulate(part)] for part in (work.gil, work.free, work.wait)]

    def between(self, start: int, end: int) -> tuple[float, float, float]:
        """GIL, free and waiting seconds of the items from ``start`` to before ``end``."""
        gil, free, wait = self._sums
        return gil[end] - gil[start], free[end] - free[start], wait[end] - wait[start]
