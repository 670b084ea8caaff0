"""Threads of this process: one warm pool, shared by all maps, that grows with what they need."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context, copy_context
from typing import Any

from autopar._backends import said
from autopar._backends.away import run_away
from autopar._backends.pending import PendingChunk
from autopar._backends.pool import Lane, NoThreadError, WorkerPool
from autopar._backends.turns import give_up_turns_of
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Outcome
from autopar.errors import TransportError

LIMIT = 4096
"""Threads at most, all maps together: a stop for runaway nesting, far above any ceiling of the planner."""


class _HereRunner:
    """Runs a chunk on the thread it is on, in the context of the map's caller."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def run(self, parcel: tuple[Context, dict[str, Any] | None, Chunk], started: Callable[[], None]) -> Outcome:
        context, numpy_errors, chunk = parcel
        said.hold()
        if numpy_errors is not None:
            sys.modules["numpy"].seterr(**numpy_errors)
        if chunk.job.seed is None:
            started()
            return context.run(functools.partial(run_away, chunk))

        def each(items: Sequence[Any]) -> Iterator[Any]:
            started()  # not while it waits for its turn
            return iter(items)

        return context.run(functools.partial(run_away, chunk, each=each))

    def rest(self) -> None:
        said.let_go()

    def stop(self) -> bool:
        give_up_turns_of(self._thread)
        return False

    def close(self) -> None:
        said.let_go()


def queued(limit: int, *, waits: bool) -> int:
    """Chunks to keep submitted, so that a thread that has ended one finds the next.

    Of items that wait that is half as many again as run. While others compute on all cores the caller's thread waits
    for one, 3 ms at a time on Linux, before it can hand over more: then each thread finds three more, and a few threads
    some besides (benchmarks/free_threaded: 1.35 times the loop's speed with half as many again, 1.4 with these).

    A single thread keeps the order of effects, and nothing of them may come after an item that failed: it gets no chunk
    before the last one was looked at.
    """
    if limit == 1:
        return 1
    return limit + (limit + 1) // 2 if waits else 4 * limit + 8


class ThreadsPool:
    """One map's view of the shared threads."""

    def __init__(self, workers: WorkerPool, capacity: int) -> None:
        self._workers = workers
        self._lane = Lane(capacity)
        self.capacity = queued(capacity, waits=False)

    def submit(self, chunk: Chunk) -> PendingChunk:
        """Queue a chunk; it sees the caller's context variables.

        Raises
        ------
        TransportError
            No thread can be had.
        """
        try:
            return self._workers.submit((copy_context(), _numpy_errors(), chunk), self._lane)
        except NoThreadError as error:
            raise TransportError(f"no thread can be had: {error}", about="function") from error

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        if limit != self._lane.limit:
            self._workers.widen(self._lane, limit)
        return queued(limit, waits=True)

    def abandon(self, pending: PendingChunk) -> bool:
        """Write the chunk's thread off: Python cannot stop a thread, so the item runs on, unheard."""
        return self._workers.abandon(pending)

    def close(self) -> None:
        """The threads stay for the next map."""


def _numpy_errors() -> dict[str, Any] | None:
    """How the caller's thread handles floating-point errors, before NumPy 2 kept that in a context variable."""
    numpy = sys.modules.get("numpy")
    version: str = getattr(numpy, "__version__", "")
    if not version.startswith("1."):
        return None
    errors: dict[str, Any] = numpy.geterr()  # type: ignore[union-attr]
    return errors


_lock = threading.RLock()
_shared: WorkerPool | None = None


def open(plan: Plan) -> ThreadsPool:
    """A view of the shared threads."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = WorkerPool(_HereRunner, LIMIT, "autopar-thread")
        return ThreadsPool(_shared, plan.workers)


def warm() -> int:
    """Threads that are already there."""
    return _shared.alive if _shared is not None else 0


def idle() -> int:
    """Threads that wait for work, here or in their worker."""
    return _shared.idle if _shared is not None else 0


def rest() -> bool:
    """Let the threads end if none has anything to do; True if none is left."""
    global _shared
    with _lock:
        if _shared is not None and _shared.retire():
            _shared = None
        return _shared is None


def _forget() -> None:
    global _shared, _lock
    _shared, _lock = None, threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
