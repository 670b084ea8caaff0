"""Event loops: start and end of one, and a coroutine's way through it."""

from __future__ import annotations

import threading
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from autopar._observe.calibration.clock import least, seconds_of

if TYPE_CHECKING:
    import asyncio

_Result = TypeVar("_Result")

_COROUTINES = 500


def event_loop() -> float:
    """Seconds for starting and closing an event loop."""
    import asyncio

    async def nothing() -> None:
        return None

    return least(lambda: seconds_of(lambda: _run(asyncio.new_event_loop(), nothing())), 3)


def coroutine_on_loop() -> float:
    """Seconds a coroutine that waits once, with many of them under way."""
    import asyncio

    async def one() -> None:
        await asyncio.sleep(0)

    async def every() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(_COROUTINES)))
        return (time.perf_counter() - started) / _COROUTINES

    return least(lambda: _run(asyncio.new_event_loop(), every()), 3)


def _run(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine on a loop of its own, on a thread that has none; what the caller has is left alone."""

    def run() -> None:
        try:
            results.append(loop.run_until_complete(main))
        finally:
            loop.close()

    results: list[_Result] = []
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    return results[0]
