"""A backend whose pool a test hands in; named in a specification in the place of another backend's module."""

from __future__ import annotations

import random
import threading
from concurrent.futures import Future
from queue import SimpleQueue

from autopar._model.plan import Plan
from autopar._model.work import Chunk, Outcome, Pool
from autopar.testing import FakePool

pool: Pool = FakePool()


def open(plan: Plan) -> Pool:
    """Give the test's pool, whatever the plan."""
    return pool


def warm() -> int:
    return 2


class AnyOrderPool(FakePool):
    """Finishes chunks on a thread of its own, in an order that a seed decides."""

    def __init__(self, capacity: int, seed: int) -> None:
        super().__init__(capacity)
        self._random = random.Random(seed)
        self._waiting: SimpleQueue[tuple[Chunk, Future[Outcome]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._finish_some, daemon=True)
        self._thread.start()

    def submit(self, chunk: Chunk) -> Future[Outcome]:
        self.chunks.append(chunk)
        future: Future[Outcome] = Future()
        self._waiting.put((chunk, future))
        return future

    def end(self) -> None:
        self._waiting.put(None)
        self._thread.join(10)

    def _finish_some(self) -> None:
        known: list[tuple[Chunk, Future[Outcome]]] = []
        while True:
            while not known or not self._waiting.empty():
                task = self._waiting.get()
                if task is None:
                    return
                known.append(task)
            chunk, future = known.pop(self._random.randrange(len(known)))
            if future.set_running_or_notify_cancel():
                future.set_result(self._run(chunk))
