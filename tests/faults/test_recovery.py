"""The items of a dead worker: those that may run twice do, and of the others only those that it had not begun."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autopar import parallel
from autopar._engine import pressure
from autopar.errors import UnavailableError, WorkerDiedError
from tests.api.functions import spend
from tests.faults.items import BAD, ITEMS, dies, end_process

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


# -- workers that leak, and memory that runs out -----------------------------------------------------------------------


@parallel(pure=True)
def who(x: int) -> int:
    """The process that runs the item."""
    spend()
    return os.getpid()


@pytest.mark.parametrize("backend", ["processes", "multiprocessing"])
def test_workers_are_replaced_after_so_many_items(backend: str, fork_anyway: None) -> None:
    """No process runs more items than `max_tasks_per_worker`, and the results are those of the loop."""
    pids = who.map(range(7), backend=backend, workers=1, max_tasks_per_worker=3)
    counts = Counter(pids)
    assert max(counts.values()) <= 3
    assert len(counts) >= 3


HELD: list[bytes] = []


@parallel(pure=True)
def leaks(x: int, size: int) -> int:
    """Keep memory for ever."""
    HELD.append(b"x" * size)
    return os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked at in /proc")
def test_workers_that_hold_too_much_memory_are_replaced() -> None:
    """A worker beyond `worker_memory` ends after its item; one below it stays."""
    hints: dict[str, Any] = {"backend": "processes", "workers": 1, "chunksize": 1}
    assert len(set(leaks.map(range(8), size=100, worker_memory="4GB", **hints))) < 8
    assert len(set(leaks.map(range(3), size=150_000_000, worker_memory="120MB", **hints))) == 3


@parallel(pure=True)
def needs_the_machine(x: int, folder: str) -> int:
    """Be killed, as the kernel does it, where another item runs at the same time."""
    own = Path(folder, f"{x}-running")
    own.touch()
    deadline = time.monotonic() + 0.2
    try:
        while time.monotonic() < deadline:
            if len(list(Path(folder).iterdir())) > 1:
                own.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.005)
    finally:
        own.unlink(missing_ok=True)
    return x


def test_fewer_workers_go_on_when_memory_has_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the kernel's kill the items run again, fewer at a time, and the decision says so."""
    kills = itertools.count()
    monkeypatch.setattr(pressure, "oom_kills", lambda read: next(kills))
    hints: dict[str, Any] = {"backend": "processes", "workers": 2, "chunksize": 1}
    assert needs_the_machine.map(range(4), folder=str(tmp_path), **hints) == list(range(4))
    said = " ".join(needs_the_machine.decisions[-1].fallbacks)
    assert "ran out of memory and ended a worker process: 1 worker from here on, not 2" in said


def test_an_item_that_alone_takes_too_much_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one worker left there is nobody else to blame."""
    kills = itertools.count()
    monkeypatch.setattr(pressure, "oom_kills", lambda read: next(kills))
    results: list[Any] = dies.map(range(ITEMS), how="SIGKILL", backend="processes", workers=2, on_error="return")
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], WorkerDiedError)
    assert results[BAD].index == BAD


@pytest.mark.parametrize("hint", ["max_tasks_per_worker", "worker_memory"])
def test_a_backend_that_cannot_replace_workers_says_so(hint: str) -> None:
    """Such a hint is a demand, too."""
    with pytest.raises(UnavailableError, match=f"leave {hint}= out"):
        who.map(range(3), backend="joblib", **{hint: 1})
