"""``amap`` and ``aimap``: maps that asynchronous code awaits, of plain and of coroutine functions."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from autopar import parallel
from autopar.errors import AutoparError
from tests.api.functions import affine, async_affine, async_square, square
from tests.routes import adrained

pytestmark = pytest.mark.timeout(30)

N = 40
SQUARES = [x * x for x in range(N)]


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(main())


async def arange(n: int) -> AsyncIterator[int]:
    for x in range(n):
        await asyncio.sleep(0)
        yield x


async def afail(n: int) -> AsyncIterator[int]:
    for x in range(n):
        yield x
    raise LookupError("the input broke")


def test_amap_of_a_plain_function(route: dict[str, Any]) -> None:
    """`await f.amap(xs)` is the list that map gives."""
    assert run(lambda: _amap(square, range(N), **route)) == SQUARES


async def _amap(function: Any, *iterables: Any, **keywords: Any) -> Any:
    return await function.amap(*iterables, **keywords)


async def _aimap(function: Any, *iterables: Any, **keywords: Any) -> list[Any]:
    return [value async for value in function.aimap(*iterables, **keywords)]


def test_amap_of_a_coroutine_function(async_route: dict[str, Any]) -> None:
    """`amap` of an `async def` gives results in order."""
    assert run(lambda: _amap(async_square, range(N), **async_route)) == SQUARES


def test_amap_takes_asynchronous_iterables(route: dict[str, Any]) -> None:
    """The items of a plain function may come from asynchronous code."""
    assert run(lambda: _amap(square, arange(N), **route)) == SQUARES


def test_amap_of_a_coroutine_function_takes_asynchronous_iterables(async_route: dict[str, Any]) -> None:
    """The items of an `async def` may come from asynchronous code."""
    assert run(lambda: _amap(async_square, arange(N), **async_route)) == SQUARES


@pytest.mark.parametrize("function", [affine, async_affine], ids=["plain", "async"])
def test_amap_takes_keywords_and_several_iterables(function: Any) -> None:
    """`amap` zips synchronous and asynchronous iterables and broadcasts keywords."""
    assert run(lambda: _amap(function, range(3), arange(5), offset=1)) == [1, 2, 5]
    assert run(lambda: _amap(function, range(3), factor=5)) == [0, 5, 10]


@pytest.mark.parametrize("function", [square, async_square], ids=["plain", "async"])
def test_amap_of_nothing(function: Any) -> None:
    """No items give an empty list."""
    assert run(lambda: _amap(function, [])) == []
    assert run(lambda: _amap(function, arange(0))) == []


def test_aimap_of_a_plain_function(route: dict[str, Any]) -> None:
    """`async for` over aimap gives the results in order."""
    assert run(lambda: _aimap(square, range(N), **route)) == SQUARES
    assert run(lambda: _aimap(square, arange(N), **route)) == SQUARES


def test_aimap_of_a_coroutine_function(async_route: dict[str, Any]) -> None:
    """`async for` over aimap of an `async def` gives results in order."""
    assert run(lambda: _aimap(async_square, range(N), **async_route)) == SQUARES
    assert run(lambda: _aimap(async_square, arange(N), **async_route)) == SQUARES


@pytest.mark.parametrize("function", [square, async_square], ids=["plain", "async"])
@pytest.mark.parametrize("buffersize", [1, 4])
def test_aimap_never_takes_more_than_its_buffer_ahead(function: Any, buffersize: int) -> None:
    """At most buffersize items are taken from an endless input before the consumer has them."""
    taken = 0

    def items() -> Any:
        nonlocal taken
        for x in itertools.count():
            taken += 1
            yield x

    async def main() -> None:
        delivered = 0
        results = function.aimap(items(), buffersize=buffersize)
        async for value in results:
            assert value == delivered**2
            delivered += 1
            assert taken - delivered <= buffersize
            if delivered == 20:
                break
        await results.aclose()

    run(main)


@pytest.mark.parametrize("function", [square, async_square], ids=["plain", "async"])
def test_aimap_keeps_the_results_before_an_input_error(function: Any) -> None:
    """An error of an asynchronous input comes after the results of the items before it."""
    seen, error = run(lambda: adrained(function.aimap(afail(5))))
    assert seen == [0, 1, 4, 9, 16]
    assert repr(error) == "LookupError('the input broke')"
    with pytest.raises(LookupError, match="the input broke"):
        run(lambda: _amap(function, afail(5)))


def test_the_event_loop_runs_on_during_amap() -> None:
    """`amap` of a plain function never blocks the loop: a task that the item waits for gets its turn."""
    go = threading.Event()

    @parallel
    def waits(x: int) -> int:
        assert go.wait(10)
        return x

    async def main() -> list[int]:
        asyncio.get_running_loop().call_soon(go.set)
        return await waits.amap(range(4))

    assert run(main) == [0, 1, 2, 3]


def test_coroutines_overlap_on_the_callers_loop() -> None:
    """Items of an `async def` wait at the same time, on the loop that the caller runs."""

    async def main() -> list[int]:
        started = 0
        all_started = asyncio.Event()

        @parallel(thread_safe=True, pure=True)
        async def meets(x: int) -> int:
            nonlocal started
            started += 1
            if started == 10:
                all_started.set()
            await all_started.wait()
            return x

        return await meets.amap(range(10))

    assert run(main) == list(range(10))


def test_workers_bound_the_coroutines_under_way() -> None:
    """workers= is the most coroutines at the same time."""
    under_way, most = 0, 0

    @parallel(pure=True, workers=3)
    async def counts(x: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return x

    assert run(lambda: _amap(counts, range(20))) == list(range(20))
    assert most == 3


async def pause(x: int) -> int:
    await asyncio.sleep(0)
    return x


@pytest.mark.timeout(30)
@pytest.mark.parametrize("function", [square, parallel(pause)], ids=["plain", "async"])
def test_amap_can_be_cancelled(function: Any) -> None:
    """Cancelling amap lets go of the input, and the loop goes on."""
    begun, closed = threading.Event(), threading.Event()

    def items() -> Any:
        try:
            for x in itertools.count():
                begun.set()
                yield x
        finally:
            closed.set()

    async def main() -> None:
        task = asyncio.ensure_future(_amap(function, items()))
        while not begun.is_set():  # noqa: ASYNC110 - it is set from a thread
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        while not closed.is_set():
            gc.collect()
            await asyncio.sleep(0)

    run(main)


@pytest.mark.usefixtures("not_eager")  # A parallel plan for a plain function takes items ahead.
@pytest.mark.parametrize(
    ("function", "backend"),
    [(square, None), (square, "serial"), (square, "threads"), (square, "processes"), (async_square, None)],
    ids=["plain", "plain-serial", "plain-threads", "plain-processes", "async"],
)
def test_aimap_hands_out_a_result_before_the_next_item_is_there(function: Any, backend: str | None) -> None:
    """An input may wait for the result of its last item: nothing is held back until more have come."""

    async def main() -> list[int]:
        seen: list[int] = []
        came = asyncio.Event()

        async def items() -> AsyncIterator[int]:
            for x in range(5):
                yield x
                await came.wait()
                came.clear()

        async for value in function.aimap(items(), backend=backend):
            seen.append(value)
            came.set()
        return seen

    assert run(main) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("operation", ["amap", "aimap"])
def test_an_input_that_never_comes_does_not_outlive_its_map(operation: str) -> None:
    """Cancelling a map cancels the wait for its asynchronous input, which may clean up, and its thread ends."""

    async def main() -> None:
        waits, closed = asyncio.Event(), asyncio.Event()

        async def items() -> AsyncIterator[int]:
            yield 1
            try:
                waits.set()
                await asyncio.Event().wait()
            finally:
                closed.set()

        async def consume() -> None:
            if operation == "amap":
                await square.amap(items())
            async for _ in square.aimap(items()):
                pass

        task = asyncio.ensure_future(consume())
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed.wait()

    run(main)
    for thread in threading.enumerate():
        if thread.name == "autopar-bridge":
            thread.join(10)
            assert not thread.is_alive()


def test_coroutines_that_never_wait_leave_the_loop_its_turns() -> None:
    """Other tasks of the loop run while many coroutines that never suspend are mapped."""
    most = 300_000

    async def main() -> int:
        others_ran = False

        def note() -> None:
            nonlocal others_ran
            others_ran = True

        def items() -> Any:
            for x in range(most):
                if others_ran:
                    return
                yield x

        asyncio.get_running_loop().call_later(0.001, note)
        return len(await async_square.amap(items()))

    assert run(main) < most


def test_map_of_a_coroutine_function_refuses_to_block_a_running_loop() -> None:
    """map, imap and starmap of an `async def` inside a running loop name the asynchronous method."""

    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"would block the running event loop; use `await async_square.amap"):
            async_square.map(range(3))
        with pytest.raises(RuntimeError, match="would block the running event loop"):
            async_square.imap(range(3))

    run(main)


def test_map_of_a_plain_function_inside_a_running_loop_works() -> None:
    """`map` of a plain function blocks, as any plain call does, but it works."""

    async def main() -> list[int]:
        return square.map(range(5))

    assert run(main) == [0, 1, 4, 9, 16]


def test_plain_maps_refuse_asynchronous_input() -> None:
    """`map` names amap if it is given an asynchronous iterable."""
    with pytest.raises(TypeError, match=r"map\(\) got an asynchronous iterable .* use amap\(\) or aimap\(\)") as caught:
        square.map(arange(3))  # type: ignore[arg-type]
    assert isinstance(caught.value, AutoparError)


def test_context_variables_reach_coroutines() -> None:
    """Coroutines see the context of the caller."""
    from contextvars import ContextVar

    who: ContextVar[str] = ContextVar("who", default="nobody")

    @parallel
    async def reads(x: int) -> str:
        return who.get()

    async def main() -> list[str]:
        who.set("me")
        return await reads.amap(range(3))

    assert run(main) == ["me"] * 3
    token = who.set("outside")
    assert reads.map(range(2)) == ["outside"] * 2
    who.reset(token)


def test_an_iterator_of_coroutines_may_be_collected_on_the_loop() -> None:
    """Garbage that holds an open iterator, found on the very thread that would close it, stops nothing."""

    class Holder:
        results: Any
        me: Any

    @parallel
    async def collects(x: int) -> int:
        gc.collect()
        return x

    gc.disable()
    try:
        holder = Holder()
        holder.me, holder.results = holder, async_square.imap(range(N))
        assert next(holder.results) == 0
        del holder
        assert collects.map(range(3)) == [0, 1, 2]
    finally:
        gc.enable()
