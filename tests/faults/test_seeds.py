"""``seed=`` gives each item a random stream of its own, the same on every backend."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.faults.surroundings import adraws, draws, draws_twice
from tests.routes import not_beside_numpy

pytestmark = pytest.mark.timeout(30)

N = 30


def test_a_seed_gives_the_same_results_everywhere(route: dict[str, Any]) -> None:
    """Whatever runs the items, and in whatever chunks, the numbers are those of the plain loop with that seed."""
    expected = draws_twice.map(range(N), seed=7, backend="serial")
    assert draws_twice.map(range(N), seed=7, **route) == expected
    assert draws_twice.map(range(N), seed=7, chunksize=4, **route) == expected
    assert list(draws_twice.imap(range(N), seed=7, **route)) == expected
    assert len(set(expected)) == N


def test_another_seed_gives_other_results(route: dict[str, Any]) -> None:
    """Streams depend on the seed."""
    assert draws.map(range(N), seed=7, **route) != draws.map(range(N), seed=8, **route)


def test_an_item_has_the_same_stream_wherever_its_chunk_begins() -> None:
    """The stream of an item depends on its position alone."""
    assert draws.map(range(5), seed=7) == draws.map(range(N), seed=7)[:5]


def test_fresh_seeds_differ(route: dict[str, Any]) -> None:
    """seed="fresh" draws a new one each time."""
    one, two = (draws.map(range(N), seed="fresh", **route) for _ in range(2))
    assert one != two
    assert len({*one, *two}) == 2 * N


def test_the_callers_own_stream_is_left_alone(route: dict[str, Any]) -> None:
    """A seeded map leaves the caller's random state as it found it."""
    random.seed(1)
    expected = random.random()
    random.seed(1)
    draws.map(range(N), seed=7, **route)
    assert random.random() == expected


def test_without_a_seed_the_loops_stream_is_used() -> None:
    """A function that draws from the global state gives the loop's numbers, in order."""
    random.seed(5)
    expected = [random.random() for _ in range(N)]
    random.seed(5)
    assert draws.map(range(N)) == expected


def test_a_retried_item_starts_its_stream_again() -> None:
    """The second attempt of an item draws the same numbers."""
    from autopar import parallel

    seen: list[float] = []

    @parallel(seed=3, retries=1)
    def flaky(x: int) -> float:
        seen.append(random.random())
        if len(seen) == 1:
            raise ValueError
        return seen[-1]

    assert flaky.map([1]) == [seen[0]]
    assert seen[0] == seen[1]


def test_numpy_has_a_stream_of_each_item_too(route: dict[str, Any]) -> None:
    """The global stream of NumPy is started with the item's own seed."""
    not_beside_numpy(route)
    numpy = pytest.importorskip("numpy")
    from autopar import parallel

    def item(x: int) -> float:
        import numpy

        return float(numpy.random.random())

    state = numpy.random.get_state()[1].tolist()
    expected = parallel(item).map(range(N), seed=7, backend="serial")
    assert parallel(item).map(range(N), seed=7, **route) == expected
    assert len(set(expected)) == N
    assert numpy.random.get_state()[1].tolist() == state


def test_a_seed_of_coroutines(async_route: dict[str, Any]) -> None:
    """Seeded coroutines that do not wait between their draws give the same numbers each time."""
    assert adraws.map(range(N), seed=7, **async_route) == adraws.map(range(N), seed=7, backend="serial")
