"""Worker processes of one executor alone: they may have an initializer and a start method, and are its own to end.

Where an initializer or a start method is asked for, workers are those of ``multiprocessing``: they import the main
module, what is theirs stays theirs, and calls travel by plain pickle as long as they can.
"""

from __future__ import annotations

import functools
import pickle
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing import process as this_process
from multiprocessing.connection import Connection, Pipe
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from autopar._backends.context import AS_IT_IS
from autopar._backends.processes import (
    Parcel,
    ProcessRunner,
    SentJob,
    answer_of,
    first_message,
    from_stock,
    new_number,
    packed,
)
from autopar._backends.transport import dump_items, dump_job
from autopar._backends.worker import main
from autopar._model.work import Chunk, Job, Outcome
from autopar.errors import AutoparError


class NoWorkerError(AutoparError):
    """There is no worker process, since its initializer failed or somebody has ended them all."""


class TimeLimit(Protocol):
    """Ends what runs for too long."""

    def start(self, end: Callable[[], object], /) -> None:
        """The first item begins; ``end`` ends its process."""

    def stop(self) -> None:
        """The items have ended."""


class OwnProcesses:
    """Worker processes that start when a call needs one, and end with their executor.

    Parameters
    ----------
    limit
        Most processes.
    context
        How they start; None for autopar's own way.
    initializer, initargs
        Called in each before anything else, or None.
    calls_per_process
        Calls after which a process makes way for a new one, or None.

    Attributes
    ----------
    plain
        Workers are as ``multiprocessing`` and the initializer made them, and are not made to look like the caller.
    """

    def __init__(
        self,
        limit: int,
        context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        calls_per_process: int | None = None,
    ) -> None:
        if context is None and (initializer is not None or calls_per_process is not None):
            context = get_context("spawn")
        self.plain = context is not None
        self._context = context
        self._initializer = initializer
        self._initargs = initargs
        self._calls_per_process = calls_per_process
        self._room = threading.Semaphore(limit)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._killed = False
        self._jobs: dict[tuple[Any, ...], SentJob] = {}

    @property
    def processes(self) -> list[BaseProcess]:
        """Those that are there."""
        with self._lock:
            return [worker.runner.process for worker in self._all]

    def run(self, job: Job, start: int, items: Sequence[Any], *, limit: TimeLimit) -> Outcome:
        """Run items on a process that is free; waits for one. It is killed when the time is up.

        Raises
        ------
        TransportError
            They cannot be sent.
        WorkerDiedError
            The process ended.
        NoWorkerError
            The process could not be made ready.
        """
        parcel = self._parcel(job, start, items)
        with self._room:
            worker = self._take()
            try:
                worker.calls += 1
                runner = worker.runner
                return runner.run(parcel, lambda: limit.start(runner.stop))
            finally:
                limit.stop()
                self._give_back(worker)

    def kill(self, *, gently: bool = False) -> None:
        """End all processes, whatever they are at; none is started any more."""
        with self._lock:
            self._killed = True
            workers = list(self._all)
        for worker in workers:
            worker.runner.stopped = True  # One that is about to send its call would start another process for it.
            process = worker.runner.process
            with suppress(ProcessLookupError, ValueError):  # It has ended by itself.
                process.terminate() if gently else process.kill()

    def close(self) -> None:
        """Let the processes end; nothing runs any more."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for worker in idle:
            worker.runner.close()

    def _take(self) -> _Worker:
        with self._lock:
            if self._killed:
                raise NoWorkerError("the executor's worker processes were ended")
            if self._idle:
                return self._idle.pop()
        worker = _Worker(ProcessRunner(self._start))
        with self._lock:
            self._all.add(worker)
            killed = self._killed
        if killed:
            worker.runner.process.kill()
        return worker

    def _give_back(self, worker: _Worker) -> None:
        spent = self._calls_per_process is not None and worker.calls >= self._calls_per_process
        dead = not worker.runner.process.is_alive()
        with self._lock:
            if spent or dead:
                self._all.discard(worker)
            else:
                self._idle.append(worker)
        if spent or dead:
            worker.runner.close()

    # -- starting -----------------------------------------------------------------------------------------------------

    def _start(self) -> tuple[BaseProcess, Connection]:
        worker, pipe = from_stock() if self._context is None else _started(self._context)
        if self._initializer is not None:
            try:
                self._initialize(pipe)
            except BaseException:
                pipe.close()
                worker.join(2)
                raise
        return worker, pipe

    def _initialize(self, pipe: Connection) -> None:
        parcel = self._parcel(Job(_initialize), 0, [(self._initializer, self._initargs)], of_initializer=True)
        try:
            pipe.send_bytes(first_message(parcel))
            outcome = answer_of(pipe)
        except (EOFError, OSError) as error:
            raise NoWorkerError("a worker process ended in its initializer") from error
        if outcome.error is not None:
            raise NoWorkerError("the initializer of a worker process failed") from outcome.error

    # -- parcels ------------------------------------------------------------------------------------------------------

    def _parcel(self, job: Job, start: int, items: Sequence[Any], *, of_initializer: bool = False) -> Parcel:
        """What travels: with plain workers each item holds its function, so that one job serves all calls."""
        if not self.plain:
            sent = packed(Chunk(job, start, items))
            return sent, start, dump_items(items, sent.sharing)
        key = (of_initializer, job.star, job.collect, job.retry, job.seed, job.cores, job.numpy_random)
        known = self._jobs.get(key)
        if known is None:
            apply = _initialize if of_initializer else _apply
            general = Job(
                apply,
                collect=job.collect,
                retry=job.retry,
                seed=job.seed,
                reference=(__name__, apply.__name__),
                name=job.name,
                cores=job.cores,
                numpy_random=job.numpy_random,
            )
            known = self._jobs[key] = SentJob(new_number(), dump_job(general), AS_IT_IS, None)
        calls = list(items) if of_initializer else [_call_of(job, item) for item in items]
        return known, start, dump_items([Plain(call) for call in calls])


class _Worker:
    """A process and how many calls it has had."""

    __slots__ = ("calls", "runner")

    def __init__(self, runner: ProcessRunner) -> None:
        self.runner = runner
        self.calls = 0


def _call_of(job: Job, item: Any) -> tuple[Any, ...]:
    return job.function, tuple(item) if job.star else (item,), dict(job.kwargs)


def _started(context: BaseContext) -> tuple[BaseProcess, Connection]:
    """A worker as this context starts processes, and this side's end of the pipe to it."""
    if context.get_start_method(allow_none=False) == "fork":
        from autopar._backends.fork import ForkedWorker

        ours, theirs = Pipe(duplex=True)
        forked = ForkedWorker(main, theirs)
        forked.start()
        theirs.close()
        return forked, ours
    ours, theirs = Pipe(duplex=True)
    worker: BaseProcess = context.Process(target=main, args=(theirs,), name="autopar-worker")  # type: ignore[attr-defined]
    worker.start()
    theirs.close()
    this_process._children.discard(worker)  # type: ignore[attr-defined]  # It ends when its pipe closes.
    return worker, ours


class Plain:
    """Anything, pickled as the standard library would where it can be, so that names of ``__main__`` stay names."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            return pickle.loads, (pickle.dumps(self.value, protocol=5),)
        except (pickle.PicklingError, AttributeError, TypeError):
            return _itself, (self.value,)


def _itself(value: Any) -> Any:
    return value


def _apply(call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> Plain:
    """A call in a worker."""
    function, args, kwargs = call
    return Plain(functools.partial(function, *args, **kwargs)())


def _initialize(call: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
    initializer, initargs = call
    initializer(*initargs)
