"""What the joblib backend asks of the engine: where the calls of one ``joblib.Parallel`` run, and to run them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from autopar._backends import load
from autopar._backends.batches import MappedArrays, run_batch
from autopar._backends.chunk import run_chunk
from autopar._backends.context import capture
from autopar._backends.processes import packed
from autopar._backends.replay import replay
from autopar._classify import classify
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record
from autopar._engine.machine import cores_here
from autopar._engine.own_workers import as_standard
from autopar._engine.passing import state_of_call, stays
from autopar._engine.story import Story, story_of
from autopar._model.hints import Settings
from autopar._model.observation import Sample
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job, Outcome, Pending
from autopar._model.workload import Workload
from autopar._observe.host import current_host
from autopar._plan import Situation
from autopar._plan.eligibility import barriers
from autopar.errors import WorkerDiedError

MOSTLY_RELEASED = 0.2
"""Share of an item's time under the GIL, or computing, up to which threads are taken: at this share five threads keep
the GIL busy. No measurement stands behind it."""


class JoblibCalls:
    """The calls of one ``joblib.Parallel``.

    Parameters
    ----------
    workers
        Most batches under way at the same time.
    inner_threads
        Threads of BLAS and OpenMP in each worker.
    arrays
        Pickles batches for worker processes.
    in_threads
        True where memory is to be shared, None where it may be planned.
    why
        What says so.
    """

    def __init__(
        self, workers: int, inner_threads: int, arrays: Callable[[], MappedArrays], in_threads: bool | None, why: str
    ) -> None:
        self._workers = workers
        self._inner_threads = inner_threads
        self._make_arrays = arrays
        self._arrays: MappedArrays | None = None
        self._told = in_threads, why
        self._in_threads, self._why = in_threads, why
        self._threads = ThreadPoolExecutor(workers, "autopar-joblib")
        self._lock = threading.Lock()
        self._running: set[Pending] = set()
        self._aborted = False
        self._function: Any = None
        self._state: FunctionState | None = None
        self._workload: Workload | None = None
        self._context = copy_context()
        share = max(1, cores_here(current_host()) // workers)
        self._job = self._job_here = Job(_call, star=True, cores=share, ordered=False)
        self._under_way = False
        self._began = self._began_unix = 0.0
        self._submitted = self._items = 0
        self._error = ""
        self._notes: dict[str, None] = {}
        self._story: Story | None = None

    def submit(self, batch: Callable[[], Any]) -> Future[Any]:
        """Have a batch run."""
        if not self._under_way:
            self._begin(batch)
        start = self._submitted
        self._submitted += _length(batch)
        return self._threads.submit(self._run, batch, start)

    def _begin(self, batch: Any) -> None:
        """The first batch of a call of ``Parallel``."""
        self._under_way, self._error = True, ""
        self._submitted = self._items = 0
        self._began, self._began_unix = time.perf_counter(), time.time()
        state = self._plan(batch)
        self._story = story_of(state.name, "joblib", None)
        if self._story is not None:
            self._story.plan(self.plan, self._why)

    def _plan(self, batch: Any) -> FunctionState:
        """Choose between threads and processes by what is known of the first function, or as for the last call."""
        calls = getattr(batch, "items", None)
        function: Callable[..., Any] = calls[0][0] if calls else batch
        state = self._state
        if state is None or function is not self._function:
            self._function = function
            state = self._state = state_of_call(function)
            self._choose(function, state)
        self._job = self._job_here if self._in_threads else _job_for(self._inner_threads)
        return state

    def _choose(self, function: Callable[..., Any], state: FunctionState) -> None:
        self._workload = None
        self._in_threads, self._why = self._told
        if self._in_threads is None:
            # Of what comes anew with each call, such as scikit-learn's wrappers, the analysis would be anew too.
            self._in_threads = stays(function) and state.calls.items >= self._workers and self._as_well_on_threads()
            self._why = (
                "its calls wait or compute without the GIL, and change nothing that others see"
                if self._in_threads
                else "joblib's calls run in processes unless they are known to do as well on threads"
            )

    def _as_well_on_threads(self) -> bool:
        """Nothing its calls do would show there, and they leave the GIL to one another."""
        state = self._state
        if state is None:
            return False
        host, traits = current_host(), state.traits()
        self._workload = workload = classify(traits, state.calls, host)
        situation = Situation(traits, workload, state.calls, host, Settings(), None, seen=state.calls.items)
        waits = workload.cpu_per_item < MOSTLY_RELEASED * workload.seconds_per_item
        released = workload.gil_share is not None and workload.gil_share <= MOSTLY_RELEASED
        return (waits or released) and not barriers("threads", situation)

    @property
    def plan(self) -> Plan:
        """Where they run."""
        return Plan(backend="threads" if self._in_threads else "processes", workers=self._workers)

    def _run(self, batch: Any, start: int) -> Any:
        items = _length(batch)
        outcome = self._here(batch) if self._in_threads else self._in_process(batch)
        error = outcome.error
        if error is not None:
            self._failed(start, items, error)
            try:
                raise error
            finally:
                del error, outcome, batch
        state = self._state
        with self._lock:
            self._items += items
            if state is not None and not self._in_threads:
                state.calls.add(Sample(items, outcome.wall, outcome.cpu, outcome.process_cpu, outcome.waits))
        return outcome.values[0]

    def _failed(self, start: int, items: int, error: BaseException) -> None:
        """A batch has raised; which of its calls did is not known where it has several."""
        with self._lock:
            if self._aborted:
                return
            self._error = self._error or type(error).__qualname__
        if self._story is not None:
            if isinstance(error, WorkerDiedError):
                self._story.died(self.plan, start, items, error)
            self._story.failed(start, error)

    def _here(self, batch: Any) -> Outcome:
        return self._context.copy().run(run_chunk, Chunk(self._job, 0, [(batch,)]))

    def _in_process(self, batch: Any) -> Outcome:
        with self._lock:
            if self._arrays is None:
                self._arrays = self._make_arrays()
        try:
            data = self._arrays.pack(batch)
            del batch
            pending = load("processes").open(self.plan).submit(Chunk(self._job, 0, [(data,)]))
        except BaseException as raised:
            return Outcome([], as_standard(raised))
        with self._lock:
            self._running.add(pending)
            aborted = self._aborted
        if aborted:
            self.abort()
        try:
            error = pending.exception()
        finally:
            with self._lock:
                self._running.discard(pending)
        if error is not None:
            return Outcome([], as_standard(error))
        outcome = pending.result()
        replay(outcome.emitted, self._notes.setdefault)
        if outcome.lost is not None:
            return Outcome([], as_standard(outcome.values[outcome.lost].error))
        if outcome.error is None:
            (answer,) = outcome.values
            outcome.values[0] = answer.values
            outcome.wall -= answer.loading
            outcome.cpu -= answer.loading_cpu
            outcome.process_cpu -= answer.loading_cpu
        return outcome

    def abort(self) -> None:
        """Give up what runs and what waits; processes end, threads cannot."""
        with self._lock:
            self._aborted = True
            running = list(self._running)
        self._threads.shutdown(wait=False, cancel_futures=True)
        pool = load("processes").open(self.plan) if running else None
        for pending in running:
            if pool is not None:
                pool.abandon(pending)
            if not pending.done():
                pending.set_exception(RuntimeError("joblib has aborted the call"))

    def close(self) -> None:
        """All is done, or nobody waits for it."""
        self._threads.shutdown(wait=False)
        if self._arrays is not None:
            self._arrays.clean()
            self._arrays = None

    def record(self, error: BaseException | None = None) -> None:
        """Write down how a call of ``Parallel`` went, which has ended by itself or by an error."""
        state, story = self._state, self._story
        if state is None or not self._under_way:
            return
        self._under_way, self._story = False, None
        notes, self._notes = self._notes, {}
        decision = record(
            state,
            operation="joblib",
            started=self._began_unix,
            items=self._items,
            workload=self._workload,
            plan=self.plan,
            rejected=(),
            why=self._why,
            predicted=None,
            actual=time.perf_counter() - self._began,
            serial_estimate=None,
            tried=((self.plan, self._items),),
            notes=(),
            fallbacks=tuple(notes),
            error=self._error or ("" if error is None else type(error).__qualname__),
        )
        if story is not None:
            for why in notes:
                story.fell_back(why)
            story.ended(decision)


def _length(batch: Any) -> int:
    """Calls in a batch."""
    return len(batch) if hasattr(batch, "__len__") else 1


def _call(batch: Callable[[], Any]) -> Any:
    return batch()


_job: tuple[int, bytes, Job] | None = None
"""The last job of worker processes, and what surrounded its caller: where that has not changed they need no other."""


def _job_for(inner_threads: int) -> Job:
    """What worker processes do with a batch, which have to look like the thread that asks for it."""
    global _job
    around = capture()
    known = _job
    if known is not None and known[:2] == (inner_threads, around):
        return known[2]
    job = Job(
        run_batch,
        star=True,
        reference=(run_batch.__module__, run_batch.__name__),
        name="a batch of joblib's",
        cores=inner_threads,
        ordered=False,
    )
    packed(Chunk(job, 0, []))
    _job = inner_threads, around, job
    return job
