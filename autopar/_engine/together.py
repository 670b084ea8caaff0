"""Chunks that begin at the same time: what they lose to one another then shows from their first item on."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

LATE = 10e-3
"""Seconds that a chunk waits for the others at most: two switch intervals of the GIL, within which a thread that is
awake gets it. One that does not come has no core or no worker."""


class Start:
    """Where so many threads wait for one another.

    Without it the first would keep the GIL for a switch interval before a second one got it to begin with, so that
    short chunks which hold the GIL would run one after the other and seem never to have met.
    """

    def __init__(self, threads: int) -> None:
        self._missing = threads
        self._lock = threading.Lock()
        self._all = threading.Event()

    def wait(self) -> None:
        """Go on when all are here, or one is late."""
        with self._lock:
            self._missing -= 1
            last = self._missing <= 0
        if last:
            self._all.set()
        else:
            self._all.wait(LATE)


class Together(list[Any]):
    """Items of a chunk; who goes through them waits for those of the other chunks."""

    def __init__(self, items: Iterable[Any], start: Start) -> None:
        super().__init__(items)
        self._start = start

    def __iter__(self) -> Iterator[Any]:
        self._start.wait()
        return super().__iter__()
