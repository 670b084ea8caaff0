"""What is told of calls that others run: `submit`, executors, joblib."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from typing import Any

import pytest
from joblib import Parallel, delayed, parallel_config

import autopar as ap
from autopar import events, parallel
from autopar._engine.story import story_of
from tests.events.functions import double, double_later, odd_ones_fail

pytestmark = pytest.mark.usefixtures("not_eager")

around: ContextVar[str] = ContextVar("around", default="nothing")


def leave(x: int) -> int:
    if x == 2:
        os._exit(7)
    return x


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """All events of the test."""
    heard: list[Any] = []
    with events.subscribe(heard.append):
        yield heard


@pytest.fixture
def stopped() -> Iterator[tuple[ap.Executor, Future[bool]]]:
    """An executor whose only thread is busy, and the call that keeps it so."""
    begun, gate = threading.Event(), threading.Event()

    def wait() -> bool:
        begun.set()
        return gate.wait(30)

    executor = ap.Executor(max_workers=1)
    busy = executor.submit(wait)
    assert begun.wait(30)
    yield executor, busy
    gate.set()
    executor.shutdown()


def kinds(told: list[Any]) -> list[str]:
    return [event.kind for event in told]


def by_wrapper() -> Any:
    return parallel(double).submit(3).result()


def by_asubmit() -> Any:
    async def main() -> int:
        return await parallel(double).asubmit(3)

    return asyncio.run(main())


def by_coroutine() -> Any:
    return parallel(double_later).submit(3).result()


def by_executor() -> Any:
    with ap.Executor(max_workers=1) as executor:
        return executor.submit(double, 3).result()


def by_executor_and_coroutine() -> Any:
    with ap.Executor(max_workers=1) as executor:
        return executor.submit(double_later, 3).result()


@pytest.mark.parametrize(
    "call",
    [by_wrapper, by_asubmit, by_coroutine, by_executor, by_executor_and_coroutine],
    ids=lambda call: call.__name__,
)
def test_a_single_call_tells_its_story(told: list[Any], call: Callable[[], Any]) -> None:
    """Whoever submits it, a call begins, has a plan and ends as one item, with the figures of its decision."""
    assert call() == 6
    assert kinds(told) == ["map_started", "plan_chosen", "map_ended"]
    started, chosen, ended = told
    decision = ap.decisions()[-1]
    assert {(event.map, event.operation) for event in told} == {(started.map, "submit")}
    assert (started.items, chosen.backend, chosen.why) == (1, decision.plan.backend, decision.why)
    assert (ended.items, ended.decision, ended.seconds, ended.error) == (1, decision.number, decision.actual, "")


def test_a_call_that_raises(told: list[Any]) -> None:
    """Its item fails, by the type of its error, and so does the call, unless the error is answered."""
    assert isinstance(parallel(odd_ones_fail).submit(3).exception(), ValueError)
    assert isinstance(parallel(odd_ones_fail, on_error="return").submit(3).result(), ValueError)
    with ap.Executor(max_workers=1) as executor:
        assert isinstance(executor.submit(odd_ones_fail, 1).exception(), ValueError)
    failed = [event for event in told if event.kind == "item_failed"]
    assert [(event.index, event.error) for event in failed] == [(0, "ValueError")] * 3
    ended = [event for event in told if event.kind == "map_ended"]
    assert [(event.failures, event.error) for event in ended] == [(1, "ValueError"), (1, ""), (1, "ValueError")]


def test_maps_of_an_executor(told: list[Any]) -> None:
    """A map that an executor runs begins where it is called, and ends once with its first error in input order."""
    with ap.Executor(max_workers=2) as executor:
        assert list(executor.map(double, range(30))) == [2 * x for x in range(30)]
        assert list(executor.map(double, [])) == []
        with pytest.raises(ValueError, match="secret"):
            list(executor.map(odd_ones_fail, range(9)))
    started = [event for event in told if event.kind == "map_started"]
    assert [(event.operation, event.items) for event in started] == [("map", 30), ("map", 0), ("map", 9)]
    # The last chunk's results are there a moment before its thread says so: maps may end in another order.
    ended = sorted((event for event in told if event.kind == "map_ended"), key=lambda event: event.map)
    assert [(event.items, event.error) for event in ended][:2] == [(30, ""), (0, "")]
    assert ended[2].error == "ValueError"
    assert [event.map for event in ended] == [event.map for event in started]


def test_what_never_runs_ends_too(told: list[Any], stopped: tuple[ap.Executor, Future[bool]]) -> None:
    """A call or map that is cancelled or refused before it begins has an end and no decision or one of no items."""
    executor, _ = stopped
    told.clear()
    cancelled, dropped = executor.submit(double, 1), executor.map(double, [1, 2])
    assert cancelled.cancel()
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(CancelledError):
        list(dropped)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(double, 1)
    ended = [event for event in told if event.kind == "map_ended"]
    assert [(event.items, event.error) for event in ended] == [
        (0, "CancelledError"),
        (0, "CancelledError"),
        (0, "RuntimeError"),
    ]
    assert [event.map for event in ended] == [event.map for event in told if event.kind == "map_started"]
    assert (ended[0].decision, ended[2].decision) == (0, 0)


@pytest.mark.slow
def test_a_worker_that_dies_with_calls(told: list[Any]) -> None:
    """An executor and joblib tell of the process that is gone; what an executor runs again the decision says."""
    ap.register_joblib()
    with ap.Executor(max_workers=1, backend="processes", pure=True) as executor:
        assert isinstance(executor.submit(leave, 2).exception(), ap.errors.WorkerDiedError)
        assert next(executor.map(leave, range(4), chunksize=4)) == 0
    again = ap.decisions()[-1]
    with parallel_config(backend="autopar", n_jobs=2), pytest.raises(ap.errors.WorkerDiedError):
        Parallel()(delayed(leave)(each) for each in [2])
    died = [event for event in told if event.kind == "worker_died"]
    assert {event.operation for event in died} == {"submit", "map", "joblib"}
    assert {event.exitcode for event in died} == {7}
    assert any("ran again, one by one" in why for why in again.fallbacks)
    assert set(again.fallbacks) == {event.why for event in told if event.kind == "fallback"}


def test_joblib(told: list[Any]) -> None:
    """Each call of `Parallel` is a story and a decision under its own function, also one that raises or is given up."""
    ap.register_joblib()
    with parallel_config(backend="autopar", n_jobs=2, prefer="threads"):
        with Parallel() as pool:
            assert pool(delayed(double)(each) for each in range(5)) == [0, 2, 4, 6, 8]
            with pytest.raises(ValueError, match="secret"):
                pool(delayed(odd_ones_fail)(each) for each in [1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib says how many results nobody wanted
            Parallel(return_as="generator")(delayed(double)(each) for each in range(50)).close()
    ended = [event for event in told if event.kind == "map_ended"]
    assert [(event.function.rpartition(".")[2], event.error) for event in ended] == [
        ("double", ""),
        ("odd_ones_fail", "ValueError"),
        ("double", ""),
    ]
    assert (ended[0].items, ended[1].failures) == (5, 1)
    assert {event.operation for event in told} == {"joblib"}
    decisions = ap.decisions()[-3:]
    assert [event.decision for event in ended] == [decision.number for decision in decisions]
    assert [decision.error for decision in decisions] == ["", "ValueError", ""]


def test_what_surrounds_the_caller() -> None:
    """A subscriber sees the context variables of who submitted the call, on whatever thread it is told."""
    seen: list[tuple[str, str]] = []
    token = around.set("the caller's")
    try:
        with events.subscribe(lambda event: seen.append((event.kind, around.get()))):
            by_wrapper()
            by_executor()
            by_coroutine()
    finally:
        around.reset(token)
    assert {context for _, context in seen} == {"the caller's"}
    assert len(seen) == 9


def test_calls_of_a_subscriber() -> None:
    """Calls that a subscriber submits are not told of, neither their beginning nor their end."""
    heard: list[Any] = []

    def submits(event: Any) -> None:
        heard.append(event)
        assert by_wrapper() == by_executor() == 6

    with events.subscribe(submits):
        by_wrapper()
    assert kinds(heard) == ["map_started", "plan_chosen", "map_ended"]


def test_nobody_listens() -> None:
    """Without a subscriber or a log that is read there is no story at all."""
    assert story_of("shop.price", "submit", 1) is None


def test_single_calls_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Single calls are logged at DEBUG, so that a thousand of them fill no log that is read for maps."""
    with caplog.at_level(logging.INFO, "autopar"):
        by_executor()
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, "autopar"):
        by_executor()
    assert [record.levelname for record in caplog.records] == ["DEBUG"] * 3


def test_spans_of_calls() -> None:
    """A call is a span below the one that is current where it is submitted, and ends also where it is cancelled."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with ap.otel.instrument(provider), provider.get_tracer("test").start_as_current_span("outer") as outer:
        by_executor()
        with ap.Executor(max_workers=1) as executor, pytest.raises(ValueError, match="secret"):
            list(executor.map(odd_ones_fail, range(3)))
        executor.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(double, 1)
    *spans, _ = exporter.get_finished_spans()
    assert [span.name.split()[0] for span in spans] == ["autopar.submit", "autopar.map", "autopar.submit"]
    assert {span.parent and span.parent.span_id for span in spans} == {outer.get_span_context().span_id}
    assert [span.status.description for span in spans] == [None, "ValueError", "RuntimeError"]
