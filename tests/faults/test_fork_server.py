"""The process that forks the workers of a map of the backend ``multiprocessing``, and the map without it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from autopar import decisions, parallel
from autopar._backends.forks import RENEWALS
from autopar.errors import TransportError, WorkerDiedError

pytestmark = [
    pytest.mark.usefixtures("fork_anyway"),
    pytest.mark.timeout(60),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks this process"),
]

CALLER = os.getpid()


def end_with_the_server() -> None:
    """End this worker, and before it the process that has forked it, if that is still there."""
    server = os.getppid()
    if server in map(int, Path(f"/proc/{CALLER}/task/{CALLER}/children").read_text().split()):
        os.kill(server, signal.SIGKILL)
    os._exit(1)


@parallel(backend="multiprocessing", workers=2)
def sometimes_the_last(x: int, *, marks: Path) -> int:
    """Two of the items do so, when they run first."""
    mark = marks / str(x)
    if x in (3, 17) and not mark.exists():
        mark.touch()
        end_with_the_server()
    return x


@pytest.mark.parametrize("chunksize", [1, 4])
def test_a_fork_server_that_is_killed_is_replaced(tmp_path: Path, chunksize: int) -> None:
    """No item is lost of those that may run twice, and the decision says what happened."""
    before = {child.pid for child in psutil.Process().children()}
    hints: dict[str, Any] = {"pure": True, "retries": 1, "chunksize": chunksize}
    assert sometimes_the_last.map(range(30), marks=tmp_path, **hints) == list(range(30))
    assert sorted(os.listdir(tmp_path)) == ["17", "3"]
    assert {child.pid for child in psutil.Process().children()} <= before


def test_only_what_a_worker_had_begun_is_lost_of_items_that_may_not_run_twice(tmp_path: Path) -> None:
    """What it had not begun of its chunk runs, and so does what waited for a worker."""
    results = sometimes_the_last.map(range(30), marks=tmp_path, on_error="return", chunksize=4)
    lost = {x: result for x, result in enumerate(results) if result != x}
    assert sorted(lost) == [0, 1, 2, 3, 16, 17]
    for x, error in lost.items():
        assert isinstance(error, WorkerDiedError)
        assert error.index == x


def test_a_map_whose_items_kill_each_fork_server_ends() -> None:
    """They are not replaced for ever, and each item is an error of its own."""

    @parallel(backend="multiprocessing", workers=1, pure=True, on_error="return", chunksize=1)
    def the_last(x: int) -> None:
        end_with_the_server()

    results: list[Any] = the_last.map(range(2 * RENEWALS))
    assert {type(error) for error in results} == {WorkerDiedError, TransportError}
    assert [error.index for error in results] == list(range(2 * RENEWALS))
    assert any("forks workers" in each for each in decisions()[-1].fallbacks)
    assert the_last.options(on_error="raise").map([]) == []
