"""Maps of plain functions from asynchronous code: on a thread of their own, so that the event loop never blocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any

from autopar._engine.notice import asked_for, users_line
from autopar._engine.patience import POLL_FOR_CANCEL
from autopar._engine.task import Cancelled
from autopar._model.threads import own_thread

BATCH_SECONDS = 2e-3
"""Results are fetched in batches of this many seconds: a hop between threads takes about 50 us (unmeasured)."""

BATCH_ITEMS = 256


def _callers_context() -> Context:
    """The caller's context, for a thread; it knows which line of the program asked for the work."""
    context = copy_context()
    context.run(asked_for.set, users_line())
    return context


async def run_in_thread(work: Callable[[], Any], stop: threading.Event) -> Any:
    """Run a function on a new thread in the caller's context; ``stop`` is set when nobody waits for it any more."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = _callers_context()

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
            result = context.run(work)
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # The loop was closed meanwhile: nobody waits for this any more.
            loop.call_soon_threadsafe(settle, result, error)

    own_thread(body, "autopar-bridge").start()
    try:
        return await future
    finally:
        stop.set()


async def iterate_in_thread(
    start: Callable[[], Iterator[Any]], stop: threading.Event, batch_items: int = BATCH_ITEMS
) -> AsyncIterator[Any]:
    """Iterate on one thread of its own what ``start`` returns, a batch ahead of the consumer at most.

    ``stop`` is set when nobody wants the rest.
    """
    results = _Handover(asyncio.get_running_loop(), batch_items)
    own_thread(_callers_context().run, "autopar-bridge", (results.fill, start)).start()
    try:
        more = True
        while more:
            batch, more = await results.take()
            for value in batch:
                yield value
        if results.error is not None:
            raise results.error
    finally:
        stop.set()
        results.close()


class _Handover:
    """Results on their way from the thread that makes them to a consumer on an event loop.

    The thread works only while the consumer waits, and hands over when a batch is full or its time is up; if it is held
    up by an item meanwhile, the consumer takes what is there: the input may wait for just that.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, batch_items: int) -> None:
        self.error: BaseException | None = None
        self._loop = loop
        self._batch_items = batch_items
        self._changed = threading.Condition()
        self._values: deque[Any] = deque()
        self._ended = self._closed = False
        self._waiting: asyncio.Future[None] | None = None
        self._until = 0.0

    def fill(self, start: Callable[[], Iterator[Any]]) -> None:
        """Make results until none is left or none is wanted; runs on the thread."""
        iterator: Iterator[Any] | None = None
        error: BaseException | None = None
        try:
            if self._wanted():
                iterator = start()
                values, most = self._values, self._batch_items
                for value in iterator:
                    values.append(value)
                    if len(values) >= most or time.perf_counter() >= self._until:
                        self._hand_over()
                        if not self._wanted():
                            break
        except BaseException as raised:
            error = raised
        self.error, self._ended = error, True
        self._hand_over()
        if iterator is not None:
            iterator.close()  # type: ignore[attr-defined]

    async def take(self) -> tuple[list[Any], bool]:
        """What is there next, and whether more may come."""
        if not self._values:
            await self._some()
        more = not self._ended
        return [self._values.popleft() for _ in range(len(self._values))], more

    def close(self) -> None:
        """Nobody wants more."""
        with self._changed:
            self._closed, self._waiting = True, None
            self._changed.notify()

    async def _some(self) -> None:
        waiting: asyncio.Future[None] = self._loop.create_future()
        with self._changed:
            self._waiting, self._until = waiting, time.perf_counter() + BATCH_SECONDS
            self._changed.notify()
        if self._ended:
            self._hand_over()
        timer = self._loop.call_later(BATCH_SECONDS, self._hurry)
        try:
            await waiting
        finally:
            timer.cancel()

    def _hurry(self) -> None:
        self._until = 0.0
        if self._values:
            self._hand_over()

    def _hand_over(self) -> None:
        with self._changed:
            waiting, self._waiting, self._until = self._waiting, None, 0.0
        if waiting is not None:
            with suppress(RuntimeError):  # The loop was closed meanwhile: nobody waits for this any more.
                self._loop.call_soon_threadsafe(_wake, waiting)

    def _wanted(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._closed)
            return not self._closed


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def as_iterable(
    items: Iterable[Any] | AsyncIterable[Any], loop: asyncio.AbstractEventLoop, stop: threading.Event
) -> Iterable[Any]:
    """An asynchronous iterable as one that another thread may iterate, until ``stop`` is set."""
    return Coming(aiter(items), loop, stop) if isinstance(items, AsyncIterable) else items


class Coming:
    """Items of an asynchronous iterable, for another thread.

    The next one may come only after a result was handed out, so whoever has results asks whether it is there.
    """

    def __init__(self, items: AsyncIterator[Any], loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        self._items = items
        self._loop = loop
        self._stop = stop
        self._next: Future[Any] | None = None

    def __iter__(self) -> Coming:
        return self

    def __next__(self) -> Any:
        coming, self._next = self._asked(), None
        try:
            return _wanted(coming, self._stop)
        except StopAsyncIteration:
            raise StopIteration from None

    def __autopar_ready__(self, call: Callable[[], object]) -> bool:
        """Whether the next item, or the end, is there; if not, ``call`` is called when it is."""
        coming = self._asked()
        if coming.done():
            return True
        coming.add_done_callback(lambda _: call())
        return False

    def __del__(self) -> None:
        if self._next is not None:
            with suppress(RuntimeError):  # The loop was closed meanwhile.
                self._next.cancel()

    def _asked(self) -> Future[Any]:
        if self._next is None:
            self._next = asyncio.run_coroutine_threadsafe(self._following(), self._loop)
        return self._next

    async def _following(self) -> Any:
        return await anext(self._items)


def _wanted(coming: Future[Any], stop: threading.Event) -> Any:
    """The result of a coroutine on the loop; it is cancelled once nobody wants it, also if the loop is gone."""
    while not stop.is_set():
        try:
            return coming.result(POLL_FOR_CANCEL)
        except TimeoutError:
            if coming.done():  # Then it is the coroutine's own, or it has come in this moment.
                return coming.result()
    coming.cancel()
    raise Cancelled
