"""The decision log of this process: the newest decisions in memory, and all of them on their way to the store.

What maps have taught travels with them, in the same writings.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autopar._model.decision import Brief, Decision
from autopar._model.observation import Host
from autopar._model.plan import LOOP, Plan
from autopar._model.timeline import Timeline
from autopar._record.background import Background
from autopar._record.learning import Teaching
from autopar._record.store import Store

# Chosen, not measured: a decision takes 1 to 2 kB in memory, so some 20 MB at most; a program that ends without saying
# so loses five seconds of decisions.
_NEWEST = 10_000
_NEWEST_OF_A_FUNCTION = 1_000
_BATCH = 256
_SECONDS = 5.0
_MOST_LESSONS = 4 * _BATCH

# A timeline takes up to 40 kB in memory, so 4 MB at most.
_TIMELINES = 100

# A writing takes milliseconds, on a slow disk a tenth of a second; the end of a program is not to hang on a disk.
_SECONDS_AT_EXIT = 5.0


class DecisionLog:
    """Decisions in the order of their numbers. Any thread may use it.

    Adding one has all written to the store, on a thread of its own that ends after it, if enough wait or the last
    writing is some seconds ago; what still waits is written when the program ends. What the store warned of meanwhile
    is said to who adds the next. A forked child keeps what it inherited in memory and leaves the writing of it to its
    parent.

    Parameters
    ----------
    store
        Where decisions outlive the process; None keeps them in memory only.
    newest, newest_of_a_function
        How many stay in memory, of all functions and of any one.
    batch
        How many waiting decisions are written at once.
    seconds
        How long a decision waits, at most, until the next one takes it along.
    clock
        Seconds; replaced in tests.

    Examples
    --------
    >>> from autopar._model.plan import Plan
    >>> log = DecisionLog()
    >>> log.add(function="shop.price", operation="map", started=0.0, items=3, workload=None, plan=Plan()).number
    1
    >>> [decision.function for decision in log.all()]
    ['shop.price']
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        newest: int = _NEWEST,
        newest_of_a_function: int = _NEWEST_OF_A_FUNCTION,
        batch: int = _BATCH,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._newest = newest
        self._newest_of_a_function = newest_of_a_function
        self._batch = batch
        self._seconds = seconds
        self._clock = clock
        self._count = 0
        self._decisions: OrderedDict[int, Decision | Brief] = OrderedDict()
        self._numbers: dict[str, deque[int]] = {}
        self._waiting: list[Decision | Brief] = []
        self._teaching = Teaching()
        self._timelines: deque[Timeline] = deque()
        self._written = clock()
        self._store_is_busy = False
        self._host: tuple[str, Host] | None = None
        self._make_locks()
        self._background = Background(self._write_behind, "autopar-store")
        _LOGS.add(self)

    def note_host(self, fingerprint: str, host: Host) -> None:
        """Say on which machine the next decisions are made."""
        self._host = (fingerprint, host)

    @property
    def store(self) -> Store | None:
        """Where decisions go."""
        return self._store

    @property
    def host(self) -> str:
        """Fingerprint of the machine on which decisions are made."""
        return "" if self._host is None else self._host[0]

    def teach(self, teaching: Teaching) -> None:
        """Let the next writing take along what was learned."""
        if self._store is None or not self._store.active:
            return
        with self._lock:
            self._teaching = self._teaching.before(teaching)
            del self._teaching.lessons[:-_MOST_LESSONS], self._teaching.observed[:-_MOST_LESSONS]

    def add(self, **fields: Any) -> Decision:
        """Number a decision, keep it and return it.

        Parameters
        ----------
        **fields
            The fields of `Decision` but its number.
        """
        with self._lock:
            self._count += 1
            decision = Decision(number=self._count, **fields)
            self._keep_timeline(decision)
            self._keep(decision)
            due = self._store is not None and self._wait_for_store(self._store, decision)
        self._write_if(due)
        return decision

    def add_brief(
        self,
        function: str,
        operation: str,
        started: float,
        items: int,
        actual: float,
        plan: Plan = LOOP,
        serial_estimate: float | None = None,
    ) -> Brief:
        """Number, keep and return a map that ended before a choice could pay; a tenth of the cost of :meth:`add`."""
        store = self._store
        with self._lock:
            self._count = number = self._count + 1
            brief = Brief(number, function, operation, started, items, actual, plan, serial_estimate)
            self._keep(brief)
            due = store is not None and self._wait_for_store(store, brief)
        if due or (store is not None and store.unsaid):
            self._write_if(due)
        return brief

    @property
    def writing(self) -> bool:
        """Something is being written on another thread."""
        return self._background.running

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is being written on another thread; False if it takes longer."""
        return self._background.join(seconds)

    def _write_if(self, due: bool) -> None:
        if self._store is not None:
            self._store.say()
        if due and not self._background.start() and self._writing.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._writing.release()

    def _write_behind(self) -> None:
        store = self._store
        with self._writing:
            if store is not None:
                with store.keeping_quiet():
                    self._write()

    def all(self) -> list[Decision]:
        """Return what is in memory, newest last."""
        with self._lock:
            return [whole(decision) for decision in self._decisions.values()]

    def for_function(self, name: str) -> list[Decision]:
        """Return what is in memory of one function (``module.qualname``), newest last."""
        with self._lock:
            return [whole(self._decisions[number]) for number in self._numbers.get(name, ())]

    def flush(self) -> None:
        """Write everything that waits to the store."""
        with self._writing:
            self._write()
        if self._store is not None:
            self._store.say()

    def close(self, seconds: float = _SECONDS_AT_EXIT) -> None:
        """Write what waits, unless a writing that is under way takes longer than so many seconds to end."""
        if self.settle(seconds) and self._writing.acquire(timeout=seconds):
            try:
                self.flush()
            finally:
                self._writing.release()

    def _keep(self, decision: Decision | Brief) -> None:
        self._decisions[decision.number] = decision
        numbers = self._numbers.get(decision.function)
        if numbers is None:
            numbers = self._numbers[decision.function] = deque()
        numbers.append(decision.number)
        if len(numbers) > self._newest_of_a_function:
            del self._decisions[numbers.popleft()]
        elif len(self._decisions) > self._newest:
            _, oldest = self._decisions.popitem(last=False)
            others = self._numbers[oldest.function]
            others.popleft()
            if not others:
                del self._numbers[oldest.function]

    def _keep_timeline(self, decision: Decision) -> None:
        if decision.timeline is None:
            return
        self._timelines.append(decision.timeline)
        if len(self._timelines) > _TIMELINES:
            self._timelines.popleft().let_go()

    def _wait_for_store(self, store: Store, decision: Decision | Brief) -> bool:
        """Queue a decision for the store; return whether it is time to write."""
        if not store.active:
            return False
        waiting = self._waiting
        waiting.append(decision)
        many = len(waiting)
        if many > self._newest:
            del waiting[: -self._newest]
        overdue = self._clock() - self._written >= self._seconds
        return overdue or (many >= self._batch and not self._store_is_busy)

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
            teaching, self._teaching = self._teaching, Teaching()
            self._written = self._clock()
            self._store_is_busy = False
        if not (batch or teaching) or self._store is None:
            return
        if not self._store.write(summed_up(batch), self._host, teaching):
            with self._lock:
                self._store_is_busy = True
                self._waiting = batch + self._waiting
                self._teaching = teaching.before(self._teaching)

    def _make_locks(self) -> None:
        # Reentrant, because a finalizer or a signal handler may run a map in the middle of this thread's own `add`.
        self._lock = threading.RLock()
        self._writing = threading.RLock()

    def _start_afresh(self) -> None:
        """In a forked child: locks that no thread of the parent holds, and nothing to write."""
        self._make_locks()
        self._waiting = []
        self._teaching = Teaching()


def whole(decision: Decision | Brief) -> Decision:
    """A decision in all its fields."""
    return decision.whole() if isinstance(decision, Brief) else decision


def summed_up(batch: list[Decision | Brief]) -> list[Decision]:
    """A batch as rows for the store: the brief ones of a function and operation are added up to one."""
    rows: list[Decision | Brief] = []
    sums: dict[tuple[str, str, Plan], Brief] = {}
    last, total = None, None
    for decision in batch:
        if not isinstance(decision, Brief):
            rows.append(decision)
            continue
        # Mostly it is one function's turn for long; to hash a plan takes as long as all the rest.
        if total is None or last is None or not _alike(decision, last):
            key = decision.function, decision.operation, decision.plan
            last, total = decision, sums.get(key)
            if total is None:
                total = sums[key] = replace(decision)
                rows.append(total)
                continue
        total.items += decision.items
        total.actual += decision.actual
        one, other = total.serial_estimate, decision.serial_estimate
        total.serial_estimate = None if one is None or other is None else one + other
        total.times += 1
    return [whole(row) for row in rows]


def _alike(one: Brief, other: Brief) -> bool:
    """They are added up to one, as is seen at a glance."""
    return one.function is other.function and one.operation is other.operation and one.plan is other.plan


_LOGS: weakref.WeakSet[DecisionLog] = weakref.WeakSet()


def _in_forked_child() -> None:
    for log in list(_LOGS):
        log._start_afresh()


def _at_exit() -> None:
    for log in list(_LOGS):
        log.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
atexit.register(_at_exit)
