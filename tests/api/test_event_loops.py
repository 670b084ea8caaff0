"""Maps on other people's event loops: uvloop, anyio's runner, and cancellation as each of them does it."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from autopar import parallel
from tests.scripts import run_python

anyio = pytest.importorskip("anyio")

pytestmark = pytest.mark.timeout(30)

LOOPS = ["asyncio", *(["uvloop"] if sys.platform != "win32" and importlib.util.find_spec("uvloop") else [])]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Run a coroutine function on the loop of this case, by anyio."""
    options = {"use_uvloop": request.param == "uvloop"}
    return lambda main: anyio.run(main, backend="asyncio", backend_options=options)


@parallel
async def double(number: int) -> int:
    await asyncio.sleep(0.001)
    return 2 * number


@parallel
async def double_with_anyio(number: int) -> int:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.001)
        return 2 * number


@parallel
def triple(number: int) -> int:
    return 3 * number


@pytest.mark.parametrize("function", [double, double_with_anyio])
def test_coroutine_functions_map_on_the_loop(run: Any, function: Any) -> None:
    """amap, aimap and asubmit of coroutine functions work on the loop that runs, anyio's scopes and groups included."""

    async def main() -> list[Any]:
        streamed = [value async for value in function.aimap(range(5))]
        return [await function.amap(range(5)), streamed, await function.asubmit(4)]

    assert run(main) == [[0, 2, 4, 6, 8], [0, 2, 4, 6, 8], 8]


def test_plain_functions_map_beside_the_loop(run: Any) -> None:
    """amap, aimap and asubmit of plain functions work from the loop that runs."""

    async def main() -> list[Any]:
        return [await triple.amap(range(3)), [v async for v in triple.aimap(range(3))], await triple.asubmit(5)]

    assert run(main) == [[0, 3, 6], [0, 3, 6], 15]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_cancelled_scope_ends_the_items_and_waits_for_them(run: Any, lazy: bool) -> None:
    """When anyio's scope around a map is cancelled every item is, and has cleaned up when the scope is left."""
    under_way: set[int] = set()

    @parallel(pure=True)
    async def clean_up(number: int) -> None:
        under_way.add(number)
        try:
            await asyncio.sleep(60)
        finally:
            for _ in range(3):
                try:
                    await asyncio.sleep(0.001)
                except asyncio.CancelledError:
                    continue
            under_way.discard(number)

    def cancel_when_busy(scope: Any) -> None:
        if len(under_way) == 5:
            scope.cancel()
        else:
            asyncio.get_running_loop().call_later(0.01, cancel_when_busy, scope)

    async def main() -> tuple[bool, int]:
        with anyio.CancelScope() as scope:
            asyncio.get_running_loop().call_later(0.01, cancel_when_busy, scope)
            if lazy:
                async for _ in clean_up.aimap(range(5)):
                    pass
            else:
                await clean_up.amap(range(5))
        return scope.cancelled_caught, len(under_way)

    assert run(main) == (True, 0)


def test_a_task_that_is_cancelled_twice_cancels_its_items_twice(run: Any) -> None:
    """A second cancellation reaches items that clean up, as it would in a loop, and the map still waits for them."""
    seen: list[str] = []
    stages: asyncio.Queue[str] = asyncio.Queue()

    @parallel(pure=True)
    async def clean_up(number: int) -> None:
        try:
            stages.put_nowait("at work")
            await asyncio.sleep(60)
        finally:
            try:
                stages.put_nowait("cleans up")
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("again")
                await asyncio.sleep(0.01)
                seen.append("ended")

    async def main() -> list[str]:
        task = asyncio.ensure_future(clean_up.amap(range(3)))
        for stage in ("at work", "cleans up"):
            assert [await stages.get() for _ in range(3)] == [stage] * 3
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return seen

    assert run(main) == ["again"] * 3 + ["ended"] * 3


def test_a_cancelled_map_of_a_plain_function_runs_no_further_items(run: Any) -> None:
    """Cancelling the await of a plain function's map ends the map on its thread."""
    seen: list[int] = []
    gate, reached = threading.Event(), threading.Event()

    @parallel(backend="serial")
    def wait_at_three(number: int) -> None:
        seen.append(number)
        if number == 3:
            reached.set()
            gate.wait(20)

    async def main() -> None:
        task = asyncio.ensure_future(wait_at_three.amap(range(1000)))
        await asyncio.to_thread(reached.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()

    run(main)
    for thread in threading.enumerate():
        if thread.name == "autopar-bridge":
            thread.join(10)
    assert seen[:4] == [0, 1, 2, 3]
    assert len(seen) < 1000


@pytest.mark.skipif("uvloop" not in LOOPS, reason="uvloop is not for this system")
def test_callers_without_a_loop_may_have_chosen_uvloop() -> None:
    """Where uvloop makes the event loops, autopar's own one too, maps of coroutine functions work all the same."""
    program = """
import warnings
import asyncio
import uvloop
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
import autopar as ap
async def double(number):
    await asyncio.sleep(0)
    return 2 * number, type(asyncio.get_running_loop()).__module__
print(ap.map(double, range(3)), list(ap.parallel(double).imap([4])), ap.parallel(double).submit(5).result())
"""
    loop = "'uvloop'"
    expected = f"[(0, {loop}), (2, {loop}), (4, {loop})] [(8, {loop})] (10, {loop})\n"
    assert run_python("-c", program) == expected
