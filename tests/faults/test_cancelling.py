"""Work that nobody wants any more is stopped soon, and the workers serve the next map."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from autopar import parallel

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where items leave a file for each run."""
    found = tmp_path / "runs"
    found.mkdir()
    return found


@parallel(pure=True)
def hangs_beyond_the_first(x: int, folder: str) -> int:
    """The first item returns, the others never do; each leaves the number of its process."""
    Path(folder, f"{x}-{os.getpid()}").touch()
    if x:
        threading.Event().wait()
    return x


def running(folder: Path) -> set[int]:
    """The processes whose items have begun, as far as they still run, apart from this one."""
    pids = {int(path.name.partition("-")[2]) for path in folder.iterdir() if not path.name.startswith("0-")}
    return {pid for pid in pids if pid != os.getpid() and psutil.pid_exists(pid)}


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other processes do; the test's own limit ends it."""
    while not condition():
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["processes", "joblib"])
def test_an_iterator_that_is_left_stops_its_items(backend: str, folder: Path) -> None:
    """Closing `imap` ends the worker processes that would never return, and the next map has its workers."""
    results: Any = hangs_beyond_the_first.imap(range(3), folder=str(folder), backend=backend, workers=2, chunksize=1)
    assert next(results) == 0
    until(lambda: bool(running(folder)))
    results.close()
    until(lambda: not running(folder))
    assert hangs_beyond_the_first.map([0], folder=str(folder), backend=backend) == [0]


def test_an_error_stops_the_items_after_it(folder: Path) -> None:
    """When a map ends by an error, items that still run are ended like those of an iterator that is left."""

    def item(x: int, folder: str) -> int:
        if not x:
            while not os.listdir(folder):
                time.sleep(0.01)
            raise LookupError("the first")
        Path(folder, f"{x}-{os.getpid()}").touch()
        threading.Event().wait()
        return x

    with pytest.raises(LookupError):
        parallel(item, pure=True).map(range(2), folder=str(folder), backend="processes", workers=2, chunksize=1)
    until(lambda: not running(folder))


def test_threads_that_hang_are_replaced(folder: Path) -> None:
    """A thread cannot be ended; another takes its place, as often as it takes."""
    for _ in range(3):
        results: Any = hangs_beyond_the_first.imap(range(3), folder=str(folder), backend="threads", workers=2)
        assert next(results) == 0
        results.close()
    assert hangs_beyond_the_first.map([0, 0], folder=str(folder), backend="threads", workers=2) == [0, 0]


def test_cancelling_a_future_ends_its_process(folder: Path) -> None:
    """`cancel()` of a call that runs in a process ends it; of one on a thread it says no."""
    future = hangs_beyond_the_first.options(backend="processes").submit(1, folder=str(folder))
    until(lambda: bool(running(folder)))
    assert future.running()
    assert future.cancel()
    assert future.cancelled()
    until(lambda: not running(folder))
    again: Any = hangs_beyond_the_first.options(backend="processes").submit(0, folder=str(folder))
    assert again.result(50) == 0
    on_a_thread = hangs_beyond_the_first.options(backend="threads").submit(2, folder=str(folder))
    until(lambda: any(path.name.startswith("2-") for path in folder.iterdir()))
    assert not on_a_thread.cancel()


def test_a_cancelled_amap_stops_its_items(folder: Path) -> None:
    """When the task that awaits `amap` is cancelled, processes that would never return are ended."""

    async def main() -> None:
        awaited = hangs_beyond_the_first.amap([1, 2], folder=str(folder), backend="processes", workers=2)
        task = asyncio.ensure_future(awaited)
        await asyncio.to_thread(until, lambda: bool(running(folder)))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    until(lambda: not running(folder))
