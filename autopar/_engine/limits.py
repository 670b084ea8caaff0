"""How long coroutines may take: each, and all of a map together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from autopar._model.hints import Settings
from autopar.errors import DeadlineError, ItemTimeoutError


class Late:
    """In the place of an item: it did not come in time."""


class Limits:
    """The time limits of one map.

    Parameters
    ----------
    settings
        Of the map.
    single
        It is a single call, to which only ``timeout`` applies.
    """

    def __init__(self, settings: Settings, *, single: bool) -> None:
        self._timeout = settings.timeout
        self._deadline = None if single else settings.deadline
        self._end: float | None = None

    def start(self) -> None:
        """The map begins."""
        if self._deadline is not None:
            self._end = time.monotonic() + self._deadline

    @property
    def over(self) -> bool:
        """The deadline has passed."""
        return self._end is not None and time.monotonic() >= self._end

    def shortened(self, seconds: float) -> float:
        """Not longer than until the deadline."""
        return seconds if self._end is None else min(seconds, max(0.0, self._end - time.monotonic()))

    def too_late(self, index: int) -> DeadlineError:
        """The error of an item without a result."""
        message = f"item {index}: the map did not end within deadline={self._deadline:g} s"
        return DeadlineError(message, index=index)

    @asynccontextmanager
    async def of(self, index: int) -> AsyncIterator[None]:
        """One attempt at an item, cancelled when a limit passes."""
        timeout = self._timeout
        left = self.shortened(float("inf") if timeout is None else timeout)
        limit = asyncio.timeout(left)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            if timeout is None or left < timeout:
                raise self.too_late(index) from None
            message = f"item {index}: took longer than timeout={timeout:g} seconds"
            raise ItemTimeoutError(message, index=index) from None

    async def waited(self, taking: Awaitable[Any]) -> Any:
        """The next item of an asynchronous input, or a :class:`Late` if it does not come by the deadline."""
        if self._end is None:
            return await taking
        limit = asyncio.timeout(self.shortened(float("inf")))
        try:
            async with limit:
                return await taking
        except TimeoutError:
            if not limit.expired():
                raise
            return Late()
