"""What still runs when a map is left early: it may end by itself for a moment, and is stopped then.

Most chunks take milliseconds, and a worker process that is left alone is warm for the next map; one whose item goes on
for ever would be lost to it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from autopar._model.threads import own_thread
from autopar._model.work import Pending, Pool

GRACE = 0.5
"""Seconds that chunks have to end by themselves: about what starting a worker process in their place takes on a busy
machine (benchmarks/backend_costs.py)."""

_lock = threading.Lock()
_left: deque[tuple[float, Pool, Sequence[Pending]]] = deque()


def leave(pool: Pool, under_way: Sequence[Pending], *, at_once: bool, wait: bool) -> None:
    """Cancel what waits and stop what runs: at once, or after a moment where there is anything to wait for."""
    running = [each for each in under_way if at_once or not each.cancel()]
    if at_once:
        for each in running:
            pool.abandon(each)
    elif running and wait:
        stop_soon(pool, running)


def stop_soon(pool: Pool, running: Sequence[Pending]) -> None:
    """Stop chunks that nobody wants any more, unless they end in time; does not wait."""
    if sys.is_finalizing():  # No thread runs any more, and the workers end with the program.
        return
    with _lock:
        _left.append((time.monotonic() + GRACE, pool, running))
        alone = len(_left) == 1
    if alone:
        try:
            own_thread(_stop_all, "autopar-leaving").start()
        except RuntimeError:  # no thread is left, or the program ends
            _stop_all(wait=False)


def _stop_all(*, wait: bool = True) -> None:
    while True:
        with _lock:
            if not _left:
                return
            due, pool, running = _left[0]
        while wait and (left := due - time.monotonic()) > 0 and not all(each.done() for each in running):
            time.sleep(min(left, GRACE / 10))
        for each in running:
            if not each.done():
                with suppress(Exception):  # The pool has gone meanwhile, with all that it ran.
                    pool.abandon(each)
        with _lock:
            _left.popleft()


def _forget() -> None:
    global _lock
    _lock = threading.Lock()
    _left.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
