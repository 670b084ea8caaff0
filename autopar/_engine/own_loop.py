"""Maps of coroutine functions for callers without an event loop: they run on autopar's own, and the caller waits."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any

from autopar._backends.aio import on_loop, on_own_loop, run_on_loop
from autopar._engine.coroutines import CoroutineRun


def map_on_own_loop(run: CoroutineRun) -> list[Any]:
    """Collect a map from synchronous code."""
    refuse_running_loop(run.operation, run.state.name)
    results: list[Any] = _wait_on_own_loop(run.collect())
    return results


def iterate_on_own_loop(run: CoroutineRun, *, ordered: bool) -> Iterator[Any]:
    """Hand out a map's results to synchronous code; the loop runs on while the consumer works."""
    refuse_running_loop(run.operation, run.state.name)
    results = run.ordered() if ordered else run.completed()

    def deliver() -> Iterator[Any]:
        _open.add(results)
        try:
            while True:
                try:
                    value = _wait_on_own_loop(_next(results))
                except StopAsyncIteration:
                    return
                yield value
        finally:
            _close_on_own_loop(results)

    return deliver()


def _wait_on_own_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on autopar's own loop; after Ctrl-C it is cancelled, and may clean up as under `asyncio.run`."""
    future = on_loop(coroutine)
    try:
        future.begin()
        return future.result()
    except BaseException:
        if future.cancel():
            future.ended.wait()
        raise


def _close_on_own_loop(results: AsyncGenerator[Any]) -> None:
    """Close an iterator that its consumer, or the garbage collector on any thread, has given up."""
    if sys.is_finalizing():
        return  # The thread of the loop does not run any more.
    if on_own_loop():
        run_on_loop(_close(results))
    else:
        _wait_on_own_loop(_close(results))


_open: set[AsyncGenerator[Any]] = set()
"""Iterators in use: where the garbage collector finds one with its consumer, asyncio would close its parts in any
order."""


async def _close(results: AsyncGenerator[Any]) -> None:
    try:
        await results.aclose()
    finally:
        _open.discard(results)


async def _next(results: AsyncGenerator[Any]) -> Any:
    return await anext(results)


def refuse_running_loop(operation: str, function: str) -> None:
    """Say what to call instead where waiting would block the running event loop.

    Raises
    ------
    RuntimeError
        A loop runs in this thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    name = function.rpartition(".")[2]
    raise RuntimeError(
        f"{operation}() of the coroutine function {name} would block the running event loop; "
        f"use `await {name}.amap(...)` or `async for ... in {name}.aimap(...)`"
    )
