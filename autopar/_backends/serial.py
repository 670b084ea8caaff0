"""The caller's own thread, in order: what every other backend is compared with."""

from __future__ import annotations

from concurrent.futures import Future

from autopar._backends.chunk import run_chunk
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Outcome


class SerialPool:
    """Runs each chunk at once, inside :meth:`submit`."""

    capacity = 1

    def submit(self, chunk: Chunk) -> Future[Outcome]:
        """Run the chunk and return a future that is already done."""
        future: Future[Outcome] = Future()
        future.set_running_or_notify_cancel()
        future.set_result(run_chunk(chunk))
        return future

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        return limit

    def abandon(self, future: Future[Outcome]) -> bool:
        """Nothing is ever under way."""
        return future.done()

    def close(self) -> None:
        """Nothing to let go of."""


def open(plan: Plan) -> SerialPool:
    """A serial pool; the plan changes nothing."""
    return SerialPool()
