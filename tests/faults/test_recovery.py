"""The items of a dead worker: those that may run twice do, and of the others only those that it had not begun."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where items leave a file for each run."""
    found = tmp_path / "runs"
    found.mkdir()
    return found


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
def test_no_item_that_reaches_outside_runs_twice(backend: str, folder: Path, fork_anyway: None) -> None:
    """Items of a dead worker's chunk that had run are named errors; those it had not begun run, each once."""
    results: list[Any] = marks_then_dies.map(
        range(ITEMS), folder=str(folder), backend=backend, workers=1, chunksize=ITEMS, on_error="return"
    )
    assert runs(folder) == ONCE
    assert results[BAD + 1 :] == list(range(BAD + 1, ITEMS))
    for index, error in enumerate(results[: BAD + 1]):
        assert isinstance(error, WorkerDiedError)
        assert (error.index, error.exitcode) == (index, -signal.SIGKILL)
    assert f"while it was at item {BAD}" in str(results[0])
    assert "reaches outside the program (" in str(results[0])
    assert "had run" not in str(results[BAD])


def test_retries_say_that_items_which_reach_outside_may_run_twice(folder: Path) -> None:
    """With `retries` the same chunk runs again, item by item, and one that killed its worker once has a result."""
    hints: dict[str, Any] = {"backend": "processes", "workers": 1, "chunksize": ITEMS, "retries": 1}
    assert marks_then_dies.map(range(ITEMS), folder=str(folder), times=1, **hints) == list(range(ITEMS))
    assert runs(folder)[BAD] == 2


def test_an_item_that_kills_workers_twice_is_isolated_and_named(folder: Path) -> None:
    """Where items may run twice the one to blame is found by running them alone, and it alone is an error."""
    hints: dict[str, Any] = {"backend": "processes", "workers": 2, "chunksize": 4, "pure": True}
    results: list[Any] = marks_then_dies.map(range(ITEMS), folder=str(folder), on_error="return", **hints)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], WorkerDiedError)
    assert results[BAD].index == BAD
    assert runs(folder)[BAD] == 2


# -- workers that leak, and memory that runs out -----------------------------------------------------------------------


@parallel(pure=True)
def who(x: int) -> int:
    """The process that runs the item."""
    spend()
    return os.getpid()


@pytest.mark.parametrize(("backend", "items", "most"), [("processes", 4, 1), ("multiprocessing", 7, 3)])
def test_workers_are_replaced_after_so_many_items(backend: str, items: int, most: int, fork_anyway: None) -> None:
    """No process runs more items than `max_tasks_per_worker`, and the results are those of the loop."""
    counts = Counter(who.map(range(items), backend=backend, workers=1, max_tasks_per_worker=most))
    assert max(counts.values()) <= most
    assert len(counts) >= items / most


HELD: list[bytes] = []


@parallel(pure=True)
def leaks(x: int, size: int) -> int:
    """Keep memory for ever."""
    HELD.append(b"x" * size)
    return os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked at in /proc")
def test_workers_that_hold_too_much_memory_are_replaced(fork_anyway: None) -> None:
    """A worker beyond `worker_memory` ends after its item; one below it stays."""
    hints: dict[str, Any] = {"backend": "multiprocessing", "workers": 1, "chunksize": 1}
    assert len(set(leaks.map(range(3), size=150_000_000, worker_memory="4GB", **hints))) == 1
    assert len(set(leaks.map(range(3), size=150_000_000, worker_memory="120MB", **hints))) == 3


@parallel(pure=True)
def needs_the_machine(x: int, folder: str) -> bool:
    """Once two items run one of them is killed, as the kernel does it; later ones say whether others run with them."""
    own, killed = Path(folder, f"{x}-running"), Path(folder, "killed")
    others = list(Path(folder).glob("*-running"))
    own.touch()
    if killed.exists():
        own.unlink()
        return bool(others)
    while len(list(Path(folder).glob("*-running"))) < 2 and not killed.exists():
        time.sleep(0.005)
    with suppress(FileExistsError):
        killed.touch(exist_ok=False)
        own.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    own.unlink()
    return False


def test_fewer_workers_go_on_when_memory_has_run_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the kernel's kill the items run again, fewer at a time, and the decision says so."""
    kills = itertools.count(1)
    monkeypatch.setattr(pressure, "oom_kills", lambda read: next(kills))
    monkeypatch.setattr(pressure, "_latest", [0])
    hints: dict[str, Any] = {"backend": "processes", "workers": 2, "chunksize": 1}
    assert needs_the_machine.map(range(6), folder=str(folder), **hints) == [False] * 6
    said = " ".join(needs_the_machine.decisions[-1].fallbacks)
    assert "ran out of memory and ended a worker process: 1 worker from here on, not 2" in said


def test_an_item_that_alone_takes_too_much_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one worker left there is nobody else to blame."""
    kills = itertools.count(1)
    monkeypatch.setattr(pressure, "oom_kills", lambda read: next(kills))
    monkeypatch.setattr(pressure, "_latest", [0])
    results: list[Any] = dies.map(range(ITEMS), how="SIGKILL", backend="processes", workers=2, on_error="return")
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], WorkerDiedError)
    assert results[BAD].index == BAD


@pytest.mark.parametrize("hint", ["max_tasks_per_worker", "worker_memory"])
def test_a_backend_that_cannot_replace_workers_says_so(hint: str) -> None:
    """Such a hint is a demand, too."""
    with pytest.raises(UnavailableError, match=f"leave {hint}= out"):
        who.map(range(3), backend="joblib", **{hint: 1})
