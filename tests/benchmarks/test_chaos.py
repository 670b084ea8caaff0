"""The chaos run: in small, and what its accounts would notice."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Any

import pytest

from autopar.errors import ItemTimeoutError, TransportError, WorkerDiedError
from benchmarks.chaos.driver import BACKENDS, Summary, chaos
from benchmarks.chaos.items import OddError, Recipe, Unpicklable, answer, wrong

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are stopped and continued, and looked for")


def assert_clean(summary: Summary) -> None:
    """Nothing wrong, no hang, nothing left, every item accounted for."""
    assert summary.wrong == []
    assert summary.hangs == []
    assert summary.leftovers == []
    assert summary.complaints == []
    assert summary.items == summary.results + sum(summary.errors.values())
    assert summary.clean


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_few_seconds_of_chaos_lose_nothing() -> None:
    """Whatever is killed, stopped or starved, items in are results and named errors out, and nothing stays behind."""
    summary = chaos(4.0, seed=11, backends=("threads", "processes"), patience=100.0, session=(4.0, 4.0))
    assert_clean(summary)
    assert summary.sessions >= 1
    assert summary.maps + summary.unfinished >= 1


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.environ.get("AUTOPAR_TEST_LONG") != "1", reason="takes over a minute")
def test_a_minute_of_chaos_loses_nothing() -> None:
    """On every backend."""
    summary = chaos(60.0, seed=12, patience=150.0, session=(5.0, 10.0))
    assert_clean(summary)
    assert summary.sessions >= 3
    assert {*summary.backends} <= {*BACKENDS}


def recipe_of(kind: str) -> Recipe:
    """A recipe by which every item is of one kind."""
    return Recipe(1, 1.0, (kind,), 0.0)


@pytest.mark.parametrize(
    ("kind", "became", "may"),
    [
        ("slow", answer(3), True),
        ("slow", answer(2), False),
        ("slow", (answer(3), b"large"), True),
        ("slow", ItemTimeoutError("", index=3), True),
        ("slow", ItemTimeoutError("", index=2), False),
        ("slow", WorkerDiedError("", index=3), False),
        ("exit", WorkerDiedError("", index=3), True),
        ("exit", WorkerDiedError("", index=None), False),
        ("exit", answer(3), False),
        ("raises", ValueError(3), True),
        ("raises", ValueError(4), False),
        ("raises", KeyError(3), False),
        ("odd", OddError(3, reason=""), True),
        ("odd", OddError(4, reason=""), False),
        ("no-memory", MemoryError(), True),
        ("unpicklable", TransportError("", index=3), True),
        ("unpicklable", Unpicklable(), True),
        ("slow", TransportError("", index=3), False),
        ("slow", ValueError(3), False),
    ],
)
def test_what_must_not_become_of_an_item_is_noticed(kind: str, became: Any, may: bool) -> None:
    """Another's result, an error without a name or with another's, or an error that nothing explains is wrong."""
    said = wrong(3, became, recipe_of(kind), timeout=True, errors=())
    assert (said == "") == may, said


def test_an_item_may_lose_its_worker_only_where_workers_are_killed() -> None:
    """That somebody killed its worker excuses an item, and nothing else does."""
    died = WorkerDiedError("", index=3)
    assert wrong(3, died, recipe_of("slow"), timeout=False, errors=(WorkerDiedError,)) == ""
    assert wrong(3, died, recipe_of("slow"), timeout=False, errors=()) != ""


@pytest.mark.parametrize(
    "summary",
    [
        Summary(1, items=3, results=2),
        Summary(1, wrong=["a result"]),
        Summary(1, hangs=["a map"]),
        Summary(1, leftovers=["a process"]),
        Summary(1, complaints=["a traceback"]),
    ],
)
def test_a_run_that_lost_something_is_not_clean(summary: Summary) -> None:
    """An item that is not accounted for, a wrong result, a hang, a leftover or a complaint fails the run."""
    assert not summary.clean
    assert not summary.as_dict()["clean"]
    assert Summary(1, items=3, results=2, errors=Counter(ValueError=1)).clean
