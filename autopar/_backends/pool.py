"""Daemon threads that take chunks from one queue; what a thread does with a chunk is its runner's business.

A runner is private to one thread, so a backend needs no further locking: the thread backend runs the chunk where it
is, the process backend sends it down the pipe of the one process that belongs to the thread. Whoever holds a chunk
when something breaks is the one to blame.

The threads are daemons, unlike those of ``concurrent.futures``: an item that never returns must not keep the program
from ending.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Protocol

from autopar._model.work import Outcome


class ChunkFuture(Future[Outcome]):
    """A future that knows when the items of its chunk were started and by whom."""

    def __init__(self) -> None:
        super().__init__()
        self.started: float | None = None
        self.runner: Runner | None = None

    def start_clock(self) -> None:
        """Note that the first item begins now."""
        self.started = time.perf_counter()

    def settle(self, outcome: Outcome | None, error: BaseException | None) -> None:
        """Set the result or the exception, unless somebody gave the chunk up meanwhile."""
        with suppress(InvalidStateError):
            if error is not None:
                self.set_exception(error)
            else:
                self.set_result(outcome)  # type: ignore[arg-type]


class Runner(Protocol):
    """Runs chunks, one at a time, for one thread."""

    def run(self, parcel: Any, started: Callable[[], None]) -> Outcome:
        """Run what :meth:`WorkerPool.submit` was given, and call ``started`` when the first item is about to begin."""

    def stop(self) -> bool:
        """Break off the running chunk; True if it really ends. Called from another thread."""

    def close(self) -> None:
        """Let go of everything; no chunk is running."""


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
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._backlog: deque[tuple[ChunkFuture, Any]] = deque()
        self._idle = 0
        self._alive = 0
        self._lost: set[Runner] = set()
        self._runners: set[Runner] = set()
        self._closed = False
        self._numbers = itertools.count(1)

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
            missing = min(count, self._limit) - self._alive
            for _ in range(missing):
                self._start_thread()

    def submit(self, parcel: Any) -> ChunkFuture:
        """Queue what a runner is to run."""
        future = ChunkFuture()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"this {self._name} pool is closed")
            self._backlog.append((future, parcel))
            if self._idle >= len(self._backlog):
                self._wake.notify()
            elif self._alive < self._limit:
                self._start_thread()
        return future

    def abandon(self, future: Future[Outcome]) -> bool:
        """Give up a chunk. Its thread is written off, so that another may take its place."""
        if future.cancel():
            return True
        if not isinstance(future, ChunkFuture):
            return False
        with self._lock:
            runner = future.runner
            if runner is None or future.done():
                return True
            if runner not in self._lost:
                self._lost.add(runner)
                self._alive -= 1
                if self._backlog:
                    self._start_thread()
        return runner.stop()

    def close(self) -> None:
        """Cancel what waits, stop what runs, and let the idle threads end."""
        with self._lock:
            self._closed = True
            waiting = [future for future, _ in self._backlog]
            self._backlog.clear()
            runners = list(self._runners)
            self._wake.notify_all()
        for future in waiting:
            future.cancel()
        for runner in runners:
            runner.stop()

    def _start_thread(self) -> None:
        self._alive += 1
        thread = threading.Thread(target=self._work, name=f"{self._name}-{next(self._numbers)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system refuses more threads for now: those that exist will do, but at least one must.
            self._alive -= 1
            if not self._alive:
                raise

    def _next(self) -> tuple[ChunkFuture, Any] | None:
        with self._lock:
            self._idle += 1
            try:
                while not self._backlog:
                    if self._closed:
                        return None
                    self._wake.wait()
                return self._backlog.popleft()
            finally:
                self._idle -= 1

    def _work(self) -> None:
        runner: Runner | None = None
        try:
            while (task := self._next()) is not None:
                future, parcel = task
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    if runner is None:
                        runner = self._make_runner()
                        with self._lock:
                            self._runners.add(runner)
                    with self._lock:
                        future.runner = runner
                    outcome, error = runner.run(parcel, future.start_clock), None
                except BaseException as raised:
                    outcome, error = None, raised
                with self._lock:
                    future.runner = None
                    lost = runner in self._lost
                future.settle(outcome, error)
                del task, future, parcel, outcome, error
                if lost:
                    break
        finally:
            with self._lock:
                if runner is None or runner not in self._lost:
                    self._alive -= 1
                if runner is not None:
                    self._runners.discard(runner)
                    self._lost.discard(runner)
            if runner is not None:
                runner.close()
