"""Tests of the background event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from autopar import parallel
from autopar._backends.aio import LoopFuture, background_loop, on_loop, run_on_loop

ended: list[int] = []


async def waits(x: int) -> int:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        ended.append(x)
    return x


@pytest.mark.parametrize("moment", ["before", "after"])
def test_ctrl_c_while_coroutines_are_started_leaves_none_running(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the loop has them by then or not: those that have begun clean up before the map raises."""
    begin = LoopFuture.begin
    begun = on_loop(asyncio.sleep(0))
    ended.clear()

    def interrupted(self: LoopFuture) -> None:
        monkeypatch.setattr(LoopFuture, "begin", begin)
        if moment == "after":
            begin(self)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), background_loop()).result()
        begun.__dict__.update(future=self)
        raise KeyboardInterrupt

    monkeypatch.setattr(LoopFuture, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        parallel(waits, pure=True).map(range(4))
    assert sorted(ended) == ([0, 1, 2, 3] if moment == "after" else [])
    assert vars(begun)["future"].ended.is_set()
    begun.cancel()
    assert begun.ended.wait(10)


def test_what_is_cancelled_before_it_is_begun_never_runs() -> None:
    """Beginning it afterwards does nothing, and its coroutine is closed without a complaint."""
    future = on_loop(waits(1))
    ended.clear()
    assert future.cancel()
    future.begin()
    assert future.ended.wait(10)
    assert run_on_loop(asyncio.sleep(0, "still at work")).result(10) == "still at work"
    assert ended == []


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_future_of_the_loop_keeps_its_result_alone(cancelled: bool) -> None:
    """The coroutine and what its frame held can be freed once it has ended."""
    future = run_on_loop(waits(1) if cancelled else asyncio.sleep(0, "slept"))
    assert not cancelled or future.cancel()
    assert future.ended.wait(10)
    assert not any(asyncio.iscoroutine(each) for each in vars(future).values())


def test_ctrl_c_while_the_loop_is_started_leaves_no_loop_that_nobody_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next map starts another, and does not wait for one without a thread."""

    def interrupted(run: Any, _name: str) -> None:
        run.__self__.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("autopar._backends.aio._loop", None)
    with monkeypatch.context() as patched:
        patched.setattr("autopar._backends.aio.own_thread", interrupted)
        with pytest.raises(KeyboardInterrupt):
            background_loop()
    assert run_on_loop(asyncio.sleep(0, "slept")).result(10) == "slept"
    loop = background_loop()
    end_of(loop)


def end_of(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(loop.stop)
    while loop.is_running():
        threading.Event().wait(0.001)
    loop.close()
