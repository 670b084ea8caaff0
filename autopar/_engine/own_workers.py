"""What one executor runs on: threads of its own, and worker processes that these serve.

The threads are those of :class:`concurrent.futures.ThreadPoolExecutor`: futures, shutting down, the end of the program
and an executor that nobody holds any more are as there. A call that runs in a process keeps one of them waiting.
"""

from __future__ import annotations

import functools
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from autopar._engine.machine import cores_here
from autopar._engine.own_clusters import CALLS_PER_CORE, OwnClusters
from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._observe.host import current_host
from autopar.errors import TransportError, WorkerDiedError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from autopar._backends.own_processes import OwnProcesses

MORE_THREADS = 4
MOST_THREADS = 32
"""Workers where their number is left open: as in the standard library's executor of threads."""


class BrokenWorkerError(WorkerDiedError, BrokenProcessPool):
    """The process that ran a call ended; the other calls of its executor go on."""


class BrokenTransportError(TransportError, BrokenProcessPool):
    """An argument or a result could not be unpickled where it arrived."""


class Overlap:
    """How many calls run on the threads of an executor at the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._begun = 0

    def begin(self) -> int:
        """Another call begins; what to give to :meth:`end`."""
        with self._lock:
            self._running += 1
            self._begun += 1
            return self._begun if self._running == 1 else 0

    def end(self, begun: int) -> bool:
        """A call has ended; whether it ran alone all the time."""
        with self._lock:
            self._running -= 1
            return begun == self._begun


class Workers:
    """Threads and processes of one executor.

    Parameters
    ----------
    limit
        Most calls under way at the same time; None for the standard library's numbers.
    settings
        The executor's hints.
    context
        How processes are started, which says that calls are to run in them; or None.
    initializer, initargs
        Called in each worker before anything else, or None.
    thread_name_prefix
        As in the standard library.
    calls_per_process
        Calls after which a process makes way for a new one, or None.

    Attributes
    ----------
    forced
        Calls run in processes, whatever they do.
    broken
        Why no call can run any more, or None.
    cancelling
        What has not begun is not to begin.
    overlapping
        Counts the calls on threads.
    clusters
        What is known of clusters.
    """

    def __init__(
        self,
        limit: int | None,
        settings: Settings,
        *,
        context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        thread_name_prefix: str = "",
        calls_per_process: int | None = None,
    ) -> None:
        self.forced = context is not None
        self.broken: BrokenExecutor | None = None
        self.cancelling = False
        only_processes = self.forced or settings.backend == "processes"
        self.cores = cores_here(current_host())
        self._left_open = limit is None
        if limit is None:
            limit = self.cores if only_processes else min(MOST_THREADS, self.cores + MORE_THREADS)
            self._most_processes = self.cores
        else:
            self._most_processes = limit
        self.limit = 1 if settings.backend == "serial" else limit
        in_threads = None if only_processes else initializer
        self.threads = ThreadPoolExecutor(self.limit, thread_name_prefix, in_threads, initargs)
        self._initializer, self._initargs = initializer, initargs
        self._context = context
        self._calls_per_process = calls_per_process
        self._ahead = only_processes
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._left = 0
        self._closing = False
        self.overlapping = Overlap()
        self.clusters = OwnClusters(self.cores)

    @functools.cached_property
    def processes(self) -> OwnProcesses:
        """The worker processes; none is started before a call needs it."""
        with self._lock:
            known: OwnProcesses | None = self.__dict__.get("processes")
            if known is not None:
                return known
            from autopar._backends.own_processes import OwnProcesses

            made = OwnProcesses(
                self._most_processes, self._context, self._initializer, self._initargs, self._calls_per_process
            )
            self.__dict__["processes"] = made
            return made

    def cluster(self, settings: Settings) -> Cluster:
        """What the cluster offers that the hints name; where the number of workers was left open it follows from that.

        Raises
        ------
        autopar.errors.UnavailableError
            It cannot be used.
        """
        _, found = self.clusters.look(settings)
        if self._left_open and self.limit < CALLS_PER_CORE * found.cores:
            self.limit = self.threads._max_workers = CALLS_PER_CORE * found.cores
        return found

    def has_processes(self) -> bool:
        """Some may be there."""
        return "processes" in self.__dict__

    def next_number(self) -> int:
        """The number of the next call, from 0: its place among all that have random streams of their own."""
        return next(self._numbers)

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Have a thread do something.

        Raises
        ------
        RuntimeError
            The executor is shut down, or broken.
        """
        if self.broken is not None:
            raise self.broken
        if self._ahead:
            self._start_ahead()
        with self._lock:
            self._left += 1
        try:
            future = self.threads.submit(work)
        except BaseException:
            self._one_less()
            raise
        future.add_done_callback(self._one_less)
        return future

    def _start_ahead(self) -> None:
        """Fork the processes that are sure to be needed while there are no threads yet."""
        self._ahead = False
        if self._context is None:
            from autopar._backends.processes import fork_ahead

            fork_ahead(min(self.limit, self._most_processes))

    def _one_less(self, _: object = None) -> None:
        with self._lock:
            self._left -= 1
            last = self._closing and not self._left
        if last and self.has_processes():
            self.processes.close()

    def shutdown(self, *, wait: bool = True, cancel: bool = False) -> None:
        """Take no more calls; ``cancel`` what has not begun; ``wait`` until all has ended."""
        self.cancelling = self.cancelling or cancel
        self.threads.shutdown(wait=wait, cancel_futures=cancel)
        with self._lock:
            self._closing = True
            last = not self._left
        if last and self.has_processes():
            self.processes.close()

    def end_processes(self, *, gently: bool) -> None:
        """Shut down and end all worker processes at once."""
        self.broken = self.broken or BrokenProcessPool("the executor's workers were ended")
        self.shutdown(wait=False, cancel=True)
        self.processes.kill(gently=gently)

    def break_down(self, error: BaseException) -> BrokenExecutor:
        """Note that there can be no workers, and what calls are to raise from now on."""
        if self.broken is None:
            cause = error.__cause__
            if cause is not None:
                logging.getLogger("concurrent.futures").critical("Exception in initializer:", exc_info=cause)
            self.broken = BrokenProcessPool(f"{error}; the executor is not usable any more")
            self.broken.__cause__ = cause
        return self.broken


def as_standard(error: BaseException) -> BaseException:
    """What an executor of the standard library would raise for what went wrong around a call."""
    cause = error.__cause__
    if isinstance(error, WorkerDiedError):
        broken: BaseException = BrokenWorkerError(str(error), exitcode=error.exitcode)
    elif isinstance(error, TransportError) and error.loading:
        broken = BrokenTransportError(str(error), about=error.about, loading=True)
    elif isinstance(error, TransportError) and (isinstance(cause, Exception) or (cause and error.about == "result")):
        cause.add_note(str(error))
        return cause
    else:
        return error
    broken.__cause__ = cause
    return broken
