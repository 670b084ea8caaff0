"""Single calls: sampled where they happen, or sent away by ``submit``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any

from autopar._backends import load
from autopar._backends.replay import replay
from autopar._classify import classify
from autopar._engine.cluster import look, open_pool
from autopar._engine.discreet import discreet
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record
from autopar._engine.machine import closed_ways, cores_here, threads_left, warm_workers
from autopar._engine.notice import users_line
from autopar._engine.story import Story, story_of
from autopar._engine.streams import draws_from_numpy, may_draw, root_seed
from autopar._engine.tierup import CALL_SECONDS, note_calls
from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._model.observation import Profile, Sample
from autopar._model.plan import BACKENDS, Choice, Plan
from autopar._model.work import Chunk, Failure, Job, Pending
from autopar._observe.host import current_host
from autopar._plan import Situation, choose
from autopar.errors import ItemTimeoutError, TransportError, WorkerDiedError

PROCESS_WORTH = 5e-3
"""CPU seconds of a call from which ``submit`` prefers a process: 50 times a process chunk's dispatch
(benchmarks/backend_costs.py), so sending it costs under 2 %."""


ENDS_ALONE = frozenset({"processes", "multiprocessing"})
"""Backends that end one running call without touching another."""

Reading = tuple[int, int, int, int, int]
"""What ``thread_probe`` gives."""


def take_sample(
    state: FunctionState,
    target: Callable[..., Any],
    args: Any,
    kwargs: Any,
    before: Reading,
    after: Reading,
    stands_for: int | None = None,
) -> None:
    """Add what a call took to the function's profile; if it may be compiled, it ``stands_for`` so many like it."""
    wall, cpu, _, waits, _ = (ended - began for began, ended in zip(before, after, strict=True))
    # The CPU clock is read outside of the wall clock: of a short call it shows its own reading.
    state.calls.add(Sample(1, wall / 1e9, min(cpu, wall) / 1e9, None, waits))
    saved = wall / 1e9 - CALL_SECONDS
    if stands_for is not None and target is state.function and saved > 0:
        note_calls(state, args, kwargs, saved * stands_for)


def target_of(state: FunctionState, compiler: str | None) -> list[Callable[..., Any]]:
    """What single calls run, as the only item, which changes when the function has been compiled."""
    if compiler is None:
        return state.target
    return [state.function] if compiler == "python" else state.demanded_target(compiler)


class CallFuture(Future[Any]):
    """The future of one call; cancelling it reaches the worker's queue, and the worker where that is a process.

    Parameters
    ----------
    inner
        The call under way.
    stop
        Ends it where that is possible, and says whether it has.
    """

    def __init__(self, inner: Pending | None = None, stop: Callable[[Any], bool] | None = None) -> None:
        super().__init__()
        self._inner = inner
        self._stop = stop

    def cancel(self) -> bool:
        """Cancel the call, unless it has ended or runs on a thread, which cannot be stopped."""
        inner = self._inner
        if inner is None or inner.cancel():
            return super().cancel()
        stop = self._stop
        if stop is None or inner.done():
            return False
        with self._condition:  # From here on what becomes of the call is nobody's concern.
            cancelled = super().cancel()
        if cancelled:
            stop(inner)
        return cancelled

    def ended(self) -> None:
        """Let go of the call, and of all that it took to run it: many such futures may be kept."""
        self._inner = self._stop = None

    def running(self) -> bool:
        """A worker has started the call."""
        inner = self._inner
        return not self.done() and inner is not None and inner.running()


def submit_call(state: FunctionState, args: tuple[Any, ...], kwargs: dict[str, Any], settings: Settings) -> Future[Any]:
    """Start one call elsewhere.

    A thread is the rule; a process is taken for calls known to compute under the GIL for long, if nothing they do
    would be lost there.
    """
    state = state.under(settings.terms)
    connection, cluster = look(settings, current_host().cores) if settings.backend == "dask" else (None, None)
    choice = choose_for_call(state, settings, cluster=cluster)
    plan = choice.plan
    elsewhere, traits = not BACKENDS[plan.backend].same_process, state.traits()
    job = Job(
        state.function if elsewhere else target_of(state, settings.compiler)[0],
        star=True,
        kwargs=kwargs,
        collect=True,
        retry=settings.retry,
        seed=root_seed(settings.seed) if elsewhere or may_draw(traits) else None,
        reference=state.reference() if elsewhere else None,
        shared=state.shared_globals() if elsewhere else {},
        name=state.name,
        cores=max(1, cores_here(current_host()) // 2),
        ordered=False,
        numpy_random=settings.seed is not None and draws_from_numpy(state.traits()),
        line=users_line(),
        repeatable=settings.may_repeat or not (traits.report.effects or traits.outside_calls),
        timeout=settings.timeout,
    )
    chunk = Chunk(job, 0, [args])
    started, started_unix = time.perf_counter(), time.time()
    pool = load(plan.backend).open(plan) if connection is None else open_pool(plan, connection, settings)
    fallbacks: list[str] = []
    try:
        inner = pool.submit(chunk)
    except TransportError as error:
        if settings.backend is not None:
            raise
        fallbacks.append(f"left {plan}: {discreet(error)}")
        plan = Plan(backend="threads", workers=1)
        pool = load("threads").open(plan)
        inner = pool.submit(chunk)
    future = CallFuture(inner, pool.abandon if plan.backend in ENDS_ALONE else None)
    story = _story(state.name, plan, choice, fallbacks)

    def finish(inner: Pending) -> None:
        if inner.cancelled():
            future.cancel()
            if story is not None:
                story.dropped(CancelledError())
            future.ended()
            return

        def failed(error: BaseException) -> None:
            if story is not None:
                _tell(story, plan, error)

        value, error = _answer(inner, args, settings, fallbacks.append, failed)
        decision = record(
            state,
            operation="submit",
            started=started_unix,
            items=1,
            workload=choice.workload,
            plan=plan,
            rejected=choice.rejected,
            why=choice.why,
            predicted=None,
            actual=time.perf_counter() - started,
            serial_estimate=None,
            tried=((plan, 1),),
            notes=choice.notes,
            fallbacks=tuple(fallbacks),
            error="" if error is None else type(error).__qualname__,
        )
        try:
            if story is not None:
                for why in fallbacks:
                    story.fell_back(why)
                story.ended(decision)
        finally:
            _settle(future, value, error)
            future.ended()

    if settings.timeout is not None:
        _watch(inner, pool.abandon, settings.timeout)
    inner.add_done_callback(finish)
    inner.add_done_callback(lambda _: pool.close())
    return future


def choose_for_call(
    state: FunctionState,
    settings: Settings,
    *,
    remaining: int | None = None,
    warm: Mapping[str, int] | None = None,
    cluster: Cluster | None = None,
) -> Choice:
    """A thread, unless a process is demanded or clearly better; serial is no answer to ``submit``.

    Of calls that come together there are ``remaining``; ``warm`` are the workers that an executor of its own has.
    """
    worth = PROCESS_WORTH if remaining is None else 0.0
    profile = state.calls if state.calls.items else next(iter(state.memory.latest.values()), Profile())
    host, traits = current_host(), state.traits()
    workload = classify(traits, profile, host)
    closed = closed_ways(settings.backend)
    situation = Situation(
        traits=traits,
        workload=workload,
        profile=profile,
        host=host,
        settings=settings,
        remaining=max(1, host.cores) * 4 if remaining is None else remaining,
        seen=profile.items,
        cores=cores_here(host),
        threads=threads_left(),
        warm=warm_workers() if warm is None else warm,
        forks="multiprocessing" not in closed,
        excluded=closed,
        ordered=False,
        cluster=cluster,
    )
    choice = choose(situation)
    if settings.backend is None and (choice.plan.backend != "processes" or workload.cpu_per_item < worth):
        why = "submit() promises not to block its caller; a thread of this process sees and changes the same objects"
        return Choice(Plan(backend="threads", workers=1), workload, choice.rejected, why)
    if choice.plan.backend == "serial":
        return choice
    return Choice(
        Plan(choice.plan.compiler, choice.plan.backend, max(1, choice.plan.workers)),
        workload,
        choice.rejected,
        choice.why,
        notes=choice.notes if cluster is None else (*choice.notes, *cluster.notes),
    )


def _story(name: str, plan: Plan, choice: Choice, fallbacks: list[str]) -> Story | None:
    """The beginning of what is told of a call, if anybody listens."""
    story = story_of(name, "submit", 1)
    if story is not None:
        if fallbacks:
            story.plan(choice.plan, choice.why)
        story.plan(plan, "" if fallbacks else choice.why)
    return story


def _tell(story: Story, plan: Plan, error: BaseException) -> None:
    """The call has raised."""
    if isinstance(error, WorkerDiedError):
        story.died(plan, 0, 1, error)
    story.failed(0, error)


def _answer(
    inner: Pending,
    args: tuple[Any, ...],
    settings: Settings,
    note: Callable[[str], object],
    failed: Callable[[BaseException], object],
) -> tuple[Any, BaseException | None]:
    error = inner.exception()
    if error is None:
        outcome = inner.result()
        try:
            replay(outcome.emitted, note)
        except BaseException as raised:
            return None, raised
        if outcome.error is not None:
            error = outcome.error
        elif isinstance(outcome.values[0], Failure):
            error = outcome.values[0].error
        else:
            return outcome.values[0], None
    failed(error)
    if isinstance(error, Exception) and settings.on_error != "raise":
        if not callable(settings.on_error):
            return error, None
        try:
            return settings.on_error(error, args), None
        except BaseException as raised:
            return None, raised
    return None, error


def _settle(future: Future[Any], value: Any, error: BaseException | None) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _watch(inner: Pending, abandon: Callable[[Any], bool], timeout: float) -> None:
    """End a call that runs past its time-out."""

    def expire() -> None:
        if inner.done():
            return
        abandon(inner)
        if not inner.done():
            with suppress(InvalidStateError):
                inner.set_exception(ItemTimeoutError(f"took longer than timeout={timeout:g} seconds"))

    timer = threading.Timer(min(timeout, threading.TIMEOUT_MAX), expire)
    timer.daemon = True
    timer.start()
    inner.add_done_callback(lambda _: timer.cancel())
