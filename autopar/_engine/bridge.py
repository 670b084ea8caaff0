"""Maps of plain functions from asynchronous code: on a thread of their own, so that the event loop never blocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

BATCH_SECONDS = 2e-3
"""Results are fetched in batches of this many seconds: a hop between threads takes about 50 us (unmeasured)."""

BATCH_ITEMS = 256


async def run_in_thread(work: Callable[[threading.Event], Any]) -> Any:
    """Run a function on a new thread in the caller's context; cancelling sets the event it was given."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    stop = threading.Event()
    context = copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):
            # A future refuses StopIteration, and a coroutine could not raise it.
            future.set_exception(RuntimeError("an item raised StopIteration").with_traceback(error.__traceback__))
        else:
            future.set_exception(error)

    def body() -> None:
        result, error = None, None
        try:
            result = context.run(work, stop)
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # The loop was closed meanwhile: nobody waits for this any more.
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=body, name="autopar-bridge", daemon=True).start()
    try:
        return await future
    finally:
        stop.set()


async def iterate_in_thread(start: Callable[[], Iterator[Any]], batch_items: int = BATCH_ITEMS) -> AsyncIterator[Any]:
    """Iterate on one thread of its own what ``start`` returns, a batch ahead of the consumer at most."""
    requests: SimpleQueue[Callable[[list[Any], bool, BaseException | None], None] | None] = SimpleQueue()
    context = copy_context()
    loop = asyncio.get_running_loop()

    def body() -> None:
        iterator: Iterator[Any] | None = None
        while (answer := requests.get()) is not None:
            batch: list[Any] = []
            more, error = True, None
            try:
                iterator = iterator if iterator is not None else start()
                more = _fetch(iterator, batch, batch_items)
            except BaseException as raised:
                more, error = False, raised
            answer(batch, more, error)
        if iterator is not None:
            iterator.close()  # type: ignore[attr-defined]

    threading.Thread(target=context.run, args=(body,), name="autopar-bridge", daemon=True).start()
    try:
        more = True
        while more:
            future: asyncio.Future[tuple[list[Any], bool, BaseException | None]] = loop.create_future()

            def answer(
                batch: list[Any],
                more: bool,
                error: BaseException | None,
                future: asyncio.Future[tuple[list[Any], bool, BaseException | None]] = future,
            ) -> None:
                def settle() -> None:
                    if not future.done():
                        future.set_result((batch, more, error))

                with suppress(RuntimeError):  # The loop was closed meanwhile: nobody waits for this any more.
                    loop.call_soon_threadsafe(settle)

            requests.put(answer)
            batch, more, error = await future
            for value in batch:
                yield value
            if error is not None:
                raise error
    finally:
        requests.put(None)


def _fetch(iterator: Iterator[Any], batch: list[Any], most: int) -> bool:
    """Take results for a moment; False at the end. Results before an error stay in the batch."""
    until = time.perf_counter() + BATCH_SECONDS
    for value in iterator:
        batch.append(value)
        if len(batch) >= most or time.perf_counter() >= until:
            return True
    return False


def as_iterable(items: Iterable[Any] | AsyncIterable[Any], loop: asyncio.AbstractEventLoop) -> Iterable[Any]:
    """An asynchronous iterable as one that another thread may iterate."""
    return _drain(aiter(items), loop) if isinstance(items, AsyncIterable) else items


def _drain(items: AsyncIterator[Any], loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    async def following() -> Any:
        return await anext(items)

    while True:
        try:
            item = asyncio.run_coroutine_threadsafe(following(), loop).result()
        except StopAsyncIteration:
            return
        yield item
