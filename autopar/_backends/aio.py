"""Coroutines on an event loop of our own, for callers that have none.

Maps of coroutine functions inside a running loop use that loop and do not come here.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

from autopar._backends.chunk import bind
from autopar._model.plan import Plan
from autopar._model.threads import before_waiting, own_thread
from autopar._model.work import Chunk, Failure, Outcome
from autopar._native_api import thread_probe

_UNENDED = "autopar_unended"
"""Attribute of the background loop that holds the tasks which were started on it and have not ended."""

_lock = threading.RLock()
_loop: asyncio.AbstractEventLoop | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """The event loop that runs on a daemon thread, started at the first need."""
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            loop = asyncio.new_event_loop()
            # Held by the loop, which its thread holds: a program that ends meanwhile does not find them unreachable,
            # and so does not complain of each.
            vars(loop)[_UNENDED] = set()
            before_waiting(functools.partial(_stop, loop))
            own_thread(loop.run_forever, "autopar-asyncio").start()
            _loop = loop  # Only now: Ctrl-C before would leave a loop that nobody runs.
        return _loop


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)


def on_own_loop() -> bool:
    """Whether this thread is the one that runs the background loop, and so must not wait for it."""
    return asyncio._get_running_loop() is _loop is not None


class LoopFuture(Future[Any]):
    """The future of a coroutine on the background loop; cancelling it cancels the coroutine.

    Nothing runs before :meth:`begin`, which Ctrl-C may leave at any place: the future is there to be cancelled then.

    Attributes
    ----------
    ended
        Set once the coroutine has really ended: one that is cancelled may still have to clean up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__()
        self._loop = loop
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self._task: asyncio.Task[None] | None = None
        self.ended = threading.Event()

    def begin(self) -> None:
        """Start the coroutine, in the caller's context."""
        self._loop.call_soon_threadsafe(self._start)

    def cancel(self) -> bool:
        """Cancel the coroutine unless it has ended."""
        if not super().cancel():
            return False
        self._loop.call_soon_threadsafe(self._cancel_task)
        return True

    def _start(self) -> None:
        if self._coroutine is None:
            return
        self._task = self._loop.create_task(self._settle(self._coroutine))
        vars(self._loop)[_UNENDED].add(self._task)
        self._task.add_done_callback(self._end)
        if self.cancelled():
            self._task.cancel()

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self._end(None)  # It was never begun.

    def _end(self, task: object) -> None:
        vars(self._loop)[_UNENDED].discard(task)
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is not None:
            coroutine.close()  # A task that is cancelled before its first step has not touched it.
        self.ended.set()

    async def _settle(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        # Exceptions stop here: asyncio would give the caller a copy of some, and leave its loop because of others.
        value, error = None, None
        try:
            value = await coroutine
        except BaseException as raised:
            error = raised
        if not self.set_running_or_notify_cancel():
            return
        if error is None:
            self.set_result(value)
        else:
            self.set_exception(error)


def run_on_loop(coroutine: Coroutine[Any, Any, Any]) -> LoopFuture:
    """Start a coroutine on the background loop, in the caller's context."""
    future = on_loop(coroutine)
    future.begin()
    return future


def on_loop(coroutine: Coroutine[Any, Any, Any]) -> LoopFuture:
    """The future of a coroutine that will run on the background loop once it is begun."""
    return LoopFuture(background_loop(), coroutine)


class AsyncioPool:
    """Runs the items of a chunk concurrently on the background loop."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    def submit(self, chunk: Chunk) -> Future[Outcome]:
        """Start all items of a chunk."""
        return run_on_loop(_run_chunk(chunk))

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        return limit

    def abandon(self, future: Future[Outcome]) -> bool:
        """Cancel a chunk's coroutines."""
        return future.cancel()

    def close(self) -> None:
        """The loop stays for the next map."""


async def _run_chunk(chunk: Chunk) -> Outcome:
    call = bind(chunk.job)
    started = thread_probe()
    coroutines = [call(*item) if chunk.job.star else call(item) for item in chunk.items]
    results = await asyncio.gather(*coroutines, return_exceptions=True)
    ended = thread_probe()
    outcome = Outcome([], wall=(ended[0] - started[0]) / 1e9, cpu=(ended[1] - started[1]) / 1e9)
    for result in results:
        if isinstance(result, BaseException):
            if not chunk.job.collect:
                outcome.error = result
                break
            outcome.values.append(Failure(result))
        else:
            outcome.values.append(result)
    return outcome


def open(plan: Plan) -> AsyncioPool:
    """A view of the background loop."""
    return AsyncioPool(plan.workers)


def _forget() -> None:
    global _loop, _lock
    _loop, _lock = None, threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
