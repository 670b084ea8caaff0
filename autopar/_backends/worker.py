"""The main loop of a worker process.

Messages from the caller are ``(job number, job and surroundings or None, start, items, segments)``, followed by the
descriptors of the segments; answers are ``(status, bytes)``, and before the items of a new job begin ``READY`` with
the seconds that loading the job took, since a time limit of theirs does not include imports. One chunk is in flight
at a time, so whatever breaks belongs to it. The process ends when its pipe closes, or when its parent does.
"""

from __future__ import annotations

import functools
import os
import pickle
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from autopar._backends import groups, said, variables, warned
from autopar._backends.away import run_away
from autopar._backends.context import AS_IT_IS, AsItIs, Inherited, Surroundings, remember_fresh
from autopar._backends.exceptions import describe
from autopar._backends.marks import NUMBER, Marking
from autopar._backends.parent_end import at_rest, at_work, end_with_parent
from autopar._backends.payload import Kept
from autopar._backends.pickling import dump_error
from autopar._backends.quietly import importing
from autopar._backends.segments import Arrived, HasBuffers, Packed, receive
from autopar._backends.signals import signals_noted
from autopar._backends.transport import PackedJob, dump_outcome, load_items, load_job
from autopar._backends.written import Watch
from autopar._model.work import Chunk, Job, Outcome
from autopar.errors import TransportError

OUTCOME, BAD_JOB, BAD_ITEMS, UNSUPPORTED = 0, 1, 2, 3
READY = b"ready"
JOBS_KEPT = 8
"""Jobs a worker remembers; the caller counts the same way, so both forget the same ones."""

_BLAS = ("numpy", "scipy", "sklearn", "torch")


class _Known(NamedTuple):
    """A job and what surrounded its caller."""

    job: Job
    around: Surroundings | Inherited | AsItIs
    arrived: Arrived
    watch: Watch


def main(pipe: Connection, *, fresh: bool = True, inherited: Mapping[int, Job] | None = None) -> None:
    """Serve chunks until the pipe closes.

    ``fresh`` says that this interpreter was started for it; ``inherited`` are jobs, by number, that this process has
    from the caller whose copy it is, together with all that surrounds them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to handle; it stops us if it must.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    groups.lead()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=pipe.close)  # or the caller would wait for its end in vain
    end_with_parent()
    serve(pipe, fresh=fresh, inherited=inherited)


def serve(pipe: Connection, *, fresh: bool = True, inherited: Mapping[int, Job] | None = None) -> None:
    """The loop itself, in whatever has an interpreter of its own."""
    if fresh:
        remember_fresh()
    _become_worker()
    worker, unheard = _Worker(pipe, inherited or {}), said.Unheard()
    while True:
        try:
            number, job_data, start, items, announced = pickle.loads(pipe.recv_bytes())
            arrivals = _arrivals(pipe, announced) if announced else {}
        except (EOFError, OSError):
            return
        try:
            # What imports, pickling and unpickling say is no part of the loop; items have a keeper of their own.
            with unheard:
                at_work()
                answer = worker.answer(number, job_data, start, items, arrivals)
            pipe.send_bytes(answer)
            at_rest()
        except OSError:
            return
        del job_data, items, answer, arrivals


class _Worker:
    """What a worker remembers between chunks."""

    def __init__(self, pipe: Connection, inherited: Mapping[int, Job]) -> None:
        self._pipe = pipe
        self._inherited = inherited
        self._here = Inherited() if inherited else None
        self._jobs: dict[int, _Known] = {}
        self._kept = Kept()
        self._current = 0
        self._modules = 0
        self._marking = Marking()

    def answer(
        self,
        number: int,
        job_data: tuple[PackedJob, bytes] | None,
        start: int,
        packed: Packed,
        arrivals: dict[int, tuple[int, int]],
    ) -> bytes:
        """Run a chunk."""
        began = time.perf_counter()
        if (marks := arrivals.pop(NUMBER, None)) is not None:
            self._marking = Marking(marks[0])
        try:
            known = self._enter(number, job_data, arrivals)
        except BaseException as error:
            self._kept.clear()
            return pickle.dumps((BAD_JOB, dump_error(error)))
        try:
            items: list[Any] = load_items(packed.data, packed.refs, known.arrived)
        except BaseException as error:
            return pickle.dumps((BAD_ITEMS, dump_error(error)))
        finally:
            known.arrived.keep(packed.lasting)
        self._look_at_imports(known)
        if job_data is not None:
            self._pipe.send_bytes(READY + b"%.6f" % (time.perf_counter() - began))
        warned.forget()
        marked = not known.job.repeatable
        each = self._marking.each if marked else iter
        run = functools.partial(run_away, Chunk(known.job, start, items), each=each)
        outcome = known.around.context.run(signals_noted, run)
        if marked:
            self._marking.end(len(items))
        known.watch.look(known.arrived.handed_out(), outcome)
        return pickle.dumps((OUTCOME, _dumped(outcome)), protocol=5)

    def _enter(
        self, number: int, job_data: tuple[PackedJob, bytes] | None, arrivals: Mapping[int, tuple[int, int]]
    ) -> _Known:
        """Make this process look like the caller of the job."""
        if job_data is not None:
            packed, snapshot = job_data
            self._current = 0
            around = self._here or (AsItIs() if snapshot == AS_IT_IS else Surroundings(snapshot))
            around.enter()
            arrived = Arrived(once=packed.writes_nothing)
            arrived.take(arrivals)
            job = self._inherited.get(number) or around.context.run(load_job, packed, self._kept, arrived)
            self._jobs[number] = _Known(job, around, arrived, Watch(arrived.handed_out()))
            while len(self._jobs) > JOBS_KEPT:
                del self._jobs[next(iter(self._jobs))]
            self._modules = 0
        elif number != self._current:
            self._jobs[number].around.enter()
        if job_data is None:
            self._jobs[number].arrived.take(arrivals)
        self._current = number
        return self._jobs[number]

    def _look_at_imports(self, known: _Known) -> None:
        if len(sys.modules) != self._modules:
            _after_imports(known.job, known.around)
            self._modules = len(sys.modules)


class Guest:
    """Runs chunks in a process whose main loop is another's; it knows one job at a time."""

    def __init__(self) -> None:
        groups.lead()
        remember_fresh()
        _become_worker()
        self._unheard = said.Unheard()
        self._number = 0
        self._known: tuple[Job, Surroundings, Watch] | None = None
        self._modules = 0

    def answer(
        self, number: int, packed: PackedJob, snapshot: bytes, start: int, items: Packed, buffers: HasBuffers
    ) -> bytes:
        """Run a chunk; the answer is one of :class:`_Worker`."""
        at_work()
        try:
            return self._answer(number, packed, snapshot, start, items, buffers)
        finally:
            at_rest()

    def _answer(
        self, number: int, packed: PackedJob, snapshot: bytes, start: int, items: Packed, buffers: HasBuffers
    ) -> bytes:
        with self._unheard:
            try:
                job, around, watch = self._enter(number, packed, snapshot, buffers)
            except BaseException as error:
                self._known = None
                return pickle.dumps((BAD_JOB, dump_error(error)))
            try:
                values: list[Any] = load_items(items.data, items.refs, buffers)
            except BaseException as error:
                return pickle.dumps((BAD_ITEMS, dump_error(error)))
            if len(sys.modules) != self._modules:
                _after_imports(job, around)
                self._modules = len(sys.modules)
            warned.forget()
            outcome = around.context.run(signals_noted, functools.partial(run_away, Chunk(job, start, values)))
            watch.look(buffers.handed_out(), outcome)
            return pickle.dumps((OUTCOME, _dumped(outcome)), protocol=5)

    def _enter(
        self, number: int, packed: PackedJob, snapshot: bytes, buffers: HasBuffers
    ) -> tuple[Job, Surroundings, Watch]:
        if self._known is None or number != self._number:
            self._known = None
            around = Surroundings(snapshot)
            around.enter()
            job = around.context.run(load_job, packed, Kept(), buffers)
            self._known = job, around, Watch(buffers.handed_out())
            self._number = number
        return self._known


def _become_worker() -> None:
    """What items of this process say from now on is kept for the caller."""
    said.become_worker()
    warned.watch()
    variables.receive()


def _after_imports(job: Job, around: Surroundings | Inherited | AsItIs) -> None:
    """The caller's settings hold again, and the new libraries get their share of the cores."""
    around.refresh()
    warned.watch()
    said.keep_records()
    _cap_blas_threads(job.cores)


def _arrivals(pipe: Connection, announced: Sequence[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """The segments that come with a message: number -> descriptor and size."""
    fds = receive(pipe, len(announced))
    return {number: (fd, size) for (number, size), fd in zip(announced, fds, strict=True)}


def _dumped(outcome: Outcome) -> bytes:
    try:
        return dump_outcome(outcome)
    except BaseException as error:  # Such as no memory for it: the items are lost, but not the worker.
        text = f"what became of its chunk cannot be pickled on its way back: {describe(error)}"
        return dump_outcome(Outcome([], TransportError(text, about="result")))


def _cap_blas_threads(cores: int) -> None:
    """Give this worker's BLAS and OpenMP no more threads than its share of the cores."""
    if not any(name in sys.modules for name in _BLAS):
        return
    with importing("threadpoolctl"):
        from threadpoolctl import threadpool_limits

    threadpool_limits(limits=max(1, cores))
