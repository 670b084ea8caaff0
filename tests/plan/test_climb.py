"""Concurrency of waiting items, against simulated servers on a virtual clock."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._plan.climb import Climb, Phase

FEW = 16
"""Concurrency to start from, so that all of the climb is seen."""

SERVICE = 15e-3


@dataclass
class Run:
    """What a simulated map did: its end in seconds, and after each completion (time, under way, limit, phase)."""

    seconds: float = 0.0
    steps: list[tuple[float, int, int, Phase]] = field(default_factory=list)

    def under_way(self, until: float) -> int:
        """Most items under way at the same time up to a time."""
        return max(step[1] for step in self.steps if step[0] <= until)

    def settled_after(self) -> int:
        """Completions before it first held a limit."""
        return next(n for n, step in enumerate(self.steps) if step[3] is Phase.HOLD)


Server = Callable[[float, int], float]


def queueing(slots: int, service: Callable[[], float] = lambda: SERVICE) -> Server:
    """A server that works on so many requests at once; the others queue."""
    free = [0.0] * slots

    def ends(now: float, under_way: int) -> float:
        end = max(now, heapq.heappop(free)) + service()
        heapq.heappush(free, end)
        return end

    return ends


def answering(latency: Callable[[int], float]) -> Server:
    """A server whose latency depends on how many requests are under way."""
    return lambda now, under_way: now + latency(under_way)


def simulate(climb: Climb, items: int, server: Server, fails: Callable[[int], bool] = lambda under_way: False) -> Run:
    """Run items through a server with as many under way as the controller allows."""
    run = Run()
    now, started, under_way = 0.0, 0, 0
    going: list[tuple[float, int, float, bool]] = []
    while len(run.steps) < items:
        while under_way < climb.limit and started < items:
            under_way += 1
            started += 1
            heapq.heappush(going, (server(now, under_way), started, now, fails(under_way)))
        now, _, began, failed = heapq.heappop(going)
        climb.complete(now, now - began, ok=not failed, in_flight=under_way)
        run.steps.append((now, under_way, climb.limit, climb.phase))
        under_way -= 1
    run.seconds = now
    return run


def test_an_unlimited_server_gets_hundreds_of_requests_within_a_few_round_trips() -> None:
    """200 items of 15 ms: at least 88 are under way within 5 round trips, and all are done within 95 ms."""
    run = simulate(Climb(256, start=FEW), 200, answering(lambda under_way: SERVICE))
    assert run.under_way(until=5 * SERVICE) >= 88
    assert run.seconds <= 95e-3


@pytest.mark.parametrize("alone", [None, SERVICE])
@pytest.mark.parametrize("slots", [1, 4, 20])
def test_a_burst_at_first_is_taken_back(slots: int, alone: float | None) -> None:
    """Whoever starts with many learns from the second wave on what the server can do, and loses no throughput."""
    climb = Climb(256, start=64, alone=alone)
    run = simulate(climb, 2000, queueing(slots))
    assert run.settled_after() <= 450
    assert slots <= climb.accepted <= max(8, 2 * slots)
    assert run.seconds <= 1.02 * 2000 / slots * SERVICE


@pytest.mark.parametrize("alone", [None, SERVICE])
def test_a_server_that_allows_four_is_asked_for_about_four(alone: float | None) -> None:
    """It settles at 4 to 8 within 150 completions, stays there, and loses no throughput on the way."""
    climb = Climb(256, start=FEW, alone=alone)
    run = simulate(climb, 1000, queueing(4))
    assert run.settled_after() <= 150
    assert all(4 <= limit <= 8 for _, _, limit, phase in run.steps if phase is Phase.HOLD)
    assert run.seconds <= 1.01 * 1000 / 4 * SERVICE


@pytest.mark.parametrize("slots", [1, 2, 8, 20, 64])
def test_a_server_of_any_width_is_kept_busy(slots: int) -> None:
    """Throughput is within 10 % of the best for 2,000 items, with at most twice the requests it can work on, or 8."""
    climb = Climb(256, start=FEW, alone=SERVICE)
    run = simulate(climb, 2000, queueing(slots))
    assert run.seconds <= 1.1 * 2000 / slots * SERVICE
    assert slots <= climb.accepted <= max(8, 2 * slots)


@pytest.mark.parametrize(
    ("latency", "least", "most"),
    [
        (lambda n: SERVICE * max(1.0, n / 20), 20, 40),
        (lambda n: SERVICE * max(1.0, (n / 20) ** 2), 12, 30),
        (lambda n: SERVICE * (1 + n / 10), 12, 128),
    ],
    ids=["latency in proportion beyond 20", "collapse beyond 20", "latency that rises from the start"],
)
def test_rising_latency_without_throughput_is_stepped_back_from(
    latency: Callable[[int], float], least: int, most: int
) -> None:
    """It holds a limit around the one from which more requests only wait longer."""
    climb = Climb(256, start=FEW)
    simulate(climb, 2000, answering(latency))
    assert least <= climb.accepted <= most


def test_a_server_that_slows_down_is_given_fewer() -> None:
    """When half of the slots disappear, the limit follows."""
    climb = Climb(256, start=FEW, alone=SERVICE)
    simulate(climb, 1000, queueing(32))
    before = climb.accepted
    simulate(climb, 2000, queueing(4))
    assert before >= 32
    assert climb.accepted <= before / 2


def test_a_server_that_grows_is_found_out() -> None:
    """Exploring from time to time finds that more became possible."""
    climb = Climb(256, start=FEW, alone=SERVICE)
    simulate(climb, 500, queueing(4))
    simulate(climb, 4000, queueing(32))
    assert climb.accepted >= 16


@pytest.mark.parametrize("alone", [None, 17e-3])
def test_latencies_that_vary_by_nature_do_not_hold_it_back(alone: float | None) -> None:
    """Log-normal latencies of an unlimited server: most of the ceiling is reached within 1,000 completions."""
    rng = random.Random(3)
    climb = Climb(256, start=FEW, alone=alone)
    simulate(climb, 1000, answering(lambda under_way: rng.lognormvariate(0, 0.5) * SERVICE))
    assert climb.limit >= 128


def test_two_sorts_of_items_do_not_hold_it_back() -> None:
    """Half the items take 5 ms, half 100 ms: the first ones to end are the short ones, which must not mislead."""
    rng = random.Random(4)
    climb = Climb(256, start=FEW, alone=52e-3)
    run = simulate(climb, 2000, answering(lambda under_way: rng.choice([5e-3, 100e-3])))
    assert run.seconds < 2000 * 52.5e-3 / 64


def test_failures_are_no_reason_for_more() -> None:
    """A server that refuses all beyond 20 is not asked for more and more: failed items admit none."""
    climb = Climb(256, start=FEW, alone=SERVICE)
    simulate(climb, 2000, answering(lambda under_way: SERVICE), fails=lambda under_way: under_way > 20)
    assert climb.accepted < 128
    only_failures = Climb(256, start=FEW)
    simulate(only_failures, 200, answering(lambda under_way: SERVICE), fails=lambda under_way: True)
    assert only_failures.limit == 16


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    """Three items under way prove nothing about forty."""
    climb = Climb(256, start=FEW)
    for n in range(200):
        climb.complete(n * SERVICE, SERVICE, in_flight=3)
    assert climb.limit == 16


def test_an_unlimited_server_is_held_at_the_ceiling() -> None:
    """Having reached the ceiling undisturbed, it stays there."""
    climb = Climb(40, start=FEW, alone=SERVICE)
    run = simulate(climb, 2000, answering(lambda under_way: SERVICE))
    assert climb.settled
    assert {limit for _, _, limit, _ in run.steps[200:]} == {40}


def test_items_without_a_latency_change_nothing() -> None:
    """A clock too coarse to see them gives no verdict."""
    climb = Climb(20, start=FEW)
    for _ in range(200):
        climb.complete(1.0, 0.0)
    assert climb.limit == 20


def test_a_known_concurrency_is_where_it_starts() -> None:
    """What was found the last time need not be climbed to again."""
    assert Climb(256, start=100).limit == 100
    assert Climb(8, start=100).limit == 8


@given(
    ceiling=st.integers(1, 300),
    start=st.integers(1, 300),
    completions=st.lists(st.tuples(st.floats(0.0, 10.0), st.booleans(), st.integers(1, 300)), max_size=300),
)
def test_the_limit_stays_in_bounds(ceiling: int, start: int, completions: list[tuple[float, bool, int]]) -> None:
    """Whatever happens, the limit is at least 1 and at most the ceiling."""
    climb = Climb(ceiling, start=start)
    now = 0.0
    for latency, ok, under_way in completions:
        now += latency / under_way
        assert 1 <= climb.complete(now, latency, ok=ok, in_flight=under_way) <= ceiling
        assert 1 <= climb.accepted <= ceiling
