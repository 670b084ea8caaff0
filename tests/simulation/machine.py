"""A machine with a virtual clock, for the real engine to run on."""

from __future__ import annotations

import functools
import itertools
import math
import random
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from types import CodeType
from typing import Any

from autopar._engine.beside import Story
from autopar._engine.functions import ArgumentTypes, FunctionState
from autopar._engine.task import pools_used
from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._model.observation import Host, Sample, Traits
from autopar._model.plan import Plan
from autopar._model.work import Outcome, Pending, Pool
from autopar._observe.pickled_size import PickledSize
from autopar.errors import TransportError, UnavailableError
from tests.simulation.events import SWITCH_INTERVAL, Action, Calendar, Processor, Server, Use
from tests.simulation.shapes import HostShape, Totals, WorkShape

WAITS_AFTER = 20e-6
"""Seconds from which a wait makes the thread give up its core, so that the system counts it."""


NOTHING = Use(0.0, 0.0)


class SimulatedMachine:
    """One program on one host, which maps one function over one kind of items.

    The caller's thread is whoever calls a method here: while it computes or waits, the virtual clock moves, and what
    the workers finish meanwhile is noted.

    Parameters
    ----------
    host, work
        What is simulated.
    seed
        Of the noise.
    """

    def __init__(self, host: HostShape, work: WorkShape, seed: int = 0) -> None:
        self.shape, self.work = host, work
        self.totals = Totals(work)
        self.calendar = Calendar()
        self.processor = Processor(self.calendar, host.capacity, host.cores, work.demand, work.bandwidth)
        self.server = Server(self.calendar, work.slots, work.thrash)
        self.pools: dict[str, SimulatedWorkers] = {}
        self.missed = 0.0
        self.first_paid = False
        self._random = random.Random(seed)
        self._items_with_gil = 0
        self._story: Telling | None = None
        self.telling = False
        self._asleep = False
        self._cpu = self._process_cpu = 0.0
        self._switches = 0

    # -- the engine's view ------------------------------------------------------------------------------------------

    @property
    def probe(self) -> Callable[[], tuple[int, int, int, int, int]]:
        return self._probe

    @contextmanager
    def beside(self, story: Story) -> Iterator[None]:
        self._story = Telling(self, story)
        try:
            yield
        finally:
            self._story.over = True
            self._story = None

    def now(self) -> float:
        return self.calendar.now

    def host(self) -> Host:
        return Host(
            cores=self.shape.cores,
            cores_why="simulated",
            logical_cores=self.shape.cores,
            gil=self.shape.gil,
            python="3.13.0",
            platform="linux",
            unavailable=dict.fromkeys(("multiprocessing", "joblib", "interpreters", "dask"), "not simulated"),
        )

    def threads_left(self) -> int:
        return 1024

    def modules(self) -> int:
        return 0

    def warm_workers(self) -> Mapping[str, int]:
        self.compute(self.shape.prices.plan)  # every planning asks this once
        return {name: workers.alive for name, workers in self.pools.items()}

    def forkable(self, ending: int = 0) -> bool:
        return not any(workers.alive for workers in self.pools.values())

    def open(self, plan: Plan) -> Pool:
        workers = self.workers(plan.backend, plan.workers)
        if plan.backend == "processes" and self.forkable():
            workers.fork(plan.workers)
        queued = 2 if plan.backend == "processes" else 1
        return SimulatedPool(workers, queued * plan.workers)

    def look_at_cluster(self, settings: Settings, cores: int) -> tuple[Any, Cluster]:
        raise UnavailableError("this simulated machine has no cluster")

    def open_on(self, plan: Plan, cluster: Any, settings: Settings) -> Pool:
        raise UnavailableError("this simulated machine has no cluster")

    def completions(self) -> SimulatedCompletions:
        return SimulatedCompletions(self)

    def pickled_size(self, value: Any) -> PickledSize:
        if not self.work.pickles:
            return PickledSize(None, "simulated items do not pickle")
        return PickledSize(int(self.work.bytes_in if isinstance(value, tuple) else self.work.bytes_out))

    def shared_size(self, values: Iterable[Any]) -> float:
        return 0.0

    # -- the simulated program --------------------------------------------------------------------------------------

    def workers(self, backend: str, limit: int) -> SimulatedWorkers:
        """The one set of workers of a backend, with room for at least so many."""
        known = self.pools.setdefault(backend, SimulatedWorkers(self, backend))
        known.limit = max(known.limit, limit)
        return known

    def item(self, index: int) -> int:
        """Run one item in the caller's thread."""
        work = self.work
        first = 0.0 if self.first_paid else work.first
        self.first_paid = True
        gil, free, wait = work.gil[index] + first, work.free[index], work.wait[index]
        if self.quiet and self._story is None:
            # The usual case, at a fraction of the price of events.
            factor = self.noise()
            slow = factor * self._alone
            gil, free = factor * gil, slow * free
            self.calendar.now += gil + free + wait
            self._cpu += gil + free
            self._process_cpu += gil + free * work.demand
            self._switches += wait > WAITS_AFTER
        else:
            ended: list[Outcome] = []
            if self._story is not None:
                self._story.begin(gil + free)
            self.run(index, index + 1, ended.append, first=first)
            self.until(lambda: bool(ended))
            self._cpu += ended[0].cpu
            self._process_cpu += ended[0].process_cpu
            self._switches += ended[0].waits
        return index

    def compute(self, seconds: float) -> None:
        """Let the caller's thread work for the pools, in Python."""
        if seconds <= 0:
            return
        if self.quiet:
            self.calendar.now += seconds
            self._count(seconds)
            return
        ended: list[Use] = []

        def begin() -> None:
            if self.shape.gil:
                self.processor.take_gil(seconds, ended.append)
            else:
                self.processor.compute_aside(seconds, ended.append)

        # Once awake, the caller's thread keeps the GIL for what little it does before it waits again.
        if self._asleep:
            self.claim(begin)
        else:
            begin()
        self.until(lambda: bool(ended))
        self._asleep = False
        self._count(ended[0].cpu)

    def ended(self) -> None:
        """Some chunk is over: who waits for that beside the caller's thread may go on."""
        if self._story is not None:
            self._story.hear()

    def _count(self, cpu: float) -> None:
        self._process_cpu += cpu
        if not self.telling:
            self._cpu += cpu

    def threads_cpu(self, seconds: float) -> None:
        """A thread beside the caller's has computed so long."""
        self._process_cpu += seconds

    def claim(self, action: Action) -> None:
        """Do something as soon as a thread of the parent gets the GIL for a moment."""
        if self._items_with_gil:
            stretch = min(SWITCH_INTERVAL, self._gil_mean)
            self.calendar.after(stretch * self._random.random(), action)
        else:
            action()

    def take_in(self, seconds: float, action: Action) -> None:
        """Let another thread of the parent work for the pools in Python, and then do something."""
        if self.shape.gil:
            self.processor.compute(seconds, lambda _: action(), gil=True)
        else:
            self.processor.compute_aside(seconds, lambda _: action())

    def run(self, start: int, end: int, done: Callable[[Outcome], None], *, first: float = 0.0) -> None:
        """Start a chunk of items on a thread of the program."""
        gil, free, wait = self.totals.between(start, end)
        factor = self.noise(end - start)
        if self.shape.gil:
            steps = [("gil", factor * (gil + first)), ("free", factor * free), ("wait", wait)]
        else:
            steps = [("free", factor * (gil + first + free)), ("wait", wait)]
        self._follow(start, end, steps, factor, done)

    def run_apart(self, start: int, end: int, way: float, done: Callable[[Outcome], None]) -> None:
        """Start a chunk of items in a process of its own, whose part of the chunk's way takes ``way`` seconds."""
        gil, free, wait = self.totals.between(start, end)
        factor = self.noise(end - start)
        items = factor * (gil + free)
        share = items / (items + way) if items > 0 else 0.0

        def without_way(outcome: Outcome) -> None:
            outcome.wall -= (1 - share) * outcome.cpu
            outcome.cpu *= share
            done(outcome)

        self._follow(start, end, [("free", items + way), ("wait", wait)], factor, without_way)

    def _follow(
        self, start: int, end: int, parts: list[tuple[str, float]], factor: float, done: Callable[[Outcome], None]
    ) -> None:
        """Go through the parts of a chunk one after another."""
        began, cpu, process_cpu, turns = self.calendar.now, 0.0, 0.0, 0.0
        demand = self.work.demand
        steps = deque(part for part in parts if part[1] > 0)
        wait = parts[-1][1]
        waits = sum(1 for index in range(start, end) if self.work.wait[index] > WAITS_AFTER) if wait > 0 else 0

        def following(use: Use = NOTHING, cores: float = 1.0) -> None:
            nonlocal cpu, process_cpu, turns
            cpu, process_cpu, turns = cpu + use.cpu, process_cpu + cores * use.cpu, turns + use.waits
            if not steps:
                wall, values = self.calendar.now - began, list(range(start, end))
                waited = waits + math.ceil(turns - 1e-9)
                done(Outcome(values, wall=wall, cpu=cpu, waits=waited, process_cpu=process_cpu))
                return
            kind, seconds = steps.popleft()
            if kind == "gil":
                self._items_with_gil += 1
                self.processor.compute(seconds, released, gil=True)
            elif kind == "free":
                self.processor.compute(seconds, lambda use: following(use, demand), gil=False)
            elif self.work.outside:
                self.processor.compute(factor * seconds, lambda _: following(), gil=False)
            else:
                self.server.ask(seconds, following)

        def released(use: Use) -> None:
            self._items_with_gil -= 1
            following(use)

        following()

    def noise(self, items: int = 1) -> float:
        """What a run of items takes over what it should; among many, noise evens out."""
        sigma = self.shape.noise
        return self._random.lognormvariate(0.0, sigma / math.sqrt(items)) if sigma else 1.0

    @property
    def quiet(self) -> bool:
        """Nothing is under way but the caller's thread."""
        return self.processor.idle and math.isinf(self.calendar.next)

    def step(self) -> bool:
        """Go to the next event; False if there is none."""
        calendar, processor = self.calendar, self.processor
        if processor.next < calendar.next:
            processor.pop()()
        elif math.isinf(calendar.next):
            return False
        else:
            calendar.pop()()
        return True

    def until(self, reached: Callable[[], bool]) -> None:
        """Let time pass.

        Raises
        ------
        RuntimeError
            Nothing is under way that could bring it about.
        """
        while not reached():
            self._asleep = True
            if not self.step():
                raise RuntimeError("the simulated program waits for something that will never come")

    @property
    def _alone(self) -> float:
        """What one item takes over its costs because it wants more cores than there are."""
        demand = self.work.demand
        return demand / min(self.shape.capacity(demand), self.work.bandwidth * demand) if demand > 1 else 1.0

    @property
    def _gil_mean(self) -> float:
        return self.totals.between(0, len(self.work))[0] / len(self.work)

    def _probe(self) -> tuple[int, int, int, int, int]:
        now, cpu, process = self.calendar.now, self._cpu, self._process_cpu
        return int(now * 1e9), int(cpu * 1e9), int(process * 1e9), self._switches, 0


class Telling:
    """What happens beside the caller's item: on a thread in truth, here from event to event.

    Attributes
    ----------
    over
        The caller's thread is back.
    """

    def __init__(self, machine: SimulatedMachine, story: Story) -> None:
        self.over = False
        self._machine = machine
        self._story = story
        self._steps = story.steps(self)
        self._began = machine.now()
        self._computes = 0.0
        self._listens = False
        self._pools = [0]
        self._context = copy_context()

    def begin(self, computes: float) -> None:
        """The caller's item starts, with so many seconds of computing before it waits."""
        self._computes = computes
        self._go_on()

    def sample(self) -> Sample:
        """What the caller's item has taken so far."""
        wall = self._machine.now() - self._began
        return Sample(1, wall, min(wall, self._computes), None, int(wall > self._computes + WAITS_AFTER))

    def hear(self) -> None:
        """A chunk has come back."""
        if self._listens:
            self._listens = False
            self._machine.calendar.after(0.0, self._take_back)

    def _take_back(self) -> None:
        if not self.over:
            self._aside(self._story.wait)
            self._go_on()

    def _go_on(self) -> None:
        if self.over:
            return
        waits: list[float | None] = []
        self._aside(lambda: waits.extend(itertools.islice(self._steps, 1)))
        if waits and waits[0] is not None:
            self._machine.calendar.after(waits[0], self._go_on)
        elif waits:
            self._listens = True

    def _aside(self, action: Action) -> None:
        """What this thread computes, its context and the pools that it opens are not those of the caller's item."""
        before, pools_used.box, self._machine.telling = pools_used.box, self._pools, True
        try:
            self._context.copy().run(action)
        finally:
            pools_used.box, self._machine.telling = before, False


class SimulatedFunction(FunctionState):
    """The mapped function: its calls take the time of its items, and its analysis says what the shape says."""

    def __init__(self, machine: SimulatedMachine) -> None:
        super().__init__(machine.item)
        self._machine = machine
        self._looked_at = False
        self.witnessed = self.hinted = True
        self.memory.code = secrets.token_hex(8)  # no other shape's function, in whatever process, is this one

    def traits(self, types: ArgumentTypes | None = None) -> Traits:
        if not self._looked_at:
            self._looked_at = True
            self._machine.compute(self._machine.shape.prices.look)
        return self._machine.work.traits

    def followed_codes(self) -> tuple[CodeType, ...] | None:
        return self._machine.work.traits.report.codes if self._looked_at else None

    def reference(self) -> tuple[str, str] | None:
        return None

    def carried(self) -> list[Any]:
        return []

    def shared_globals(self) -> dict[tuple[str, str], Any]:
        return {}


class SimulatedFuture(Future[Outcome]):
    """A chunk under way; to wait for it lets virtual time pass, and to take it costs the caller ``taking`` seconds."""

    def __init__(self, machine: SimulatedMachine) -> None:
        super().__init__()
        self._machine = machine
        self.started: float | None = None
        self.taking = 0.0

    def result(self, timeout: float | None = None) -> Outcome:
        self._machine.until(self.done)
        self._machine.compute(self.taking)
        return super().result(0)


class SimulatedCompletions:
    """A queue whose reader lets virtual time pass."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine
        self._ended: deque[Pending] = deque()

    def put(self, item: Pending, /) -> None:
        self._ended.append(item)
        self._machine.ended()

    def wait(self, enough: int, timeout: float | None) -> list[Pending]:
        machine = self._machine
        late: list[bool] = []
        # Whoever waits has a core here, and threads are not kept from theirs: it wakes for each, and none lingers.
        if timeout is not None and enough == 1:
            machine.calendar.after(timeout, lambda: late.append(True))
        machine.until(lambda: bool(self._ended or late))
        return self.take()

    def take(self) -> list[Pending]:
        taken = []
        while self._ended:
            taken.append(self._ended.popleft())
            self._machine.compute(getattr(taken[-1], "taking", 0.0))
        return taken


class SimulatedPool:
    """One map's view of a backend's workers."""

    def __init__(self, workers: SimulatedWorkers, capacity: int) -> None:
        self._workers = workers
        self.capacity = capacity

    def submit(self, chunk: Any) -> Future[Outcome]:
        self._workers.check_that_it_travels()
        return self._workers.submit(chunk.start, len(chunk.items))

    def admit(self, limit: int) -> int:
        return limit

    def abandon(self, future: Future[Outcome]) -> bool:
        return future.cancel()

    def close(self) -> None:
        pass


class SimulatedWorkers:
    """Threads or processes that take chunks from one queue, as :class:`autopar._backends.pool.WorkerPool` has them.

    Attributes
    ----------
    alive, limit
        Workers that there are, the starting ones included, and the most that there may be.
    """

    def __init__(self, machine: SimulatedMachine, backend: str) -> None:
        self._machine = machine
        self._own = backend == "threads"
        self._prices = machine.shape.prices
        self._backlog: deque[tuple[SimulatedFuture, int, int]] = deque()
        self._idle = 0
        self.alive = 0
        self.limit = 0
        self._spawning_until = 0.0

    def prewarm(self, count: int) -> None:
        """Have so many workers running, all of which have run an item."""
        self.alive = self._idle = self.limit = count

    def check_that_it_travels(self) -> None:
        """Raise what a real pool raises where a chunk does not pickle."""
        if not (self._own or self._machine.work.pickles):
            raise TransportError("simulated items do not pickle")

    def fork(self, count: int) -> None:
        """Start so many processes as copies of this one, which have imported what it has."""
        machine, prices = self._machine, self._prices
        self.alive += count
        imports = 0.0 if machine.first_paid else machine.work.first
        for _ in range(count):
            machine.compute(prices.fork + prices.thread_start)
            machine.processor.compute_aside(prices.settle + imports, lambda _: self._take())

    def submit(self, start: int, items: int) -> SimulatedFuture:
        """Hand over a chunk; the caller's part of its way is the caller's time."""
        machine, prices = self._machine, self._prices
        future = SimulatedFuture(machine)
        if self._own:
            future.taking = prices.thread_dispatch / 2
            machine.compute(prices.thread_dispatch / 2 + prices.thread_item * items)
        else:
            sent = prices.process_item / 2 * items + prices.process_byte * machine.work.bytes_in * items
            machine.compute(prices.parents_share * (prices.process_dispatch / 2 + sent))
        self._backlog.append((future, start, items))
        if self._idle >= len(self._backlog):
            self._idle -= 1
            self._take()
        elif self.alive < self.limit:
            self.alive += 1
            self._start()
        return future

    def _start(self) -> None:
        """A new worker: a thread that at once takes a chunk, for which it may have to start a process."""
        machine, prices = self._machine, self._prices
        machine.compute(prices.thread_start)
        if self._own:
            machine.calendar.after(0.0, self._take)
        else:
            machine.calendar.after(0.0, lambda: self._take(self._boot))

    def _boot(self, then: Action) -> None:
        """Spawn a process, one at a time, which imports what it needs."""
        machine, prices = self._machine, self._prices
        turn = max(machine.now(), self._spawning_until) + prices.spawn
        self._spawning_until = turn
        imports = prices.boot + machine.work.first
        machine.calendar.after(turn - machine.now(), lambda: machine.processor.compute_aside(imports, lambda _: then()))

    def _take(self, prepare: Callable[[Action], None] | None = None) -> None:
        """A free worker takes the next chunk that is still wanted."""
        while self._backlog:
            chunk = self._backlog.popleft()
            if not chunk[0].set_running_or_notify_cancel():
                continue
            if prepare is None:
                self._run(*chunk)
            else:
                prepare(functools.partial(self._run, *chunk))
            return
        self._idle += 1

    def _run(self, future: SimulatedFuture, start: int, items: int) -> None:
        machine, prices = self._machine, self._prices
        if not items:
            self._end(future, Outcome([]))
            return
        if self._own:
            first = 0.0 if machine.first_paid else machine.work.first
            machine.first_paid = True
            future.started = machine.now()
            machine.run(start, start + items, lambda outcome: self._end_here(future, outcome), first=first)
            return
        work = machine.work
        sides = 1.0 - prices.parents_share
        way = sides * (
            prices.process_dispatch
            + items * (prices.process_item + prices.process_byte * (work.bytes_in + work.bytes_out))
        )

        def answer(outcome: Outcome) -> None:
            back = prices.process_dispatch / 2 + items * (
                prices.process_item / 2 + prices.process_byte * work.bytes_out
            )
            parent = prices.parents_share * back
            machine.claim(lambda: machine.take_in(parent, lambda: self._end(future, outcome)))

        future.started = machine.now()
        machine.run_apart(start, start + items, way, answer)

    def _end_here(self, future: SimulatedFuture, outcome: Outcome) -> None:
        """What threads take is CPU time of the program's own process."""
        self._machine.threads_cpu(outcome.process_cpu)
        self._end(future, outcome)

    def _end(self, future: SimulatedFuture, outcome: Outcome) -> None:
        future.set_result(outcome)
        self._take()
