"""Virtual time: a calendar of events, and cores and a GIL that running jobs share.

Jobs that compute share the cores equally (processor sharing): each progresses at ``capacity(n) / n`` when ``n`` are on
the cores. Of those that need the GIL of the simulated program one is on a core at a time; they take equal turns, since
the interpreter makes them switch. Nothing here waits or reads a clock.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

Action = Callable[[], None]

SWITCHING = 0.97
"""Share of the GIL's time that is left for work where several threads want it. Assumed."""


SWITCH_INTERVAL = 5e-3
"""Seconds after which CPython makes a thread give up the GIL to one that wants it (sys.getswitchinterval)."""


class Use(NamedTuple):
    """What the system counts for a job: CPU seconds, and turns in which it had to wait for the GIL."""

    cpu: float
    waits: float


Done = Callable[[Use], None]


class Calendar:
    """Events in order of time; those of the same time in the order in which they were entered."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, action: Action) -> None:
        """Do something so much later."""
        heapq.heappush(self._events, (self.now + max(0.0, seconds), next(self._numbers), action))

    @property
    def next(self) -> float:
        """Time of the next event; infinite if there is none."""
        return self._events[0][0] if self._events else math.inf

    def pop(self) -> Action:
        """Go to the next event and return what is to be done."""
        time, _, action = heapq.heappop(self._events)
        self.now = max(self.now, time)
        return action


class _Share:
    """Jobs that progress at one common rate: who ends first is known from the work alone."""

    def __init__(self) -> None:
        self.jobs: list[tuple[float, int, Use, Done]] = []
        self.rate = self.cpu_rate = 1.0
        self.wait_rate = 0.0
        self._done = self._cpu = self._waits = 0.0
        self._numbers = itertools.count()

    def add(self, work: float, done: Done) -> None:
        if not self.jobs:
            self._done = self._cpu = self._waits = 0.0
        heapq.heappush(self.jobs, (self._done + work, next(self._numbers), Use(self._cpu, self._waits), done))

    def advance(self, seconds: float) -> None:
        self._done += seconds * self.rate
        self._cpu += seconds * self.cpu_rate
        self._waits += seconds * self.wait_rate

    @property
    def left(self) -> float:
        """Seconds until the next of them ends."""
        if not self.jobs or not self.rate:
            return math.inf
        work = self.jobs[0][0] - self._done
        return work / self.rate if work > 0 else 0.0

    def pop(self) -> Action:
        """Take out the one that ends now."""
        end, _, before, done = heapq.heappop(self.jobs)
        self._done = max(self._done, end)
        use = Use(self._cpu - before.cpu, self._waits - before.waits)
        return lambda: done(use)


class Processor:
    """Cores, and the GIL of the program that is simulated.

    Parameters
    ----------
    calendar
        Its clock.
    capacity
        Work done in a second, in seconds of a core alone, by so many that compute at the same time.
    cores
        Logical cores: as many jobs are seen to use CPU time at once.
    demand
        Cores that an item without the GIL keeps busy.
    bandwidth
        Items without the GIL that the memory can feed at the same time.
    """

    def __init__(
        self,
        calendar: Calendar,
        capacity: Callable[[float], float],
        cores: int,
        demand: float = 1.0,
        bandwidth: float = math.inf,
    ) -> None:
        self._calendar = calendar
        self._capacity = capacity
        self._cores = cores
        self._demand = demand
        self._bandwidth = bandwidth
        self._free, self._gil, self._chores = _Share(), _Share(), _Share()
        self._taken = False
        self._since = calendar.now

    @property
    def idle(self) -> bool:
        """Nothing computes."""
        return not (self._free.jobs or self._gil.jobs or self._chores.jobs)

    @property
    def next(self) -> float:
        """Time at which the next job ends."""
        return self._since + min(self._free.left, self._gil.left, self._chores.left)

    def compute(self, seconds: float, done: Done, *, gil: bool) -> None:
        """Start an item's job; at its end ``done`` is told what the system counted for it."""
        self._start(self._gil if gil else self._free, seconds, done)

    def compute_aside(self, seconds: float, done: Done) -> None:
        """Start a job of one core that is no item's: a process that boots, a parent that sends."""
        self._start(self._chores, seconds, done)

    def _start(self, share: _Share, seconds: float, done: Done) -> None:
        self._advance(self._calendar.now)
        share.add(seconds, done)
        self._share_out()

    def take_gil(self, seconds: float, done: Done) -> None:
        """Start a job that has the GIL and keeps it: the others that want it stand still meanwhile."""

        def over(use: Use) -> None:
            self._taken = False
            self._share_out()
            done(use)

        self._advance(self._calendar.now)
        self._taken = True
        self._chores.add(seconds, over)
        self._share_out()

    def pop(self) -> Action:
        """Go to the end of the next job and return what is to be done then."""
        share = min((self._free, self._gil, self._chores), key=lambda share: share.left)
        time = self._since + share.left
        self._advance(time)
        self._calendar.now = max(self._calendar.now, time)
        action = share.pop()
        self._share_out()
        return action

    def _advance(self, now: float) -> None:
        passed = now - self._since
        if passed > 0:
            for share in (self._free, self._gil, self._chores):
                share.advance(passed)
        self._since = max(self._since, now)

    def _share_out(self) -> None:
        holders, items = len(self._gil.jobs), len(self._free.jobs)
        wanted = items * self._demand + len(self._chores.jobs) + (1 if holders and not self._taken else 0)
        if not wanted:
            return
        each = min(1.0, self._capacity(wanted) / wanted)
        seen = min(1.0, self._cores / wanted)
        self._free.rate, self._free.cpu_rate = min(each, self._bandwidth / max(1, items)), seen
        self._chores.rate, self._chores.cpu_rate = each, seen
        if holders and self._taken:
            self._gil.rate = self._gil.cpu_rate = self._gil.wait_rate = 0.0
        elif holders:
            kept = SWITCHING if holders > 1 else 1.0
            self._gil.rate, self._gil.cpu_rate = each * kept / holders, seen / holders
            self._gil.wait_rate = 1.0 / (SWITCH_INTERVAL * holders) if holders > 1 else 0.0


class Server:
    """Something that items wait for, which serves only so many at a time.

    Parameters
    ----------
    calendar
        Its clock.
    slots
        Requests served at the same time; infinite for no limit.
    thrash
        Share by which each request beyond the slots slows all down.
    """

    def __init__(self, calendar: Calendar, slots: float = math.inf, thrash: float = 0.0) -> None:
        self._calendar = calendar
        self._slots = slots
        self._thrash = thrash
        self._busy = 0
        self._queue: list[tuple[float, Action]] = []
        self._head = 0

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue) - self._head

    def ask(self, seconds: float, done: Action) -> None:
        """Send a request that takes so long alone."""
        if self._busy >= self._slots:
            self._queue.append((seconds, done))
            return
        self._busy += 1
        slower = 1.0 + self._thrash * self.waiting
        self._calendar.after(seconds * slower, lambda: self._end(done))

    def _end(self, done: Action) -> None:
        self._busy -= 1
        if self.waiting:
            seconds, following = self._queue[self._head]
            self._head += 1
            if self._head > 1024:
                del self._queue[: self._head]
                self._head = 0
            self.ask(seconds, following)
        done()
