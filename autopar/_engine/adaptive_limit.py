"""How many coroutines of a map are under way: as many as the plan allows at first, fewer where they only queue."""

from __future__ import annotations

import asyncio
from collections import deque

from autopar._plan import Climb

FIRST = 8
"""Answers that say how long an item takes where nothing queues: as many as a verdict of the climb needs."""


class AdaptiveLimit:
    """Turns for the coroutines that take a map's items.

    All start at once, as those of ``asyncio.gather`` do: what waits for nobody is not to be slowed down. From the
    answers' times :class:`autopar._plan.climb.Climb` tells whether fewer would do as well, and whether more would do
    better.

    Parameters
    ----------
    ceiling
        Most items under way.
    start
        As many as an earlier map over the same function found best, or None.
    """

    def __init__(self, ceiling: int, start: int | None) -> None:
        self._ceiling = ceiling
        self._climb = Climb(ceiling, start=ceiling if start is None else start)
        self._first = 0.0
        self._left = FIRST
        self._running = 0
        self._parked: deque[asyncio.Future[None]] = deque()
        self._open = False

    @property
    def limit(self) -> int:
        """Items that may be under way now."""
        return self._climb.limit

    @property
    def accepted(self) -> int:
        """The last limit that proved good."""
        return self._climb.accepted

    def enter(self) -> bool:
        """Whether one more item may be under way now; if so it is, until :meth:`complete`."""
        if self._open:
            return True
        if self._running < self._climb.limit:
            self._running += 1
            return True
        return False

    async def turn(self) -> None:
        """Wait until one more item may be under way; it is, until :meth:`complete`."""
        if self.enter():
            return
        parked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parked.append(parked)
        await parked

    def complete(self, now: float, latency: float, *, ok: bool) -> None:
        """An item has ended ``latency`` seconds after it began."""
        under_way = min(self._running, self._climb.limit)
        self._running -= 1
        if self._left:
            self._first += latency
            self._left -= 1
            if not self._left:
                # Of those that were started together the first to end have found the shortest queue.
                self._climb = Climb(self._ceiling, start=self._climb.limit, alone=self._first / FIRST)
            self._wake_some()
            return
        self._climb.complete(now, latency, ok=ok, in_flight=under_way)
        self._wake_some()

    def _wake_some(self) -> None:
        while self._parked and self._running < self._climb.limit:
            self._wake()

    def open(self) -> None:
        """Nobody has to wait any more."""
        self._open = True
        while self._parked:
            self._wake()

    def _wake(self) -> None:
        parked = self._parked.popleft()
        if not parked.done():
            self._running += 1
            parked.set_result(None)
