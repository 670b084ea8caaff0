"""Single calls: sampled where they happen, or sent away by ``submit``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from autopar._backends import load
from autopar._backends.replay import replay
from autopar._classify import classify
from autopar._compilers.native import Refusal
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record
from autopar._engine.machine import cores_here, threads_left, warm_workers
from autopar._engine.native import CACHED_SECONDS, COMPILE_SECONDS, DemandedCall, types_of_call
from autopar._engine.notice import users_line
from autopar._engine.task import draws_from_numpy, root_seed
from autopar._model.hints import Settings
from autopar._model.observation import Profile, Sample
from autopar._model.plan import Choice, Plan
from autopar._model.work import Chunk, Failure, Job, Pending
from autopar._native_api import thread_probe
from autopar._observe.host import current_host
from autopar._plan import Situation, choose
from autopar.errors import ItemTimeoutError, TransportError

if TYPE_CHECKING:
    from autopar._compilers.native.compiled import CompiledFunction

PROCESS_WORTH = 5e-3
"""CPU seconds of a call from which ``submit`` prefers a process: 50 times a process chunk's dispatch
(benchmarks/backend_costs.py), so sending it costs under 2 %."""


def sample_call(
    state: FunctionState, function: Callable[..., Any], args: Any, kwargs: Any, stands_for: int | None = None
) -> Any:
    """Call a function here and add what it took to its profile.

    If it may be compiled, the call ``stands_for`` so many like it.
    """
    before = thread_probe()
    result = function(*args, **kwargs)
    after = thread_probe()
    state.calls.add(Sample(1, (after[0] - before[0]) / 1e9, (after[1] - before[1]) / 1e9, None, after[3] - before[3]))
    if stands_for is not None and function is state.function:
        compile_if_it_pays(state, args, kwargs, (after[0] - before[0]) / 1e9 * stands_for)
    return result


def target_of(state: FunctionState, compiler: str | None) -> list[Callable[..., Any]]:
    """What single calls run, as the only item, which changes when the function has been compiled."""
    if compiler == "native":
        return [DemandedCall(state.demanded_forms)]
    return state.target if compiler is None else [state.function]


def compile_if_it_pays(state: FunctionState, args: Any, kwargs: Any, seconds: float) -> None:
    """Count what calls have taken in Python; once that is what compiling costs, have it done, for calls like this."""
    state.spent += seconds
    if state.spent < min(CACHED_SECONDS, COMPILE_SECONDS) or state.target[0] is not state.function:
        return
    types = types_of_call(state.function, args, kwargs)
    if isinstance(types, Refusal):
        if state.spent >= COMPILE_SECONDS:
            state.spent = 0.0  # another call may be of other types
        return
    if state.spent < state.forms.cost(types):
        return

    def install(form: CompiledFunction) -> None:
        form.listener = lambda call: state.target.__setitem__(0, call)
        if not form.withdrawn:
            state.target[0] = form.call

    form = state.forms.begin(types, then=install)
    if form is None:
        return
    state.spent = 0.0
    if not isinstance(form, Refusal):
        install(form)


class CallFuture(Future[Any]):
    """The future of one call; cancelling it reaches the worker's queue."""

    def __init__(self, inner: Pending | None = None) -> None:
        super().__init__()
        self._inner = inner

    def cancel(self) -> bool:
        """Cancel the call if no worker has started it."""
        if self._inner is not None and not self._inner.cancel():
            return False
        return super().cancel()

    def running(self) -> bool:
        """A worker has started the call."""
        return not self.done() and self._inner is not None and self._inner.running()


def submit_call(state: FunctionState, args: tuple[Any, ...], kwargs: dict[str, Any], settings: Settings) -> Future[Any]:
    """Start one call elsewhere.

    A thread is the rule; a process is taken for calls known to compute under the GIL for long, if nothing they do
    would be lost there.
    """
    choice = choose_for_call(state, settings)
    plan = choice.plan
    job = Job(
        state.function if plan.backend == "processes" else target_of(state, settings.compiler)[0],
        star=True,
        kwargs=kwargs,
        collect=True,
        retries=settings.retries,
        seed=root_seed(settings.seed),
        reference=state.reference() if plan.backend == "processes" else None,
        shared=state.shared_globals() if plan.backend == "processes" else {},
        name=state.name,
        cores=max(1, cores_here(current_host()) // 2),
        ordered=False,
        numpy_random=settings.seed is not None and draws_from_numpy(state.traits()),
        line=users_line(),
    )
    chunk = Chunk(job, 0, [args])
    started, started_unix = time.perf_counter(), time.time()
    pool = load(plan.backend).open(plan)
    fallbacks: list[str] = []
    try:
        inner = pool.submit(chunk)
    except TransportError as error:
        if settings.backend is not None:
            raise
        fallbacks.append(f"left {plan}: {error}")
        plan = Plan(backend="threads", workers=1)
        pool = load("threads").open(plan)
        inner = pool.submit(chunk)
    future = CallFuture(inner)

    def finish(inner: Pending) -> None:
        if inner.cancelled():
            future.cancel()
            return
        value, error = _answer(inner, args, settings)
        record(
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
        _settle(future, value, error)

    if settings.timeout is not None:
        _watch(inner, pool.abandon, settings.timeout)
    inner.add_done_callback(finish)
    return future


def choose_for_call(
    state: FunctionState, settings: Settings, *, remaining: int | None = None, warm: Mapping[str, int] | None = None
) -> Choice:
    """A thread, unless a process is demanded or clearly better; serial is no answer to ``submit``.

    Of calls that come together there are ``remaining``; ``warm`` are the workers that an executor of its own has.
    """
    worth = PROCESS_WORTH if remaining is None else 0.0
    profile = state.calls if state.calls.items else next(iter(state.memory.latest.values()), Profile())
    host, traits = current_host(), state.traits()
    workload = classify(traits, profile, host)
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
        ordered=False,
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
        notes=choice.notes,
    )


def _answer(inner: Pending, args: tuple[Any, ...], settings: Settings) -> tuple[Any, BaseException | None]:
    error = inner.exception()
    if error is None:
        outcome = inner.result()
        try:
            replay(outcome.emitted)
        except BaseException as raised:
            return None, raised
        if outcome.error is not None:
            error = outcome.error
        elif isinstance(outcome.values[0], Failure):
            error = outcome.values[0].error
        else:
            return outcome.values[0], None
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
