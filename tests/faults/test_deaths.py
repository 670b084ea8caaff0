"""Worker processes that die, at any moment and in any way, on every backend that has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from autopar.errors import ItemTimeoutError, WorkerDiedError
from tests.faults.deaths import DEATHS, dies, items_for, leaves_a_child, leaves_a_child_and_hangs, takes
from tests.faults.items import BAD, ITEMS, kind_of

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="these are POSIX signals"),
]

MOMENTS = ["at start", "in mid-item", "while its result is pickled", "while sending"]
CASES = [(moment, how) for moment in MOMENTS for how in DEATHS if LONG or how == "SIGKILL" or moment == "in mid-item"]
PROCESSES = ["processes", "multiprocessing", "joblib"]
on_processes = pytest.mark.parametrize("route", PROCESSES, indirect=True)


@on_processes
@pytest.mark.parametrize(("moment", "how"), CASES)
def test_a_death_costs_one_item(route: dict[str, Any], moment: str, how: str) -> None:
    """The item to blame is a WorkerDiedError with index and exit code; the others are right, and so is the next map."""
    results: list[Any] = dies.map(
        items_for(moment, how, ITEMS), moment=moment, how=how, chunksize=2, on_error="return", **route
    )
    error = results[BAD]
    assert isinstance(error, WorkerDiedError), results
    assert (error.index, error.exitcode) == (BAD, DEATHS[how])
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert kind_of.map([1, 2], **route) == ["int"] * 2


@on_processes
def test_what_a_dead_worker_started_ends_with_it(route: dict[str, Any], tmp_path: Path) -> None:
    """A process that the item has started does not outlive the worker that died."""
    results: list[Any] = leaves_a_child.map(range(ITEMS), folder=str(tmp_path), on_error="return", **route)
    assert isinstance(results[BAD], WorkerDiedError)
    assert ended(tmp_path)


@pytest.mark.parametrize("route", ["processes", "multiprocessing"], indirect=True)
def test_what_an_item_past_its_time_started_ends_with_it(route: dict[str, Any], tmp_path: Path) -> None:
    """Neither does it outlive a worker that was killed since its time was up."""
    results: list[Any] = leaves_a_child_and_hangs.map(
        range(ITEMS), folder=str(tmp_path), on_error="return", timeout=2, **route
    )
    assert isinstance(results[BAD], ItemTimeoutError)
    assert ended(tmp_path)


def ended(folder: Path) -> bool:
    """The process whose number is in the folder is gone."""
    try:
        child = psutil.Process(int((folder / "child").read_text()))
    except psutil.NoSuchProcess:
        return True
    psutil.wait_procs([child], timeout=10)
    return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


@on_processes
def test_a_worker_dies_while_large_arguments_wait(route: dict[str, Any]) -> None:
    """Arguments that were on their way to it are sent again."""
    large = b"x" * 3_000_000
    results: list[Any] = takes.map([large, b"", large, large, large], chunksize=1, on_error="return", **route)
    assert isinstance(results[1], WorkerDiedError)
    assert [results[0], *results[2:]] == [len(large)] * 4
