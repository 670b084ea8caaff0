"""``asyncio``: coroutines that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import compare
import work

from autopar import parallel


async def afetch(number: int) -> int:
    """Wait, as for a server."""
    await asyncio.sleep(work.WAIT)
    return number


def by_hand(items: Sequence[int]) -> list[int]:
    """All at once on an event loop."""

    async def body() -> list[int]:
        return list(await asyncio.gather(*[afetch(item) for item in items]))

    return asyncio.run(body())


WAY = compare.Way(
    "asyncio",
    'backend="asyncio"',
    "benchmarks/backends: coroutines",
    loop=lambda items: [work.fetch(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(afetch, backend="asyncio").map,
    items=range(100),
)

if __name__ == "__main__":
    compare.main(WAY)
