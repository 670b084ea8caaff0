"""The items of a dead worker: those that may run twice do, and of the others only those that it had not begun."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autopar import parallel
from autopar.errors import WorkerDiedError
from tests.api.functions import spend
from tests.faults.items import BAD, ITEMS, end_process

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform == "win32", reason="these are POSIX signals"),
]


@parallel
def marks_then_dies(x: int, folder: str, bad: int = BAD, times: int = 1 << 30) -> int:
    """Leave a file for each run of an item; one item ends its process the first times."""
    spend()
    before = len([name for name in os.listdir(folder) if name.startswith(f"{x}-")])
    Path(folder, f"{x}-{before}").touch()
    if x == bad and before < times:
        end_process("SIGKILL")
    return x


def runs(folder: Path) -> Counter[int]:
    return Counter(int(path.name.partition("-")[0]) for path in folder.iterdir())


ONCE = Counter(range(ITEMS))


@pytest.mark.parametrize("backend", ["processes", "multiprocessing"])
def test_no_item_that_reaches_outside_runs_twice(backend: str, tmp_path: Path, fork_anyway: None) -> None:
    """Items of a dead worker's chunk that had run are named errors; those it had not begun run, each once."""
    results: list[Any] = marks_then_dies.map(
        range(ITEMS), folder=str(tmp_path), backend=backend, workers=1, chunksize=ITEMS, on_error="return"
    )
    assert runs(tmp_path) == ONCE
    assert results[BAD + 1 :] == list(range(BAD + 1, ITEMS))
    for index, error in enumerate(results[: BAD + 1]):
        assert isinstance(error, WorkerDiedError)
        assert (error.index, error.exitcode) == (index, -signal.SIGKILL)
    assert f"while it was at item {BAD}" in str(results[0])
    assert "reaches outside the program (" in str(results[0])
    assert "had run" not in str(results[BAD])


def test_retries_say_that_items_which_reach_outside_may_run_twice(tmp_path: Path) -> None:
    """With `retries` the same chunk runs again, item by item, and one that killed its worker once has a result."""
    hints: dict[str, Any] = {"backend": "processes", "workers": 1, "chunksize": ITEMS, "retries": 1}
    assert marks_then_dies.map(range(ITEMS), folder=str(tmp_path), times=1, **hints) == list(range(ITEMS))
    assert runs(tmp_path)[BAD] == 2


def test_an_item_that_kills_workers_twice_is_isolated_and_named(tmp_path: Path) -> None:
    """Where items may run twice the one to blame is found by running them alone, and it alone is an error."""
    hints: dict[str, Any] = {"backend": "processes", "workers": 2, "chunksize": 4, "pure": True}
    results: list[Any] = marks_then_dies.map(range(ITEMS), folder=str(tmp_path), on_error="return", **hints)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], WorkerDiedError)
    assert results[BAD].index == BAD
    assert runs(tmp_path)[BAD] == 2
