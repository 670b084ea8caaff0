"""The number of a map's coroutines that are under way, against a server with a queue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import autopar as ap
from autopar._engine.adaptive_limit import AdaptiveLimit
from autopar._engine.coroutines import CoroutineRun
from autopar._engine.functions import FunctionState
from autopar._model.hints import Settings


class Server:
    """Answers so many requests at a time in a time unit each, in virtual time; the others queue."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.now = 0.0
        self.free = [0.0] * places

    def answer(self, sent: float) -> float:
        """When a request is answered that was sent then."""
        place = min(range(self.places), key=self.free.__getitem__)
        self.free[place] = max(sent, self.free[place]) + 1.0
        return self.free[place]


def drive(limit: AdaptiveLimit, server: Server, requests: int) -> list[int]:
    """Send requests as the limit allows, and note the limit at each answer."""
    under_way: list[tuple[float, float]] = []
    limits = []
    for _ in range(requests):
        while len(under_way) < limit.limit:
            turn = limit.turn()
            with pytest.raises(StopIteration):
                turn.send(None)
            under_way.append((server.answer(server.now), server.now))
        under_way.sort(reverse=True)
        server.now, sent = under_way.pop()
        limit.complete(server.now, server.now - sent, ok=True)
        limits.append(limit.limit)
    return limits


def test_where_more_only_queue_fewer_are_under_way() -> None:
    """Against a server with eight places three hundred coroutines become few."""
    limits = drive(AdaptiveLimit(300, None), Server(8), 4000)
    assert limits[0] == 300
    assert limits[-1] < 100


def test_where_nothing_queues_all_stay_under_way() -> None:
    """Against a server with a place for each, as many as were allowed go on."""
    assert drive(AdaptiveLimit(50, None), Server(64), 2000)[-1] == 50


def test_what_an_earlier_map_found_is_where_the_next_one_starts() -> None:
    """The first limit is the one that was found best."""
    assert AdaptiveLimit(1000, 20).limit == 20


@pytest.mark.parametrize(("items", "workers", "adapts"), [(10, None, False), (5000, None, True), (5000, 100, False)])
def test_maps_adapt_where_not_all_items_can_be_under_way(items: int, workers: int | None, adapts: bool) -> None:
    """Few items all start at once, a number of workers that was given is met, and otherwise the map adapts."""

    async def answer(number: int) -> int:
        await asyncio.sleep(0)
        return number

    settings = Settings(workers=workers)
    run = CoroutineRun(FunctionState(answer), range(items), {}, settings)
    assert (run._limit is not None) is adapts


@pytest.mark.parametrize("fails", [False, True])
def test_a_map_that_adapts_gives_all_results(fails: bool) -> None:
    """Whatever the limit does, every item is run once and in its place; the first error ends the map."""
    places = asyncio.Semaphore(4)

    async def answer(number: int) -> int:
        async with places:
            await asyncio.sleep(0)
        if fails and number == 2500:
            raise LookupError(number)
        return number

    async def main() -> Any:
        return await ap.parallel(answer).amap(range(3000))

    if fails:
        with pytest.raises(LookupError, match="2500"):
            asyncio.run(main())
    else:
        assert asyncio.run(main()) == list(range(3000))
