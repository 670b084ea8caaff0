"""Chunks that have ended, on their way from whoever ended them to the one who waits: one at a time, or several at once.

A thread that ends a chunk would wake the caller's for each one, and under a GIL the two then take turns for little: the
caller has nothing to do until its queue runs low, or until an item has failed.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

from autopar._model.work import Pending

LINGER = 0.05
"""Seconds within which what has ended is looked at, however many others are waited for: a moment for whoever follows
what items print, and long against what waking costs."""

MOST = 16
"""Chunks that are taken back together at most: to be woken for each of so many costs little, and more would keep the
caller busy after the last has ended."""

_NEVER = 1 << 62


class Completions(Protocol):
    """Takes chunks in as they end, on any thread."""

    def put(self, ended: Pending, /) -> None:
        """Take one in."""

    def take(self) -> list[Pending]:
        """All that are there; does not wait."""

    def wait(self, enough: int, timeout: float | None) -> list[Pending]:
        """The same once so many are there, or one that failed; what there is after ``timeout`` seconds."""


class CompletionQueue:
    """The real one, for one reader.

    Examples
    --------
    >>> from autopar._backends.pending import PendingChunk
    >>> queue = CompletionQueue()
    >>> queue.put(PendingChunk())
    >>> len(queue.wait(2, timeout=0.0)), len(queue.wait(2, timeout=0.0))
    (1, 0)
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # A finalizer may end a chunk in the middle of anything.
        self._ended: list[Pending] = []
        self._urgent = False
        self._enough = _NEVER
        self._bell: SimpleQueue[None] = SimpleQueue()

    def put(self, ended: Pending, /) -> None:
        with self._lock:
            self._ended.append(ended)
            self._urgent = self._urgent or not getattr(ended, "went_well", False)
            if self._enough is _NEVER or (len(self._ended) < self._enough and not self._urgent):
                return
            self._enough = _NEVER
        self._bell.put(None)

    def take(self) -> list[Pending]:
        with self._lock:
            ended, self._ended = self._ended, []
            self._enough, self._urgent = _NEVER, False
        return ended

    def wait(self, enough: int, timeout: float | None) -> list[Pending]:
        with self._lock:
            waits = len(self._ended) < enough and not self._urgent
            if waits:
                self._enough = enough
        if waits:
            with suppress(Empty):  # A ring that came too late ends the next wait early.
                self._bell.get(timeout=timeout)
        return self.take()


def enough(under_way: int, queued: int, *, more: bool) -> int:
    """How many chunks are to have ended before the caller looks at them.

    Parameters
    ----------
    under_way
        Chunks submitted and not taken back.
    queued
        Of these, those beyond what may run at the same time.
    more
        Others follow.

    Examples
    --------
    >>> enough(48, 16, more=True), enough(60, 0, more=False), enough(2, 1, more=True)
    (8, 16, 1)
    """
    return max(1, min(MOST, (queued if more else under_way) // 2))
