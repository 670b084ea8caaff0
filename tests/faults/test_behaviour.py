"""Items that do to their process what they should not: they alone bear it, and the next map sees none of it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar.errors import WorkerDiedError
from tests.faults.behaviours import HARMLESS, behaves, runs_once, surroundings
from tests.faults.items import BAD, ITEMS

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="this is how processes are on Linux"),
]

on_processes = pytest.mark.parametrize("route", ["processes", "multiprocessing", "joblib"], indirect=True)
anywhere = pytest.mark.parametrize(
    "route", ["serial", "threads", "processes", "multiprocessing", "joblib"], indirect=True
)
ALL = list(range(ITEMS))


@on_processes
@pytest.mark.parametrize("how", HARMLESS)
def test_an_item_changes_its_process(route: dict[str, Any], how: str) -> None:
    """Its result and all others are right, and the next map finds its workers as the caller is."""
    (expected,) = surroundings.map([0], backend="serial")
    assert behaves.map(ALL, how=how, chunksize=2, **route) == ALL
    assert surroundings.map(range(4), chunksize=1, **route) == [expected] * 4


@on_processes
@pytest.mark.parametrize("how", ["forks_and_both_return", "forks_and_both_raise"])
def test_an_item_that_forks_runs_once(route: dict[str, Any], how: str, tmp_path: Path) -> None:
    """The child ends with its item: no item runs twice, and nobody answers in the worker's name."""
    marks = tmp_path / "marks"
    results: list[Any] = runs_once.map(ALL, how=how, marks=str(marks), chunksize=4, on_error="return", **route)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in ALL if x != BAD]
    assert str(results[BAD]) == str(BAD)
    assert sorted(map(int, marks.read_text().split())) == ALL


@on_processes
@pytest.mark.parametrize("how", ["eats_the_stack", "closes_its_files"])
def test_an_item_ruins_its_process(route: dict[str, Any], how: str) -> None:
    """It is a WorkerDiedError with its index, or its own error; the others are right."""
    results: list[Any] = behaves.map(ALL, how=how, chunksize=2, on_error="return", **route)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in ALL if x != BAD]
    assert isinstance(results[BAD], WorkerDiedError | RecursionError | MemoryError)
    assert behaves.map(range(BAD), how="", **route) == list(range(BAD))


@on_processes
def test_an_item_asks_for_more_memory_than_there_may_be(route: dict[str, Any]) -> None:
    """It is a MemoryError, the worker lives, and the others are right."""
    results: list[Any] = behaves.map(ALL, how="eats_the_memory", chunksize=2, on_error="return", **route)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in ALL if x != BAD]
    assert type(results[BAD]) is MemoryError


@anywhere
def test_an_item_recurses_for_ever(route: dict[str, Any]) -> None:
    """It is the loop's RecursionError, on the small stacks of threads too."""
    results: list[Any] = behaves.map(ALL, how="recurses", on_error="return", **route)
    assert type(results[BAD]) is RecursionError
    assert results[:BAD] + results[BAD + 1 :] == [x for x in ALL if x != BAD]


@anywhere
def test_an_item_prints_without_end(route: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Eight megabytes of one item come out whole."""
    assert behaves.map(ALL, how="prints_much", **route) == ALL
    assert capsys.readouterr().out == ("x" * 999_999 + "\n") * 8


def _closes_its_files_and_stays(x: int) -> int:
    if x == 0:
        os.closerange(3, 256)
        signal.pause()
    return x


@pytest.mark.slow
def test_a_worker_that_closes_its_files_and_goes_on_is_ended() -> None:
    """Its pipe tells of an end that never comes, so the process itself is watched, and killed after two seconds."""
    stays = ap.parallel(_closes_its_files_and_stays, pure=True)
    results: list[Any] = stays.map(range(4), backend="processes", workers=2, chunksize=1, on_error="return")
    assert isinstance(results[0], WorkerDiedError)
    assert results[1:] == [1, 2, 3]
