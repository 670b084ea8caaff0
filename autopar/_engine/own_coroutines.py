"""Coroutine functions of an executor: on autopar's background loop, so many at a time as the executor has workers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from autopar._backends.aio import LoopFuture, run_on_loop


class Coroutines:
    """Those of one executor.

    Parameters
    ----------
    limit
        Most coroutines under way at the same time, or None.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._turns: asyncio.Semaphore | None = None
        self._lock = threading.Condition()
        self._unended: set[LoopFuture] = set()
        self._waiting: set[LoopFuture] = set()
        # The standard library's exit waits for its threads, and so for whatever one of them waits for.
        self._witness = ThreadPoolExecutor(1, "autopar-coroutines")

    def submit(self, start: Callable[[], Coroutine[Any, Any, Any]]) -> Future[Any]:
        """Await what ``start`` gives, as soon as it is its turn."""
        if not self._unended:
            self._witness.submit(self.wait)
        box: list[LoopFuture] = []

        async def call() -> Any:
            if self._limit is None:
                self._begun(box)
                return await start()
            if self._turns is None:
                self._turns = asyncio.Semaphore(self._limit)
            async with self._turns:
                self._begun(box)
                return await start()

        with self._lock:
            future = run_on_loop(call())
            box.append(future)
            self._unended.add(future)
            self._waiting.add(future)
        future.add_done_callback(self._ended)
        return future

    def _begun(self, box: list[LoopFuture]) -> None:
        with self._lock:
            self._waiting.discard(box[0])

    def _ended(self, future: Future[Any]) -> None:
        with self._lock:
            self._unended.discard(future)
            self._waiting.discard(future)
            self._lock.notify_all()

    def wait(self) -> None:
        """Until all have ended."""
        with self._lock:
            while self._unended:
                self._lock.wait()

    def shutdown(self, *, wait: bool, cancel: bool) -> None:
        """``cancel`` those that have not begun; ``wait`` for the others."""
        if cancel:
            with self._lock:
                waiting = list(self._waiting)
            for future in waiting:
                future.cancel()
        if wait:
            self.wait()
        self._witness.shutdown(wait=False)
