"""What maps tell to who listens: events, records of logging, spans."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar import events, parallel
from autopar._engine import log_records
from autopar._model import listening
from autopar.errors import SubscriberWarning, WorkerDiedError
from autopar.events import Event
from tests.events.functions import double, double_later, odd_ones_fail

pytestmark = pytest.mark.usefixtures("not_eager")


def map_inside(x: int) -> list[int]:
    return ap.map(double, range(x), backend="threads", workers=2)


def die_once(path: Path) -> str:
    if path.name == "3" and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return path.name


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """All events of the test."""
    heard: list[Any] = []
    with events.subscribe(heard.append):
        yield heard


def kinds(told: list[Event]) -> list[str]:
    return [event.kind for event in told]


def test_a_map_tells_its_story(told: list[Any]) -> None:
    """A map tells of its beginning, its plan and its end, under one number, with the decision's own figures."""
    assert ap.map(double, range(50), backend="threads", workers=2) == [2 * x for x in range(50)]
    started, chosen, *_, ended = told
    assert (started.kind, started.items) == ("map_started", 50)
    assert (chosen.kind, chosen.plan, chosen.backend, chosen.workers) == ("plan_chosen", "2 threads", "threads", 2)
    assert "is demanded" in chosen.why
    assert {event.map for event in told} == {started.map}
    assert {(event.function, event.operation) for event in told} == {(f"{double.__module__}.double", "map")}
    decision = ap.decisions()[-1]
    assert (ended.decision, ended.items, ended.seconds) == (decision.number, 50, decision.actual)
    assert (ended.backend, ended.failures, ended.retries, ended.error) == ("threads", 0, 0, "")


@pytest.mark.parametrize("items", [[], [1], [1, 2, 3]], ids=len)
def test_short_maps_are_told_of_too(told: list[Any], items: list[int]) -> None:
    """A map that ends before anything is planned, also one that was mapped before, begins and ends."""
    for _ in range(3):
        ap.map(double, items)
    assert kinds(told) == ["map_started", "map_ended"] * 3
    assert [event.items for event in told] == [len(items)] * 6


def test_lazy_maps(told: list[Any]) -> None:
    """A lazy map begins with its first result, of unknown length, and ends with its last or when it is left."""
    results = parallel(double).imap(iter(range(100)))
    assert told == []
    assert next(results) == 0
    assert kinds(told)[:1] == ["map_started"]
    assert told[0].items is None
    results.close()  # type: ignore[attr-defined]
    assert kinds(told)[-1] == "map_ended"
    told.clear()
    assert len(list(parallel(double).imap_unordered(range(100)))) == 100
    assert (told[0].operation, told[-1].items) == ("imap_unordered", 100)


def test_maps_of_coroutine_functions(told: list[Any]) -> None:
    """They tell the same, from an event loop or without one."""
    mapped = parallel(double_later)
    assert mapped.map(range(5)) == [0, 2, 4, 6, 8]

    async def main() -> list[int]:
        return await mapped.amap(range(5))

    assert asyncio.run(main()) == [0, 2, 4, 6, 8]
    assert kinds(told) == ["map_started", "plan_chosen", "map_ended"] * 2
    assert [event.operation for event in told] == ["map"] * 3 + ["amap"] * 3


def test_items_that_fail(told: list[Any]) -> None:
    """Each failed item is told of with its position and the type of its error; the message is nobody's business."""
    ap.map(odd_ones_fail, range(4), on_error="return")
    with pytest.raises(ValueError, match="secret"):
        ap.map(odd_ones_fail, range(4))
    failed = [event for event in told if event.kind == "item_failed"]
    assert [(event.index, event.error) for event in failed] == [(1, "ValueError"), (3, "ValueError"), (1, "ValueError")]
    ended = [event for event in told if event.kind == "map_ended"]
    assert [(event.failures, event.error) for event in ended] == [(2, ""), (1, "ValueError")]
    assert not any("secret" in str(dataclasses.asdict(event)) for event in told)


@pytest.mark.slow
def test_a_worker_that_dies(told: list[Any], tmp_path: Path) -> None:
    """A dead worker is told of, and the item that runs again for it."""
    paths = [tmp_path / str(number) for number in range(6)]
    found = ap.map(die_once, paths, backend="processes", workers=2, chunksize=1, retries=1)
    assert found == list("012345")
    [died] = [event for event in told if event.kind == "worker_died"]
    assert (died.backend, died.index, died.items, died.exitcode) == ("processes", 3, 1, -signal.SIGKILL)
    [again] = [event for event in told if event.kind == "item_retried"]
    assert (again.index, again.error) == (3, WorkerDiedError.__name__)
    assert told[-1].retries == 1


def test_what_goes_differently(told: list[Any]) -> None:
    """A plan that is left is told of, with the reason that the decision gives."""
    parallel(map_inside).map([3] * 40)
    outer = [event for event in told if event.function.endswith("map_inside")]
    [fallback] = [event for event in outer if event.kind == "fallback"]
    assert fallback.why in next(d for d in ap.decisions() if d.function.endswith("map_inside")).fallbacks


def test_only_what_was_asked_for() -> None:
    """Kinds are named by word or class; a class stands for those that are kinds of it."""
    heard: list[Any] = []
    with events.subscribe(heard.append, kinds=["map_ended", events.PlanChosen]):
        ap.map(double, range(9), backend="threads")
    assert set(kinds(heard)) == {"plan_chosen", "map_ended"}
    with events.subscribe(heard.append, kinds=events.PlanChosen) as subscription:
        assert subscription._kinds == {"plan_chosen", "plan_changed"}


def test_the_end_of_a_subscription() -> None:
    """Called, or left as a context, a subscription hears nothing more; others are not touched."""
    first: list[Any] = []
    second: list[Any] = []
    end = events.subscribe(first.append)
    with events.subscribe(second.append):
        end()
        end()
        ap.map(double, [1])
    ap.map(double, [1])
    assert (first, len(second)) == ([], 2)
    assert listening.subscribers == ()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("print", None), "takes a callable first, not str"),
        ((print, "map_end"), "there is no event 'map_end'; there are map_started"),
        ((print, [3]), "names or classes of events, not int"),
        ((print, int), "names or classes of events, not type"),
    ],
)
def test_a_wrong_subscription(arguments: tuple[Any, Any], complaint: str) -> None:
    """What is wrong is named."""
    with pytest.raises(ap.AutoparError, match=complaint):
        events.subscribe(arguments[0], kinds=arguments[1])


def test_a_subscriber_that_raises(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once, with the place, and neither the map nor other subscribers notice."""

    def broken(event: Any) -> None:
        raise LookupError("no such thing")

    heard: list[Any] = []
    with events.subscribe(broken), events.subscribe(heard.append), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert ap.map(double, [1]) == [2]
    [warning] = said
    assert warning.category is SubscriberWarning
    assert "broken raised LookupError at" in str(warning.message)
    assert len(heard) == 2
    with events.subscribe(broken):  # here warnings are errors
        assert ap.map(double, [1]) == [2]
    assert "no such thing" in capsys.readouterr().err


def test_ctrl_c_in_a_subscriber() -> None:
    """An interrupt is not held up."""

    def interrupted(event: Any) -> None:
        raise KeyboardInterrupt

    with events.subscribe(interrupted), pytest.raises(KeyboardInterrupt):
        ap.map(double, [1])


def test_a_subscriber_that_maps() -> None:
    """Maps that a subscriber runs are not told of, so it does not hear itself."""
    heard: list[Any] = []

    def maps(event: Event) -> None:
        heard.append(event)
        assert ap.map(double, [1, 2]) == [2, 4]

    with events.subscribe(maps):
        ap.map(double, [1])
    assert kinds(heard) == ["map_started", "map_ended"]


def test_nobody_in_a_worker_process(told: list[Any]) -> None:
    """Maps inside of items on worker processes are told of by nobody."""
    [[first, *_], *_] = ap.map(map_inside, [2, 2], backend="processes", workers=1)
    assert first == 0
    assert {event.function for event in told} == {f"{__name__}.map_inside"}


def test_events_are_values() -> None:
    """An event cannot be changed, holds only plain data, and says what happened in a line."""
    event = events.ItemFailed(map=1, function="shop.price", operation="map", time=0.0, index=3, error="ValueError")
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.index = 4  # type: ignore[misc]
    assert str(event) == "shop.price.map() #1: item 3 raised ValueError"
    assert set(events.KINDS) == set(log_records.LEVELS)


def test_records_of_logging(caplog: pytest.LogCaptureFixture) -> None:
    """Under the logger `autopar` each event is a record, whose fields carry the event's."""
    with caplog.at_level(logging.DEBUG, "autopar"):
        ap.map(odd_ones_fail, [0, 1], on_error="return")
    records = [record for record in caplog.records if record.name == "autopar"]
    assert [vars(record)["autopar_event"] for record in records] == ["map_started", "item_failed", "map_ended"]
    assert [record.levelname for record in records] == ["DEBUG", "INFO", "INFO"]
    assert vars(records[1])["autopar_index"] == 1
    assert records[2].getMessage().startswith(f"{odd_ones_fail.__module__}.odd_ones_fail.map() #")


def test_logging_is_quiet_without_being_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that has set up no logging sees nothing, and without a level that is low enough there is no watch."""
    assert not log_records.wanted()
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("autopar").handlers)
    assert logging.getLogger("autopar").level == logging.NOTSET
    ap.map(double, range(10), backend="threads")
    assert capsys.readouterr().err == ""


def test_spans() -> None:
    """Each map is a span below the current one, with plan and figures, an event for each step, and its status."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with ap.otel.instrument(provider), provider.get_tracer("test").start_as_current_span("outer") as outer:
        ap.map(double, range(20), backend="threads", workers=2)
        with pytest.raises(ValueError, match="secret"):
            ap.map(odd_ones_fail, range(20))
    ap.map(double, range(20))
    one, other, _ = exporter.get_finished_spans()
    assert one.name == f"autopar.map {double.__module__}.double"
    assert one.parent is not None
    assert one.parent.span_id == outer.get_span_context().span_id
    said = dict(one.attributes or {})
    assert (said["autopar.plan"], said["autopar.items"], said["autopar.workers"]) == ("2 threads", 20, 2)
    assert "plan_chosen" in [event.name for event in one.events]
    assert one.start_time is not None
    assert one.end_time is not None
    assert one.start_time <= one.end_time
    assert other.status.status_code.name == "ERROR"
    assert other.status.description == "ValueError"
    assert "secret" not in other.to_json()


def test_spans_without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, the way to install it is said."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ap.AutoparError, match=r"pip install autopar\[otel\]"):
        ap.otel.instrument()
