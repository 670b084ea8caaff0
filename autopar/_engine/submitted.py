"""The calls of an executor: where each runs is decided when its turn comes, by what earlier ones have taught."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from contextvars import copy_context
from typing import Any

from autopar._backends.chunk import run_chunk
from autopar._backends.replay import replay
from autopar._backends.turns import Turn
from autopar._engine.calls import PROCESS_WORTH, choose_for_call, target_of
from autopar._engine.discreet import discreet
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record, record_briefly
from autopar._engine.notice import users_line
from autopar._engine.own_clusters import OwnPool
from autopar._engine.own_workers import Workers, as_standard
from autopar._engine.story import Story, story_of
from autopar._engine.streams import draws_from_numpy, may_draw, root_seed
from autopar._engine.tierup import note_calls
from autopar._model.hints import Settings
from autopar._model.observation import Sample
from autopar._model.plan import LOOP, Choice, Plan
from autopar._model.work import Chunk, Failure, Job, Outcome, Pending
from autopar._plan.costs import DEFAULT_COSTS
from autopar.errors import ItemTimeoutError, TransportError, WorkerDiedError

THREAD = Plan(backend="threads", workers=1)

MAP_WORTH = 0.02
"""CPU seconds that are left of a map from which a plan is asked for, about what it takes to fork two workers (15 ms,
benchmarks/backend_costs.py); no measurement of maps stands behind it."""

CONTENDED = 0.8
"""Cores that this process kept busy from which a call's wall time says more about the others than about itself; no
measurement stands behind it."""


class Calls:
    """Calls of one function that were submitted together: one, or those of a map.

    Parameters
    ----------
    workers
        The executor's.
    function, state
        What is called, out of its wrapper, and what is known of it.
    kwargs
        Keyword arguments of all calls.
    settings
        Resolved hints.
    operation
        Which method of the executor it is, for the record.

    Attributes
    ----------
    dispatch
        Seconds for handing over a chunk, as far as known.
    story
        What is told of them, or None.
    """

    def __init__(
        self,
        workers: Workers,
        state: FunctionState,
        kwargs: dict[str, Any],
        settings: Settings,
        operation: str = "submit",
    ) -> None:
        self.settings = settings
        self.state = state.under(settings.terms)
        self._workers = workers
        self._kwargs = kwargs
        self._operation = operation
        self._context = copy_context()
        self._line = users_line()
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._choice: Choice | None = None
        self._plan: Plan | None = self._settled_plan()
        self._seed = root_seed(settings.seed)
        self._draws = self._seed is not None and may_draw(self.state.traits())
        self._tried: dict[Plan, int] = {}
        self._fallbacks: list[str] = []
        self._pool: OwnPool | None = None
        self._began = time.perf_counter()
        self._began_unix = time.time()
        self._asked_at = 0
        self._first = 0
        self.story: Story | None = None
        self.dispatch = DEFAULT_COSTS.process_dispatch

    def listen(self, total: int | None) -> Story | None:
        """Begin what is told of them, if anybody would hear it."""
        self.story = story_of(self.state.name, self._operation, total)
        return self.story

    @property
    def carefully(self) -> bool:
        """Items may not be looked at together."""
        return self.settings.timeout is not None

    # -- where --------------------------------------------------------------------------------------------------------

    def _settled_plan(self) -> Plan | None:
        """The plan where there is nothing to decide."""
        backend = self.settings.backend
        if self._workers.forced:
            return Plan(backend="processes", workers=self._workers.limit)
        if backend in ("threads", "serial"):
            return Plan(backend=backend, workers=self._workers.limit)
        return None

    def _plan_now(self, remaining: int | None) -> Plan:
        """The plan of the next items; of a map so many are left."""
        if self._plan is not None:
            return self._plan
        profile = self.state.calls
        with self._lock:
            if self.settings.backend is None:
                cpu, known = profile.cpu_per_item, profile.items
                if remaining is None:
                    undecided = cpu < PROCESS_WORTH
                else:
                    undecided = cpu * remaining < MAP_WORTH or known < 2 * self._asked_at
                if undecided and self._choice is None:
                    return THREAD
                self._asked_at = max(1, known)
            elif self._choice is not None:
                return self._choice.plan
            if self._choice is None or self._choice.plan.backend == "threads":
                warm = {"processes": len(self._workers.processes.processes)} if self._workers.has_processes() else {}
                cluster = self._workers.cluster(self.settings) if self.settings.backend == "dask" else None
                if cluster is not None:
                    self.dispatch = cluster.chunk
                self._choice = choose_for_call(
                    self.state, self.settings, remaining=remaining, warm=warm, cluster=cluster
                )
            return self._choice.plan

    # -- running ------------------------------------------------------------------------------------------------------

    def submit_one(self, args: tuple[Any, ...]) -> Future[Any]:
        """Have a single call made."""
        self._first = number = self._workers.next_number()
        submit = functools.partial(self._workers.submit, functools.partial(self.run_one, args, number))
        story = self.listen(1)
        return submit() if story is None else story.of(submit)

    def run_one(self, args: tuple[Any, ...], number: int) -> Any:
        """The answer of a single call; raises what it raises."""
        outcome, error = None, None
        try:
            outcome = self.run(number, [args])
            error = outcome.error
        except BaseException as raised:
            error = raised
        self.record(_type_of(error))
        if error is None and outcome is not None:
            return outcome.values[0]
        try:
            raise error  # type: ignore[misc]
        finally:
            del error, outcome, args

    def run(self, start: int, items: Sequence[tuple[Any, ...]], remaining: int | None = None) -> Outcome:
        """Run consecutive items; what ends them early is the error of the outcome, after the results before it."""
        if self._workers.broken is not None:
            return Outcome([], self._workers.broken)
        plan = self._plan_now(remaining)
        if self.story is not None:
            self.story.plan(plan, self._why())
        if plan.backend == "processes":
            outcome = self._in_process(plan, start, items)
        elif plan.backend in ("threads", "serial"):
            outcome = self._here(plan, start, items)
        else:
            outcome = self._on_pool(plan, start, items)
        return self._answered(outcome, start, items)

    def _here(self, plan: Plan, start: int, items: Sequence[Any]) -> Outcome:
        """On this thread; where it must not take longer than so long, on another."""
        chunk = Chunk(self._job("threads"), start, items)
        if self.settings.timeout is not None:
            outcome = self._on_pool(plan, start, items)
        else:
            begun = self._workers.overlapping.begin()
            outcome = self._context.copy().run(run_chunk, chunk)
            alone = self._workers.overlapping.end(begun)
            self._learn(outcome, alone=alone)
        self._count(plan, outcome)
        in_python = chunk.job.function is self.state.function and self.settings.compiler is None
        if outcome.error is None and len(items) == 1 and in_python:
            note_calls(self.state, items[0], self._kwargs, outcome.wall)
        return outcome

    def _learn(self, outcome: Outcome, *, alone: bool) -> None:
        # Calls that overlap wait for the GIL and for one another, which says nothing of what they do themselves.
        waits = outcome.waits if alone else 0
        contended = not alone and outcome.process_cpu > CONTENDED * outcome.wall
        wall = outcome.cpu if contended else outcome.wall
        with self.state.lock:
            self.state.calls.add(Sample(len(outcome.values), wall, outcome.cpu, None, waits))

    def _in_process(self, plan: Plan, start: int, items: Sequence[Any]) -> Outcome:
        from autopar._backends.own_processes import NoWorkerError

        timer = _Limit(self.settings.timeout)
        try:
            run = functools.partial(self._workers.processes.run, limit=timer)
            outcome = self._context.copy().run(run, self._job("processes"), start, items)
        except NoWorkerError as error:
            return Outcome([], self._workers.break_down(error))
        except TransportError as error:
            return self._not_sent(plan, start, items, error)
        except WorkerDiedError as error:
            if timer.expired:
                return Outcome([], _too_long(self.settings.timeout))
            return self._died(plan, start, items, error)
        self._count(plan, outcome)
        replay(outcome.emitted, self._note)
        if outcome.lost is not None:
            return self._lost_result(start, items, outcome, outcome.lost)
        return outcome

    def _not_sent(self, plan: Plan, start: int, items: Sequence[Any], error: TransportError) -> Outcome:
        """Nothing has run yet: here it can, unless a process is demanded."""
        if not self._demanded:
            self._leave(plan, discreet(error))
            return self._here(THREAD, start, items)
        if len(items) > 1 and error.about == "item":
            return self._one_by_one(start, items)
        return Outcome([], as_standard(error))

    def _died(self, plan: Plan, start: int, items: Sequence[Any], error: WorkerDiedError) -> Outcome:
        """Whoever of the items it was is to be found, if they may run again."""
        if self.story is not None:
            self.story.died(plan, start - self._first, len(items), error)
        if len(items) > 1 and self._repeatable:
            self._note(f"{discreet(error)}; the {len(items)} items it held ran again, one by one")
            return self._one_by_one(start, items)
        return Outcome([], as_standard(error))

    def _lost_result(self, start: int, items: Sequence[Any], outcome: Outcome, place: int) -> Outcome:
        """A result that cannot come back; without effects its item runs again where it need not."""
        failure = outcome.values[place]
        del outcome.values[place:]
        if not self._demanded and self._repeatable:
            self._leave(self._choice.plan if self._choice else THREAD, str(failure.error))
            rest = self._here(THREAD, start + place, items[place:])
            return Outcome(outcome.values + rest.values, rest.error)
        return Outcome(outcome.values, as_standard(failure.error))

    def _one_by_one(self, start: int, items: Sequence[Any]) -> Outcome:
        values: list[Any] = []
        for place, item in enumerate(items):
            plan = self._plan_now(len(items))
            away = self._in_process if plan.backend == "processes" else self._on_pool
            outcome = away(plan, start + place, [item])
            values += outcome.values
            if outcome.error is not None:
                return Outcome(values, outcome.error)
        return Outcome(values)

    def _on_pool(self, plan: Plan, start: int, items: Sequence[Any]) -> Outcome:
        """On the workers that all maps share, or on a cluster."""
        elsewhere = plan.backend not in ("threads", "serial")
        chunk = Chunk(self._job("processes" if elsewhere else "threads"), start, items)
        with self._lock:
            pool = self._pool = self._pool or OwnPool(plan, self.settings, self._workers.clusters)
        try:
            # Its turn at the random streams comes before its time begins.
            with nullcontext() if elsewhere or chunk.job.seed is None else Turn(chunk.job.seed) as turn:
                pending = pool.submit(self._context if turn is None else turn.within(self._context), chunk)
                if not _ended(pending, self.settings.timeout):
                    pool.abandon(pending)
                    return Outcome([], _too_long(self.settings.timeout))
        except TransportError as raised:
            return self._not_sent(plan, start, items, raised)
        error = pending.exception()
        if isinstance(error, TransportError):
            return self._not_sent(plan, start, items, error)
        if isinstance(error, WorkerDiedError):
            return self._died(plan, start, items, error)
        if error is not None:
            return Outcome([], as_standard(error))
        outcome = pending.result()
        if not elsewhere:
            return outcome
        self._count(plan, outcome)
        replay(outcome.emitted, self._note)
        if outcome.lost is not None:
            return self._lost_result(start, items, outcome, outcome.lost)
        return outcome

    def _answered(self, outcome: Outcome, start: int, items: Sequence[Any]) -> Outcome:
        """With the user's answers in the place of errors."""
        on_error = self.settings.on_error
        if self.story is not None:
            self._tell_failures(self.story, outcome, start - self._first)
        if on_error == "raise":
            return outcome
        for place, value in enumerate(outcome.values):
            if isinstance(value, Failure):
                try:
                    answer = on_error(value.error, items[place]) if callable(on_error) else value.error  # type: ignore[arg-type]
                except BaseException as raised:
                    return Outcome(outcome.values[:place], raised)
                outcome.values[place] = answer
        if isinstance(outcome.error, Exception):
            place = len(outcome.values)
            rest = self._answered(Outcome([Failure(outcome.error)]), start + place, items[place : place + 1])
            if rest.error is None and place + 1 < len(items):
                more = self.run(start + place + 1, items[place + 1 :], len(items))
                rest = Outcome(rest.values + more.values, more.error)
            return Outcome(outcome.values + rest.values, rest.error)
        return outcome

    def _tell_failures(self, story: Story, outcome: Outcome, start: int) -> None:
        for place, value in enumerate(outcome.values):
            if isinstance(value, Failure):
                story.failed(start + place, value.error)
        error = outcome.error
        # What is answered becomes a failure among the values, and is told of then.
        if error is not None and (self.settings.on_error == "raise" or not isinstance(error, Exception)):
            story.failed(start + len(outcome.values), error)

    @property
    def _demanded(self) -> bool:
        return self._workers.forced or self.settings.backend is not None

    @property
    def _repeatable(self) -> bool:
        settings, traits = self.settings, self.state.traits()
        return settings.may_repeat or not (traits.report.effects or traits.outside_calls)

    def _leave(self, plan: Plan, because: str) -> None:
        self._note(f"left {plan}: {because}")
        with self._lock:
            self._plan = THREAD

    def _note(self, text: str) -> None:
        """Have the decision say what went differently, once however many items it was so for."""
        with self._lock:
            if text in self._fallbacks:
                return
            self._fallbacks.append(text)
        if self.story is not None:
            self.story.fell_back(text)

    def _job(self, where: str) -> Job:
        known = self._jobs.get(where)
        if known is not None:
            return known
        state, settings, elsewhere = self.state, self.settings, where == "processes"
        alone = elsewhere and not (self._workers.has_processes() and self._workers.processes.plain)
        job = Job(
            state.function if elsewhere else target_of(state, settings.compiler)[0],
            star=True,
            kwargs=self._kwargs,
            collect=settings.on_error != "raise",
            retry=settings.retry,
            seed=self._seed if elsewhere or self._draws else None,
            reference=state.reference() if alone else None,
            shared=state.shared_globals() if alone else {},
            name=state.name,
            cores=max(1, self._workers.cores // max(1, self._workers.limit)),
            ordered=False,
            numpy_random=settings.seed is not None and draws_from_numpy(state.traits()),
            line=self._line,
            repeatable=self._repeatable,
            timeout=settings.timeout if elsewhere else None,
        )
        self._jobs[where] = job
        return job

    # -- the record ---------------------------------------------------------------------------------------------------

    def _count(self, plan: Plan, outcome: Outcome) -> None:
        with self._lock:
            self._tried[plan] = self._tried.get(plan, 0) + len(outcome.values)

    def record(self, error: str = "") -> None:
        """Write down how it went, with the type of what ended it; nothing more is to be run."""
        if self._pool is not None:
            self._pool.close()
        actual = time.perf_counter() - self._began
        items = sum(self._tried.values())
        if self._choice is None and self._plan is None and not error and self.story is None:
            record_briefly(self.state, self._operation, self._began_unix, items, actual, LOOP)
            return
        choice, tried = self._choice, tuple(self._tried.items())
        decision = record(
            self.state,
            operation=self._operation,
            started=self._began_unix,
            items=items,
            workload=None if choice is None else choice.workload,
            plan=tried[-1][0] if tried else self._plan or THREAD,
            rejected=() if choice is None else choice.rejected,
            why=self._why(),
            predicted=None,
            actual=actual,
            serial_estimate=None,
            tried=tried,
            notes=() if choice is None else choice.notes,
            fallbacks=tuple(self._fallbacks),
            error=error,
        )
        if self.story is not None:
            self.story.ended(decision)

    def _why(self) -> str:
        if self._choice is not None:
            return self._choice.why
        if self._workers.forced:
            return "the executor has a multiprocessing context, which asks for processes"
        if self.settings.backend is not None:
            return f"backend={self.settings.backend!r} is demanded"
        return "an executor runs calls on threads until they are known to compute under the GIL for long"


def _type_of(error: BaseException | None) -> str:
    return "" if error is None else type(error).__qualname__


class _Limit:
    """Ends a worker that is at its items for longer than a time."""

    def __init__(self, seconds: float | None) -> None:
        self.expired = False
        self._seconds = seconds
        self._timer: threading.Timer | None = None

    def start(self, end: Callable[[], object]) -> None:
        """The first item begins."""
        if self._seconds is not None:

            def expire() -> None:
                self.expired = True
                end()

            self._timer = threading.Timer(min(self._seconds, threading.TIMEOUT_MAX), expire)
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """They have ended."""
        if self._timer is not None:
            self._timer.cancel()


def _ended(pending: Pending, limit: float | None) -> bool:
    """Wait until it has, and no longer than so many seconds."""
    try:
        pending.exception(limit)
    except TimeoutError:
        return pending.done()
    return True


def _too_long(seconds: float | None) -> ItemTimeoutError:
    return ItemTimeoutError(f"took longer than timeout={seconds:g} seconds")
