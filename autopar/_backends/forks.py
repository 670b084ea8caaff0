"""Worker processes forked for one map: they inherit the function and all that it reads, and nothing of that is pickled.

At a map's first chunk this process forks once. The copy, a fork server, has one thread and forks a worker for each that
is asked for, then and later, so that one that dies is replaced although this process has threads by then. Only items
and results cross a pipe; the rest is shared with this process, page by page, until somebody writes to it. At the end of
the map all of them go.

``multiprocessing.Pool`` does the same with the fork method; there a worker that dies leaves its map hanging, and
function and arguments are pickled with each chunk.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from autopar._backends import groups, segments
from autopar._backends.exceptions import describe
from autopar._backends.fork import ForkedWorker
from autopar._backends.forkable import fork_now, wait_for_end_of_threads
from autopar._backends.parent_end import end_of_parent
from autopar._backends.pending import PendingChunk
from autopar._backends.pool import WorkerPool
from autopar._backends.processes import ProcessRunner, SentJob, new_number
from autopar._backends.transport import PackedJob, dump_items
from autopar._backends.worker import main
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job
from autopar.errors import TransportError

FORK, STATUS = b"fork", b"status"

RENEWALS = 5
"""Fork servers of one map that are replaced after they were killed; more than that, and an item does it. No measurement
stands behind it."""


class _ServerGoneError(TransportError):
    """The fork server has ended, so there is no worker for a chunk; nothing of it has run."""

    def __init__(self, message: str, crew: _Crew) -> None:
        super().__init__(message, about="function")
        self.crew = crew


def open(plan: Plan) -> ForksPool:
    """A pool for one map; nothing is forked before its first chunk, whose job the workers inherit."""
    return ForksPool(plan.workers)


def idle() -> int:
    """Threads that end with the maps they serve."""
    return sum(crew.pool.alive for crew in list(_crews.values()))


class ForksPool:
    """The workers of one map. The caller's thread pickles items, so that their errors arise there."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._crews: list[_Crew] = []
        self._ending: list[_Crew] = []
        self._renewals = 0

    def submit(self, chunk: Chunk) -> PendingChunk:
        """Pickle the items of a chunk and queue it.

        Raises
        ------
        TransportError
            The items do not pickle, or this process cannot be forked any more.
        """
        crew = _crews.get(chunk.job)
        if crew is None:
            crew = _crews[chunk.job] = _Crew(chunk.job, self._workers)
        if crew not in self._crews:
            self._crews.append(crew)
        return crew.submit(chunk)

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        return min(limit, self.capacity)

    def abandon(self, pending: PendingChunk) -> bool:
        """Kill the worker that runs the chunk."""
        return any(crew.pool.abandon(pending) for crew in (*self._crews, *self._ending))

    @property
    def capacity(self) -> int:
        """Chunks to keep submitted: none while workers whose fork server has ended are at their last ones."""
        while self._ending:
            if not self._ending[0].ended():
                return 0
            _forget(self._ending.pop(0))
        return 2 * self._workers  # A queue as long again as the workers hides the way through the caller.

    def renew(self, error: TransportError) -> bool:
        """Whether a chunk may be submitted again after this error: a fork server that has ended is replaced then."""
        if not isinstance(error, _ServerGoneError):
            return False
        if error.crew in self._crews:
            if self._renewals == RENEWALS:
                return False
            self._renewals += 1
            self._crews.remove(error.crew)
            self._ending.append(error.crew)
        return True

    def close(self) -> None:
        """End the workers."""
        for crew in (*self._crews, *self._ending):
            crew.close()
            _forget(crew)


class _Crew:
    """The processes of one job: a fork server and its workers."""

    def __init__(self, job: Job, workers: int) -> None:
        number = new_number()
        self._lock = threading.Lock()
        self._under_way: list[PendingChunk] = []
        with fork_now("threads", "processes", "interpreters") as reason:
            if reason:
                raise TransportError(reason, about="function")
            self._server, self._line = _fork_server(number, _for_a_worker(job))
        sharing = segments.Sharing(stays=job.items_stay)
        self._sent = SentJob(number, PackedJob(b"", [], []), b"", sharing, not job.repeatable, job.wear)
        self.pool = WorkerPool(lambda: ProcessRunner(self._new_worker), workers, "autopar-fork")

    def submit(self, chunk: Chunk) -> PendingChunk:
        items = dump_items(chunk.items, self._sent.sharing)
        if self._sent.wear.tasks is not None:
            items = items._replace(items=len(chunk.items))
        pending = self.pool.submit((self._sent, chunk.start, items))
        self._under_way = [each for each in self._under_way if not each.done()] + [pending]
        return pending

    def _new_worker(self) -> tuple[_Grandchild, Connection]:
        ours, theirs = Pipe(duplex=True)
        try:
            with self._lock:
                self._line.send_bytes(FORK)
                segments.send_fds(self._line, [theirs.fileno()])
                pid = int(self._line.recv_bytes())
                return _Grandchild(self, pid), ours
        except (EOFError, OSError) as error:
            ours.close()
            if isinstance(error, (EOFError, ConnectionError)) or not self._server.is_alive():
                raise _ServerGoneError(f"the process that forks workers has ended: {describe(error)}", self) from error
            raise TransportError(f"no worker could be forked: {error}", about="function") from error
        finally:
            theirs.close()

    def status_of(self, pid: int) -> int:
        """Exit status of a worker that has ended; negative numbers are signals."""
        with self._lock:
            self._line.send_bytes(STATUS + b"%d" % pid)
            return int(self._line.recv_bytes())

    def ended(self) -> bool:
        """Close it if nothing is under way that anybody waits for; its fork server is gone."""
        if not all(each.done() or each.given_up for each in self._under_way):
            return False
        while not self.pool.retire():  # Those who were given up are about to end.
            time.sleep(0)
        self.close()
        return True

    def close(self) -> None:
        self.pool.close()
        self.pool.join()
        with self._lock:
            self._line.close()
        self._server.join()
        wait_for_end_of_threads()


_crews: weakref.WeakKeyDictionary[Job, _Crew] = weakref.WeakKeyDictionary()


def _forget(crew: _Crew) -> None:
    for job in [job for job, known in _crews.items() if known is crew]:
        del _crews[job]


class _Grandchild:
    """A worker, child of the fork server, by a descriptor that stays its own whatever becomes of its number."""

    def __init__(self, crew: _Crew, pid: int) -> None:
        self._crew = crew
        self._pid = pid
        self._fd = os.pidfd_open(pid)
        self._status: int | None = None

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def exitcode(self) -> int | None:
        if self._status is None and not self.is_alive():
            try:
                self._status = self._crew.status_of(self._pid)
            except (EOFError, OSError):
                self._status = -signal.SIGKILL  # The fork server is gone, and its workers with it.
        return self._status

    def is_alive(self) -> bool:
        return not wait([self._fd], 0)

    def join(self, timeout: float | None = None) -> None:
        wait([self._fd], timeout)

    def kill(self) -> None:
        if self.is_alive():
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._fd)


# -- in the fork server --------------------------------------------------------------------------------------------


def _for_a_worker(job: Job) -> Job:
    """As the job would arrive if it were pickled: output is kept for the caller, whatever it does with it."""
    return replace(job, ordered=True, line=None if job.line is None else job.line._replace(names=None))


def _fork_server(number: int, job: Job) -> tuple[ForkedWorker, Connection]:
    ours, theirs = Pipe(duplex=True)

    def serve(line: Connection, *, fresh: bool) -> None:
        ours.close()
        _serve(line, {number: job})

    server = ForkedWorker(serve, theirs, keep_files=True)
    try:
        server.start()
    except OSError as error:
        ours.close()
        raise TransportError(f"this process cannot be forked: {error}", about="function") from error
    finally:
        theirs.close()
    return server, ours


def _serve(line: Connection, inherited: Mapping[int, Job]) -> None:
    """Fork workers until the line closes, which it does with the process at its other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where it is ignored the system forgets how children end; in the workers it is as in the caller.
    of_caller = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pids: set[int] = set()
    try:
        caller = end_of_parent()
    except ProcessLookupError:
        return
    while True:
        if caller is not None and caller in wait([line, caller]):
            break  # A process that the caller has forked may have the other end of the line.
        try:
            order = line.recv_bytes()
            if order == FORK:
                (fd,) = segments.receive(line, 1)
                pid = _fork_worker(fd, line, inherited, of_caller)
                pids.add(pid)
                line.send_bytes(b"%d" % pid)
            else:
                pid = int(order.removeprefix(STATUS))
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                pids.discard(pid)
                line.send_bytes(b"%d" % status)
        except (EOFError, OSError):
            break
    for pid in pids:
        if os.waitpid(pid, os.WNOHANG) == (0, 0):  # at work: its map was broken off
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            groups.end(pid)


def _fork_worker(fd: int, line: Connection, inherited: Mapping[int, Job], on_child: Any) -> int:
    pid = os.fork()
    if pid:
        os.close(fd)
        return pid
    status = 1
    try:
        line.close()
        signal.signal(signal.SIGCHLD, on_child)
        main(Connection(fd), fresh=False, inherited=inherited)
        status = 0
    finally:
        os._exit(status)
