"""Runs chunks away from the caller's thread, where a process that an item forks must not take part in the map.

Such a process is a copy of the worker in the middle of an item. If it came out of that item it would run the rest of
the chunk a second time and answer in the worker's name. It ends there instead, since where the loop would have gone on
with it, in the caller, it cannot be.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from autopar._backends.chunk import run_chunk
from autopar._backends.marks import Each
from autopar._model.work import Chunk, Outcome


class _UnderWay(threading.local):
    items: list[Any] | None = None


_under_way = _UnderWay()


def run_away(chunk: Chunk, *, each: Each = iter) -> Outcome:
    """Run a chunk, and keep what its items print and log; ``each`` goes through the items."""
    items = chunk.items if isinstance(chunk.items, list) else list(chunk.items)
    if items is not chunk.items:
        chunk = Chunk(chunk.job, chunk.start, items)
    around, _under_way.items = _under_way.items, items
    try:
        outcome = run_chunk(chunk, keep=True, each=each)
    finally:
        here = _under_way.items is items
        _under_way.items = around if here else None
    if not here:
        os._exit(0 if outcome.error is None else 1)
    return outcome


def _end_after_this_item() -> None:
    """In a forked process: there is nothing more to run."""
    if _under_way.items is not None:
        _under_way.items.clear()
        _under_way.items = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_after_this_item)
