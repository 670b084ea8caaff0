"""Worker processes of joblib: loky's executor, and its memory maps for large arrays.

Job and items are pickled here, so that what fails costs one chunk. Their large buffers are handed to the executor as
arrays; joblib writes each to a memory map once, however many chunks hold it, and workers map it copy on write, so that
a function may write to what it gets.

When a worker dies, loky ends all of them: every chunk under way is lost, and which of them is to blame is not known
(``certain=False`` of the error). What is left of the map then runs chunk by chunk on one worker of its own, so that the
next one to blame is known. loky does not tell when an item begins, so nothing can be timed.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from pickle import PicklingError
from queue import Empty
from typing import Any, NamedTuple

from autopar._backends import groups, segments
from autopar._backends.exceptions import describe
from autopar._backends.loky_folders import Folders
from autopar._backends.loky_watch import Watch
from autopar._backends.parent_end import end_with_parent, pipe_for_children
from autopar._backends.pending import PendingChunk
from autopar._backends.pickling import load_error
from autopar._backends.quietly import importing
from autopar._backends.segments import Ref, address_of
from autopar._backends.transport import PackedJob, dump_items, dump_job, dump_surroundings, load_outcome
from autopar._backends.worker import BAD_ITEMS, BAD_JOB, Guest
from autopar._backends.written import Range, range_of
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job, Outcome
from autopar.errors import TransportError, WorkerDiedError

IDLE_SECONDS = 300
"""Seconds after which loky ends workers that have nothing to do; joblib's own choice."""

Buffers = Mapping[int, Any]
"""Number of a carrier -> its array."""


class _Carrier:
    """A buffer as an array of bytes, which joblib knows how to map."""

    def __init__(self, view: memoryview) -> None:
        import numpy

        self.number = next(segments.numbers)
        self.array = numpy.frombuffer(view, numpy.uint8)


class _Carrying:
    """Puts large buffers into carriers; in the place of :class:`~autopar._backends.segments.Sharing`."""

    def __init__(self, *, stays: bool) -> None:
        self._stays = stays
        self._recent: OrderedDict[tuple[int, int], _Carrier] = OrderedDict()

    def pack(self, data: bytes, buffers: Sequence[pickle.PickleBuffer]) -> segments.Packed:
        """The pickle with its buffers in carriers."""
        refs, carriers = [], []
        for view in [buffer.raw() for buffer in buffers]:
            carrier = self._carrier(view)
            refs.append(Ref(carrier.number, 0, view.nbytes, view.readonly))
            carriers.append(carrier)
        return segments.Packed(data, tuple(refs), tuple(carriers))

    def _carrier(self, view: memoryview) -> _Carrier:
        if not self._stays:
            return _Carrier(view)
        key = address_of(view), view.nbytes
        known = self._recent.get(key)
        if known is None:
            known = self._recent[key] = _Carrier(view)
        self._recent.move_to_end(key)
        for each in segments.outgoing([(key, key[1]) for key in self._recent]):
            del self._recent[each]
        return known


class _SentJob(NamedTuple):
    number: int
    job: PackedJob
    surroundings: bytes
    buffers: Buffers
    carrying: _Carrying


class _LokyChunk(PendingChunk):
    """A chunk with loky's future of it, and the executor it is on."""

    __slots__ = ("executor", "future")

    def __init__(self, executor: _Executor) -> None:
        super().__init__()
        self.executor = executor
        self.future: Future[bytes] | None = None

    def cancel(self) -> bool:
        """Cancel it if loky has not sent it yet."""
        if self.future is None or not self.future.cancel():
            return self.cancelled()
        return super().cancel()

    def take(self, future: Future[bytes]) -> None:
        """Turn what loky says into an outcome, or an error around the items."""
        try:
            self.settle(_outcome(future.result()), None)
        except CancelledError:
            super().cancel()
        except PicklingError as error:
            # The chunk is pickled already: what failed are the memory maps of its large arrays, as on a full disk.
            self.executor.spoiled = True
            lost = TransportError("its large arrays cannot be written for joblib's worker processes")
            lost.__cause__ = error
            self.settle(None, lost)
        except BaseException as error:
            self.settle(None, error if isinstance(error, TransportError) else self.executor.died(error))


def _outcome(answer: bytes) -> Outcome:
    status, data = pickle.loads(answer)
    if status in (BAD_JOB, BAD_ITEMS):
        cause = load_error(data)
        what = "the function cannot be loaded" if status == BAD_JOB else "cannot be unpickled"
        about = "function" if status == BAD_JOB else "item"
        text = f"{what} in a worker process: {describe(cause)}"
        raise TransportError(text, about=about) from cause
    return load_outcome(data)


def _not_started(error: OSError) -> TransportError:
    return TransportError(f"joblib's worker processes cannot be started: {describe(error)}", about="function")


class _MayBeCancelled(Future[bytes]):
    """A future whose cancelling loky may overlook.

    When its executor is ended it sets an error on all that waits, cancelled or not. The one thread that is to kill the
    workers then would end on that.
    """

    def set_exception(self, exception: BaseException | None) -> None:
        """Set the error, unless it was cancelled."""
        try:
            super().set_exception(exception)
        except InvalidStateError:
            if not self.cancelled():
                raise


class _Executor:
    """loky's executor, with the folder of its memory maps.

    Parameters
    ----------
    workers
        Processes at most.
    alone
        It has one chunk at a time, so whatever its worker does is that chunk's doing.
    """

    def __init__(self, workers: int, *, alone: bool = False) -> None:
        with importing("joblib"):
            from joblib._memmapping_reducer import get_memmapping_reducers
            from joblib.externals.loky import ProcessPoolExecutor

        self.workers = workers
        self.alone = alone
        self.maps = 0
        self.spoiled = False  # its folder takes no more memory maps
        self._processes: list[Any] = []
        self._folders = Folders()
        # The names of both functions' arguments are those that joblib.executor uses (joblib 1.4 to 1.6).
        there, back = get_memmapping_reducers(
            temp_folder_resolver=self._folders.current,
            max_nbytes=segments.LARGE - 1,
            mmap_mode="c",
            unlink_on_gc_collect=True,
        )
        self.executor = ProcessPoolExecutor(
            workers,
            job_reducers=there,
            result_reducers=back,
            timeout=IDLE_SECONDS,
            initializer=end_with_parent,  # which loky leaves to its idle time-out
            initargs=(pipe_for_children(),),
        )

    @property
    def broken(self) -> bool:
        """It takes no more chunks."""
        return bool(self.spoiled or self.executor._flags.broken or self.executor._flags.shutdown)

    def submit(self, *message: Any) -> Future[bytes]:
        """Queue a chunk, and have an eye on the workers."""
        future: Future[bytes] = self.executor.submit(_answer, *message)
        future.__class__ = _MayBeCancelled
        if not self._processes:
            self._processes = list(self.executor._processes.values())
            if hasattr(os, "pidfd_open"):
                Watch(self.executor).start()
        return future

    def died(self, error: BaseException) -> WorkerDiedError:
        """What became of a chunk that the executor lost."""
        if self.alone and self._processes:
            code = self._processes[0].exitcode
            died = WorkerDiedError(f"its worker process {groups.in_words(code)}", exitcode=code)
        else:
            died = WorkerDiedError(f"a worker process of joblib's executor ended: {describe(error)}", certain=False)
        died.__cause__ = error
        return died

    def clean(self) -> None:
        """Let go of the memory maps of what has ended."""
        self._folders.renew()

    def end(self) -> None:
        """Kill the workers."""
        with suppress(Empty):  # loky drops what waits, and would then look for it by these numbers.
            while True:
                self.executor._work_ids.get_nowait()
        self.executor.shutdown(wait=True, kill_workers=True)
        for process in list((self.executor._processes or {}).values()):  # those over whom nobody has watched yet
            _kill(process)
        self._folders.remove()


def _kill(process: Any) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _ending() -> bool:
    return bool(getattr(threading, "_SHUTTING_DOWN", False))


class LokyPool:
    """One map's view of the shared workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor: _Executor | None = None
        self._refused: TransportError | None = None
        self._open = not _ending()
        self._jobs: weakref.WeakSet[Job] = weakref.WeakSet()
        self.capacity = 2 * workers

    def submit(self, chunk: Chunk) -> PendingChunk:
        """Pickle a chunk and queue it.

        Raises
        ------
        TransportError
            Its function or its items do not pickle, or no worker can be started.
        """
        if not self._open:
            raise TransportError("joblib's executor takes nothing more: the program is ending", about="function")
        sent = _sent(chunk.job)
        self._jobs.add(chunk.job)
        items = dump_items(chunk.items, sent.carrying)
        buffers = {**sent.buffers, **{carrier.number: carrier.array for carrier in items.segments}}
        message = sent.number, sent.job, sent.surroundings, chunk.start, items._replace(segments=()), buffers
        executor = self._entered()
        pending = _LokyChunk(executor)
        try:
            pending.future = executor.submit(*message)
        except OSError as error:
            executor.end()
            self._refused = _not_started(error)
            raise self._refused from error
        except Exception as error:
            if not executor.broken:
                text = f"joblib's executor takes nothing more: {describe(error)}"
                raise TransportError(text, about="function") from error
            pending.settle(None, executor.died(error))  # It broke in this moment.
            return pending
        pending.future.add_done_callback(pending.take)
        return pending

    def _entered(self) -> _Executor:
        """The executor; after a worker died one of this map's own, and one chunk at a time."""
        executor, self._executor = self._executor, None
        if executor is not None and executor.broken:
            _left(executor)
            executor = None
            self.capacity = 1
        if executor is None:
            if self._refused is not None:
                raise TransportError(str(self._refused), about="function") from self._refused.__cause__
            if _ending():  # What a new one makes nobody would clear away.
                raise TransportError("joblib's executor takes nothing more: the program is ending", about="function")
            try:
                executor = _entered(self._workers) if self.capacity > 1 else _alone()
            except OSError as error:
                self._refused = _not_started(error)
                raise self._refused from error
        self._executor = executor
        return executor

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        return min(limit, self.capacity)

    def abandon(self, pending: PendingChunk) -> bool:
        """Kill all workers: loky has no way to stop one."""
        if pending.cancel() or pending.done() or self._executor is None:
            return True
        if not self._open and self._executor.maps:
            return False  # This map is over, and others are at work there.
        self._executor.end()
        return True

    def close(self) -> None:
        """The workers stay for the next map."""
        if self._open:
            self._open = False
            for job in list(self._jobs):
                _sent_jobs.pop(job, None)
            if self._executor is not None:
                _left(self._executor)


_lock = threading.RLock()
_shared: _Executor | None = None
_sent_jobs: weakref.WeakKeyDictionary[Job, _SentJob] = weakref.WeakKeyDictionary()


def _entered(workers: int) -> _Executor:
    global _shared
    with _lock:
        if _shared is None or _shared.broken or (_shared.workers < workers and not _shared.maps):
            if _shared is not None:
                _shared.end()
            _shared = _Executor(workers)
        _shared.maps += 1
        return _shared


def _alone() -> _Executor:
    executor = _Executor(1, alone=True)
    executor.maps = 1
    return executor


def _left(executor: _Executor) -> None:
    with _lock:
        executor.maps -= 1
        if not executor.maps and executor.alone:
            executor.end()
        elif not executor.maps and not executor.broken:
            executor.clean()


def _sent(job: Job) -> _SentJob:
    known = _sent_jobs.get(job)
    if known is None:
        carrying = _Carrying(stays=job.items_stay)
        packed = dump_job(job, carrying)
        buffers = {carrier.number: carrier.array for carrier in packed.segments}
        number = next(segments.numbers)
        known = _sent_jobs[job] = _SentJob(number, packed._replace(segments=()), dump_surroundings(), buffers, carrying)
    return known


def open(plan: Plan) -> LokyPool:
    """A view of the shared workers."""
    return LokyPool(plan.workers)


def warm() -> int:
    """Workers that are already there."""
    shared = _shared
    return 0 if shared is None or shared.broken else len(shared.executor._processes or ())


def _forget() -> None:
    global _shared, _lock
    _shared, _lock = None, threading.RLock()
    _sent_jobs.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


# -- in a worker ---------------------------------------------------------------------------------------------------


class _Maps:
    """The buffers of a chunk and of its job, from joblib's memory maps."""

    def __init__(self, buffers: Buffers) -> None:
        self._buffers = buffers
        self._handed_out: list[Range] = []

    def buffers(self, refs: Sequence[Ref]) -> list[memoryview]:
        views = [(memoryview(self._buffers[ref.segment]), ref.readonly) for ref in refs]
        for view, _ in views:
            self._handed_out += range_of(view)
        return [view.toreadonly() if readonly else view for view, readonly in views]

    def handed_out(self) -> list[Range]:
        found, self._handed_out = self._handed_out, []
        return found


_guest: Guest | None = None


def _answer(
    number: int, job: PackedJob, snapshot: bytes, start: int, items: segments.Packed, buffers: Buffers
) -> bytes:
    """Run a chunk in a worker of loky's."""
    global _guest
    if _guest is None:
        _guest = Guest()
    return _guest.answer(number, job, snapshot, start, items, _Maps(buffers))
