"""Daemon threads that take chunks from one queue; what a thread does with a chunk is its runner's business.

A runner is private to one thread, so a backend needs no further locking: the thread backend runs the chunk where it
is, the process backend sends it down the pipe of the one process that belongs to the thread. Whoever holds a chunk
when something breaks is the one to blame.

The threads are daemons, unlike those of ``concurrent.futures``: an item that never returns must not keep the program
from ending.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from autopar._backends.pending import PendingChunk
from autopar._model.threads import before_waiting, own_thread
from autopar._model.work import Outcome
from autopar.errors import TransportError


class Runner(Protocol):
    """Runs chunks, one at a time, for one thread."""

    def run(self, parcel: Any, started: Callable[[], None]) -> Outcome:
        """Run what :meth:`WorkerPool.submit` was given, and call ``started`` when the first item is about to begin."""

    def rest(self) -> None:
        """No other chunk of the same map follows for now."""

    def stop(self) -> bool:
        """Break off the running chunk; True if it really ends. Called from another thread."""

    def close(self) -> None:
        """Let go of everything; no chunk is running."""


_Task = tuple[PendingChunk, Any]
"""A chunk and what its runner is given."""


class NoThreadError(RuntimeError):
    """There is no thread for a chunk, and none can be started."""


class Lane:
    """One map's chunks: so many at a time are with threads, and a thread that has ended one takes the next here.

    Guarded by the lock of its pool.

    Attributes
    ----------
    limit
        Chunks that may run at the same time.
    running
        Threads that are at this lane's chunks, or on their way to one.
    waiting
        Chunks that no thread may take yet.
    """

    __slots__ = ("limit", "running", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self.waiting: deque[_Task] = deque()

    def following(self) -> _Task | None:
        """What the thread that has ended a chunk is to do next; None if it is free."""
        while self.waiting and self.running <= self.limit:
            task = self.waiting.popleft()
            if task[0].begin():  # it was not cancelled, and cannot be from here on
                return task
        self.running -= 1
        return None


class WorkerPool:
    """A pool that grows on demand up to a limit and never shrinks below its busy threads.

    Parameters
    ----------
    make_runner
        Called in each new thread.
    limit
        Most threads.
    name
        Prefix of thread names.
    """

    def __init__(self, make_runner: Callable[[], Runner], limit: int, name: str) -> None:
        self._make_runner = make_runner
        self._name = name
        self._limit = limit
        self._lock = threading.RLock()
        self._backlog: SimpleQueue[_Task | None] = SimpleQueue()
        self._spare = 0  # threads without a chunk less chunks without a thread
        self._alive = 0
        self._lost: set[Runner] = set()
        self._runners: set[Runner] = set()
        self._threads: set[threading.Thread] = set()
        self._closed = False
        self._numbers = itertools.count(1)
        before_waiting(self.close)

    @property
    def alive(self) -> int:
        """Threads that take chunks at present."""
        return self._alive

    def grow(self, limit: int) -> int:
        """Raise the limit to at least this many threads and return it."""
        with self._lock:
            self._limit = max(self._limit, limit)
            return self._limit

    def start(self, count: int) -> None:
        """Start threads ahead of work until ``count`` are alive."""
        with self._lock:
            missing = max(0, min(count, self._limit) - self._alive)
            self._alive += missing
            self._spare += missing
        self._start_threads(missing)

    def submit(self, parcel: Any, lane: Lane | None = None) -> PendingChunk:
        """Queue what a runner is to run; in a lane, where only so many may run at the same time."""
        pending = PendingChunk(lane)
        with self._lock:
            if self._closed or sys.is_finalizing():
                raise NoThreadError("the program is ending")
            if lane is not None and lane.running >= lane.limit:
                lane.waiting.append((pending, parcel))
                return pending
            missing = self._hand_over((pending, parcel))
        if missing and (why := self._start_threads(missing)):
            raise NoThreadError(why)
        return pending

    def widen(self, lane: Lane, limit: int) -> None:
        """Change how many chunks of a lane may run at the same time."""
        with self._lock:
            lane.limit = limit
            missing = self._advance(lane)
        self._start_threads(missing)

    def _advance(self, lane: Lane) -> int:
        """Hand over what may run; how many threads are to be started for it."""
        missing = 0
        while lane.waiting and lane.running < lane.limit:
            missing += self._hand_over(lane.waiting.popleft())
        return missing

    def _hand_over(self, task: _Task) -> int:
        """Queue a chunk for the threads, and count one more of these where none is free: 1 if it is to be started."""
        missing = int(self._spare <= 0 and self._alive < self._limit)
        self._alive += missing
        self._spare += missing - 1
        lane = task[0].lane
        if lane is not None:
            lane.running += 1
        self._backlog.put(task)
        return missing

    def abandon(self, pending: PendingChunk) -> bool:
        """Give up a chunk. Its thread is written off, so that another may take its place."""
        if pending.cancel():
            return True
        pending.given_up = True  # Its thread sees this, or is seen as its runner here.
        missing = 0
        with self._lock:
            runner = pending.runner
            if runner is None or pending.done():
                return True
            if runner not in self._lost:
                self._lost.add(runner)
                missing = int(self._spare < 0)
                self._alive += missing - 1
                self._spare += missing
                if pending.lane is not None:
                    pending.lane.running -= 1
                    missing += self._advance(pending.lane)
        self._start_threads(missing)
        return runner.stop()

    def close(self) -> None:
        """Cancel what waits, stop what runs, and let the idle threads end."""
        with self._lock:
            self._closed = True
            waiting = []
            while (task := self._waiting()) is not None:
                waiting.append(task[0])
            runners = list(self._runners)
            for _ in range(self._alive):
                self._backlog.put(None)
        for pending in waiting:
            pending.cancel()
        for runner in runners:
            runner.stop()

    @property
    def idle(self) -> int:
        """Threads that wait for a chunk."""
        return max(0, self._spare)

    def retire(self) -> bool:
        """Let all threads end if none has anything to do, and wait until they have."""
        with self._lock:
            if self._spare < self._alive or self._lost:
                return False
            self._closed = True
            for _ in range(self._alive):
                self._backlog.put(None)
        self.join()
        return True

    def join(self, timeout: float | None = None) -> None:
        """Wait until all threads of a closed pool have ended, or so many seconds for each."""
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(timeout)

    def _waiting(self) -> _Task | None:
        """Take a chunk that no thread has taken, if there is one."""
        try:
            return self._backlog.get_nowait()
        except Empty:
            return None

    def _start_threads(self, count: int) -> str:
        """Start threads that are counted already; without the lock, which those that run need to go on.

        Where the system refuses more for now those that exist will do. If there is none, all that waits for one fails,
        and this says why.
        """
        why = ""
        for others in reversed(range(count)):
            thread = own_thread(self._work, f"{self._name}-{next(self._numbers)}")
            try:
                thread.start()
            except RuntimeError as error:
                why = self._count_refused(str(error))
            except BaseException:  # Ctrl-C, while it began: nobody starts the others now
                with self._lock:
                    self._alive -= others
                    self._spare -= others
                raise
            else:
                self._threads.add(thread)
        return why

    def _count_refused(self, error: str) -> str:
        failed: list[PendingChunk] = []
        with self._lock:
            self._alive -= 1
            self._spare -= 1
            if self._alive:
                return ""
            while (task := self._waiting()) is not None:
                self._spare += 1
                failed.append(task[0])
                if (lane := task[0].lane) is not None:
                    lane.running -= 1
                    failed.extend(pending for pending, _ in lane.waiting)
                    lane.waiting.clear()
        for pending in failed:
            pending.settle(None, TransportError(f"no thread can be had: {error}", about="function"))
        return error

    def _work(self) -> None:
        runner: Runner | None = None
        lost = False
        try:
            task = self._backlog.get()
            while task is not None:
                pending, parcel = task
                outcome: Outcome | None = None
                error: BaseException | None = None
                begun = pending.begin()
                if begun:
                    try:
                        if runner is None:
                            runner = self._new_runner()
                        pending.runner = runner
                        if pending.given_up or self._closed:
                            raise RuntimeError("this chunk was given up")
                        outcome = runner.run(parcel, pending.start_clock)
                    except BaseException as raised:
                        error = raised
                    if runner is None and self._left_to_others(task):
                        return
                task, lost = self._following(pending, runner)
                rested = _rested(runner, task)
                error = error or rested
                if begun:
                    pending.settle(outcome, error)
                del pending, parcel, outcome, error
                if task is None and not lost:
                    task = self._backlog.get()
        finally:
            with self._lock:
                if not lost:
                    self._alive -= 1
                    self._spare -= 1
                if runner is not None:
                    self._runners.discard(runner)
                    self._lost.discard(runner)
            if runner is not None:
                runner.close()
            self._threads.discard(threading.current_thread())

    def _following(self, pending: PendingChunk, runner: Runner | None) -> tuple[_Task | None, bool]:
        """What a thread that has ended a chunk does next, and whether it was written off meanwhile."""
        with self._lock:
            pending.runner = None
            lost = runner in self._lost
            task = None if lost or pending.lane is None else pending.lane.following()
            self._spare += task is None and not lost
        return task, lost

    def _left_to_others(self, task: _Task) -> bool:
        """Whether threads that have a runner take the chunk of one that cannot have any, and so ends."""
        pending = task[0]
        with self._lock:
            if pending.lane is not None or self._closed or self._runners <= self._lost or not pending.give_back():
                return False
            self._backlog.put(task)
        return True

    def _new_runner(self) -> Runner:
        runner = self._make_runner()
        with self._lock:
            self._runners.add(runner)
        return runner


def _rested(runner: Runner | None, following: _Task | None) -> BaseException | None:
    """Let a runner rest if nothing follows; what that raised."""
    if runner is None or following is not None:
        return None
    try:
        runner.rest()
    except BaseException as error:
        return error
    return None
