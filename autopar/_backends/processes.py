"""Worker processes, warm and reused: CPU-bound Python past the GIL.

Each worker is a process, forked where that is safe and spawned elsewhere, with one duplex pipe, served by one thread of
this process that sends a chunk and waits for its outcome. ``concurrent.futures.ProcessPoolExecutor`` shares one queue
among its workers instead: it takes about 150 us a task where this takes about a third, and when one of its workers dies
every item in flight is lost (``benchmarks/backend_costs.py``); here the one thread that held the chunk knows which
items to blame.
"""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Protocol, cast

from autopar._backends import groups
from autopar._backends.exceptions import describe
from autopar._backends.forkable import fork_now, why_not_forkable_without
from autopar._backends.marks import Marks, new_marks
from autopar._backends.memory import own_memory
from autopar._backends.payload import Kept
from autopar._backends.pending import PendingChunk
from autopar._backends.pickling import load_error
from autopar._backends.pool import NoThreadError, WorkerPool
from autopar._backends.segments import Packed, Sharing, at_hand, available, send
from autopar._backends.spawn import WorkerProcess
from autopar._backends.transport import PackedJob, dump_items, dump_job, dump_surroundings, load_outcome
from autopar._backends.worker import BAD_ITEMS, BAD_JOB, JOBS_KEPT, OUTCOME, READY, UNSUPPORTED, main
from autopar._model.ending import at_the_end, not_at_the_end
from autopar._model.plan import Plan
from autopar._model.work import UNWORN, Chunk, Job, Outcome, Wear
from autopar.errors import TransportError, UnavailableError, WorkerDiedError

ARRIVALS_KEPT = 64

_NO_INTERPRETER = (1, -signal.SIGABRT)
"""How a process ends whose interpreter finds no descriptor or no memory to begin with."""


class SentJob(NamedTuple):
    """A job with its number, its caller's surroundings, and what shares the large buffers of its chunks."""

    number: int
    job: PackedJob
    surroundings: bytes
    sharing: Sharing | None
    marked: bool = False
    """Its items may not run twice, so workers tell which ones they have begun."""
    wear: Wear = UNWORN


Parcel = tuple[SentJob, int, Packed]
"""The job, position and items."""


class WorkerHandle(Protocol):
    """What a runner asks of its worker process."""

    @property
    def pid(self) -> int | None:
        """Its number; None if it is no process of its own."""

    @property
    def exitcode(self) -> int | None:
        """As of :class:`multiprocessing.Process`."""

    def is_alive(self) -> bool:
        """It runs."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""

    def kill(self) -> None:
        """End it by SIGKILL."""


class ProcessRunner:
    """One worker process and the pipe to it.

    Parameters
    ----------
    start
        Starts the process and gives it with this side's end of its pipe.

    Attributes
    ----------
    stopped
        What it runs, or is about to run, is to end.
    """

    def __init__(self, start: Callable[[], tuple[WorkerHandle, Connection]] | None = None) -> None:
        self._start_worker = from_stock if start is None else start
        self.stopped = False
        self._start()

    def _start(self) -> None:
        self._jobs: dict[int, Mapping[int, int]] = {}  # with the segments that the worker has at hand
        self._kept = Kept()
        self._lost = False
        self._fresh = True
        self._tasks = 0
        self._marks: Marks | None = None
        self._pipe: Connection
        self._process: WorkerHandle
        try:
            self._process, self._pipe = self._start_worker()
        except OSError as error:
            message = f"no worker process can be started: {describe(error)}"
            raise TransportError(message, about="function") from error

    def run(self, parcel: Parcel, started: Callable[[], None]) -> Outcome:
        number, items = parcel[0].number, parcel[2]
        if self._lost or not self._process.is_alive() or self._would_wear_out(parcel[0].wear, items.items):
            self._restart()
        sent = time.perf_counter()
        try:
            try:
                new = self._send(parcel)
            except OSError:  # It died since its last chunk and has seen nothing of this one.
                self._restart()
                new = self._send(parcel)
            if not new:
                started()
            answer = self._pipe.recv_bytes()
            if answer.startswith(READY):
                self._arrive(float(answer[len(READY) :]))
                started()
                answer = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._died(marked=parcel[0].marked) from error
        status, data = pickle.loads(answer)
        if status == UNSUPPORTED:
            self._lost = True  # It has ended by itself.
            raise UnavailableError(data)
        if status == BAD_JOB:
            self._kept.clear()
            cause = load_error(data)
            message = f"the function cannot be loaded in a worker process: {describe(cause)}"
            raise TransportError(message, about="function", loading=True) from cause
        self._jobs[number] = at_hand(self._jobs.get(number, {}), items.lasting)
        while len(self._jobs) > JOBS_KEPT:
            del self._jobs[next(iter(self._jobs))]
        if status == BAD_ITEMS:
            cause = load_error(data)
            raise TransportError(f"cannot be unpickled in a worker process: {describe(cause)}", loading=True) from cause
        outcome = self._outcome(data)
        if not new:
            outcome.dispatch = time.perf_counter() - sent - outcome.wall
        self._tasks += items.items
        if parcel[0].wear.memory is not None:
            self._retire_if_it_holds(parcel[0].wear.memory)
        return outcome

    def _would_wear_out(self, wear: Wear, items: int) -> bool:
        """A worker that has done something makes way before it does more than it may."""
        return wear.tasks is not None and 0 < self._tasks > wear.tasks - items

    def _retire_if_it_holds(self, most: int) -> None:
        """Let a worker end now that holds too much memory; its successor starts with the next chunk."""
        held = own_memory(self._process.pid or 0)
        if held is not None and held > most:
            self._lost = True
            self._pipe.close()

    def _outcome(self, data: bytes) -> Outcome:
        return load_outcome(data)

    @property
    def process(self) -> BaseProcess:
        """The process that serves it now."""
        return cast("BaseProcess", self._process)

    def _arrive(self, loading: float) -> None:
        """Note when a fresh worker was ready for its first job; loading that is the job's business."""
        if self._fresh:
            self._fresh = False
            _arrivals.append(time.perf_counter() - loading)

    def _send(self, parcel: Parcel) -> bool:
        """Send a chunk; True if its job is new to the worker."""
        packed, start, items = parcel
        number, job = packed.number, packed.job
        new = number not in self._jobs
        held = self._jobs.get(number, {})
        segments = [segment for segment in items.segments if segment.number not in held]
        job_data = None
        if new:
            segments += job.segments
            parts = self._kept.without_kept(job.parts)
            job_data = job._replace(parts=parts, segments=()), packed.surroundings
            self._kept.take(parts, [None] * len(parts))
        announced = [(segment.number, segment.size) for segment in segments]
        if packed.marked:
            if self._marks is not None:
                self._marks.reset()
            elif (marks := new_marks()) is not None:
                self._marks = marks
                segments.append(marks.segment)
                announced.append(marks.announced)
        self._pipe.send_bytes(
            pickle.dumps((number, job_data, start, items._replace(segments=()), announced), protocol=5)
        )
        if segments:
            send(self._pipe, segments)
        return new

    def _restart(self) -> None:
        self.close()
        self._start()
        if self.stopped:
            self._process.kill()

    def _died(self, *, marked: bool) -> WorkerDiedError | TransportError:
        self._lost = True
        wait_for_end(self._process, 2.0)
        code = self._process.exitcode
        groups.end(self._process.pid)
        if code is None:
            self._process.kill()
            self._process.join()
        if self._fresh and code in _NO_INTERPRETER:
            message = f"no worker process can be started: one {groups.in_words(code)} before its first item"
            return TransportError(message, about="function")
        begun = self._marks.begun() if marked and self._marks is not None else None
        return WorkerDiedError(f"its worker process {groups.in_words(code)}", exitcode=code, begun=begun)

    def rest(self) -> None:
        """The process waits at its pipe."""

    def stop(self) -> bool:
        self.stopped = True
        self._process.kill()
        groups.end(self._process.pid)
        return True

    def close(self) -> None:
        self._pipe.close()
        wait_for_end(self._process, 2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def wait_for_end(process: WorkerHandle, seconds: float) -> None:
    """Wait until a process has ended, not longer than so many seconds.

    Its own ``join`` waits for the end of a pipe and then for the process, without a limit: an item that closes all that
    is open closes the pipe too, and may go on.
    """
    if process.pid is None or not hasattr(os, "pidfd_open") or process.exitcode is not None:
        process.join(seconds)
        return
    try:
        end = os.pidfd_open(process.pid)
    except OSError:
        process.join(seconds)
        return
    try:
        wait([end], seconds)
    finally:
        os.close(end)


def first_message(parcel: Parcel) -> bytes:
    """What a new worker is sent by hand, of a job without large buffers."""
    sent, start, items = parcel
    return pickle.dumps((sent.number, (sent.job, sent.surroundings), start, items, ()), protocol=5)


def answer_of(pipe: Connection) -> Outcome:
    """The outcome of the first chunk that was sent to a worker by hand.

    Raises
    ------
    EOFError, OSError
        The worker has ended.
    """
    answer = pipe.recv_bytes()
    while answer.startswith(READY):
        answer = pipe.recv_bytes()
    status, data = pickle.loads(answer)
    return load_outcome(data) if status == OUTCOME else Outcome([], load_error(data))


def from_stock() -> tuple[BaseProcess, Connection]:
    """One that was forked ahead, or a new one."""
    try:
        return _forked.pop()
    except IndexError:
        return spawned()


def spawned(name: str = "autopar-worker") -> tuple[BaseProcess, Connection]:
    """A worker with an interpreter of its own, and this side's end of the pipe to it."""
    ours, theirs = Pipe(duplex=True)
    worker = WorkerProcess(target=main, args=(theirs,), name=name, daemon=False)
    try:
        with _starting:
            worker.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return worker, ours


def fork_ahead(workers: int) -> None:
    """Start so many workers as copies of this process, if it may be forked: before it has threads to serve them."""
    if why_not_forkable_without("threads"):
        return
    with fork_now("threads") as reason:
        if not reason:
            _fork(workers)


def _fork(workers: int) -> None:
    from autopar._backends.fork import ForkedWorker

    for _ in range(workers):
        try:
            ours, theirs = Pipe(duplex=True)
        except OSError:
            return
        worker = ForkedWorker(main, theirs)
        try:
            worker.start()
        except OSError:  # No more processes for now: the threads that serve them will try again, and say so.
            ours.close()
            return
        finally:
            theirs.close()
        _forked.append((worker, ours))


class ProcessesPool:
    """One map's view of the shared worker processes. The caller's thread pickles, so its errors arise there."""

    def __init__(self, workers: WorkerPool, capacity: int, forks: int = 0) -> None:
        self._workers = workers
        self._forks = forks
        self._jobs: weakref.WeakSet[Job] = weakref.WeakSet()
        self.capacity = capacity

    def submit(self, chunk: Chunk) -> PendingChunk:
        """Pickle a chunk and queue it.

        Raises
        ------
        TransportError
            Its function or its items do not pickle, or no worker can be had.
        """
        sent = packed(chunk)
        self._jobs.add(chunk.job)
        items = dump_items(chunk.items, sent.sharing)
        if sent.wear.tasks is not None:
            items = items._replace(items=len(chunk.items))
        self._fork_ahead()
        try:
            return self._workers.submit((sent, chunk.start, items))
        except NoThreadError as error:
            raise TransportError(f"no worker process can be had: {error}", about="function") from error

    def _fork_ahead(self) -> None:
        """Fork the first workers, now that there is something to do for them: what pickling imports they have too."""
        if self._forks:
            with _lock:
                forks, self._forks = self._forks, 0
                fork_ahead(forks)

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        return limit

    def abandon(self, pending: PendingChunk) -> bool:
        """Kill the worker that runs the chunk."""
        return self._workers.abandon(pending)

    def close(self) -> None:
        """The workers stay for the next map; large buffers are let go of now, and not when garbage is collected."""
        for job in list(self._jobs):
            _packed_jobs.pop(job, None)


_numbers = itertools.count(1)
_packed_jobs: weakref.WeakKeyDictionary[Any, SentJob] = weakref.WeakKeyDictionary()
_lock = threading.RLock()
_starting = threading.Lock()
_shared: WorkerPool | None = None
_forked: list[tuple[BaseProcess, Connection]] = []
"""Workers that were forked and wait for the thread that is to serve them."""
_arrivals: deque[float] = deque(maxlen=ARRIVALS_KEPT)


def packed(chunk: Chunk) -> SentJob:
    """The job and what surrounds it, pickled once for all its chunks."""
    known = _packed_jobs.get(chunk.job)
    if known is None:
        sharing = Sharing(stays=chunk.job.items_stay) if available() else None
        job = chunk.job
        surroundings = dump_surroundings()
        known = SentJob(new_number(), dump_job(job, sharing), surroundings, sharing, not job.repeatable, job.wear)
        _packed_jobs[chunk.job] = known
    return known


def new_number() -> int:
    """A number for a job, which no other has."""
    return next(_numbers)


def open(plan: Plan) -> ProcessesPool:
    """A view of the shared workers, with at least ``plan.workers`` of them on the way."""
    global _shared
    with _lock:
        forks = plan.workers if _shared is None else 0
        if _shared is None:
            _shared = WorkerPool(ProcessRunner, plan.workers, "autopar-process")
            at_the_end(_close_at_exit)
        # A queue as long again as the workers hides the way through the caller, unless others use the pool too.
        own = _shared.grow(plan.workers) == plan.workers
        return ProcessesPool(_shared, 2 * plan.workers if own else plan.workers, forks)


def warm() -> int:
    """Worker processes that are already there."""
    return _shared.alive + len(_forked) if _shared is not None else 0


def idle() -> int:
    """Threads that wait for work, here or in their worker."""
    return _shared.idle if _shared is not None else 0


def rest() -> bool:
    """Let the workers go if none has anything to do; True if none is left."""
    global _shared
    with _lock:
        if _shared is not None and _shared.retire():
            _shared = None
            not_at_the_end(_close_at_exit)
        return _shared is None


def arrivals(since: float) -> list[float]:
    """When worker processes became ready, on the clock of `time.perf_counter`; the newest ones."""
    return [ready for ready in list(_arrivals) if ready >= since]


def _close_at_exit() -> None:
    # Never given back: a worker that starts in the last moment would find half of what it is to read.
    _starting.acquire()
    if _shared is not None:
        _shared.close()


def _forget() -> None:
    global _shared, _lock, _starting
    _shared, _lock, _starting = None, threading.RLock(), threading.Lock()
    _packed_jobs.clear()
    _forked.clear()
    not_at_the_end(_close_at_exit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
