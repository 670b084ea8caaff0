"""Functions whose maps and calls are heard of."""

from __future__ import annotations

import asyncio


def double(x: int) -> int:
    return 2 * x


def odd_ones_fail(x: int) -> int:
    if x % 2:
        raise ValueError("secret")
    return x


async def double_later(x: int) -> int:
    await asyncio.sleep(0)
    return 2 * x
