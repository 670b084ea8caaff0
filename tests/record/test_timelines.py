"""Timelines in the store: kept for the newest maps, read where they are asked for, and gone with their decisions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from autopar._model.decision import Decision
from autopar._model.plan import Plan
from autopar._model.timeline import Span, Timeline
from autopar._record import DecisionLog, Store, timelines

SPANS = Timeline(("thread 1", "thread 2"), (Span(0, 0.0, 0.5, 4, 1, 0.5), Span(1, 0.25, 1.0, 8, 2, 0.5)))


def decision(number: int = 1, timeline: Timeline | None = SPANS) -> Decision:
    return Decision(number, "shop.price", "map", 1.5, 12, None, Plan(), timeline=timeline)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "store.sqlite"


def test_a_timeline_comes_back_where_it_is_asked_for(path: Path) -> None:
    """Readers that do not draw it do not pay for it."""
    assert Store(path).write([decision(1, None), decision(2)])
    assert [one.timeline for _, one in Store(path).search()] == [None, None]
    assert [one.timeline for _, one in Store(path).search(with_timelines=True)] == [None, SPANS]


def test_only_the_newest_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of older decisions the rest stays."""
    monkeypatch.setattr(timelines, "NEWEST", 2)
    store = Store(path)
    for number in range(1, 5):
        assert store.write([decision(number)])
    assert [one.timeline for _, one in store.search(with_timelines=True)] == [None, None, SPANS, SPANS]


def test_a_forgotten_decision_takes_its_timeline_along(path: Path) -> None:
    """A number that is given again has not the timeline of another map."""
    store = Store(path)
    assert store.write([decision()])
    assert store.forget()
    assert store.write([decision(2, None)])
    assert [one.timeline for _, one in store.search(with_timelines=True)] == [None]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"workers": ["a"]}', '{"workers":["a"],"spans":[[0,5,1,1,1,1]]}', "[" * 9**5]
)
def test_what_is_no_timeline_is_left_out(path: Path, text: str) -> None:
    """The decision is shown without it."""
    store = Store(path)
    assert store.write([decision()])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE timelines SET json = ?", (text,))
    assert [one.timeline for _, one in store.search(with_timelines=True)] == [None]


def test_memory_holds_the_newest_only() -> None:
    """Old decisions in memory let their timelines go."""
    log = DecisionLog()
    for _ in range(150):
        fields = {"function": "f", "operation": "map", "started": 0.0, "items": 1, "workload": None, "plan": Plan()}
        log.add(**fields, timeline=Timeline(SPANS.workers, SPANS.spans))
    held = [bool(one.timeline and one.timeline.spans) for one in log.all()]
    assert held == [False] * 50 + [True] * 100
