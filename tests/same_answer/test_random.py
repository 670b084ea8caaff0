"""With `seed=` each item has its own random streams, everywhere the same, and the caller's are left alone."""

from __future__ import annotations

import asyncio
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import autopar as ap
from autopar import parallel
from autopar._backends.pickling import dumps
from autopar.errors import ItemTimeoutError
from tests.routes import not_beside_numpy
from tests.same_answer import items, items_numpy
from tests.same_answer.items import BAD

pytestmark = pytest.mark.timeout(30)

N = 12
DRAWING: list[Callable[[int], Any]] = [
    items.draws,
    items.draws_by_name,
    items_numpy.draws_from_numpy,
    items_numpy.draws_from_numpy_it_imports,
    items_numpy.draws_from_both,
]


def states() -> tuple[Any, ...]:
    """The global random states."""
    state: Any = numpy.random.get_state()
    name, keys, *rest = state
    return random.getstate(), name, keys.tolist(), *rest


@pytest.mark.parametrize("function", DRAWING, ids=lambda function: function.__name__)
def test_a_seed_gives_the_same_numbers_everywhere(route: dict[str, Any], function: Callable[[int], Any]) -> None:
    """Whatever runs the items, in whatever chunks: the numbers of the plain loop with that seed."""
    not_beside_numpy(route, function)
    expected = ap.map(function, range(N), seed=7, backend="serial")
    assert len(set(expected)) == N
    for chunksize in (None, 1, 5):
        assert ap.map(function, range(N), seed=7, chunksize=chunksize, **route) == expected


@pytest.mark.parametrize("function", [*DRAWING, items_numpy.draws_then_fails], ids=lambda function: function.__name__)
def test_the_callers_state_is_as_before(route: dict[str, Any], function: Callable[[int], Any]) -> None:
    """Whatever happens: also after an error, and with `gauss`, which keeps a number for the next call."""
    not_beside_numpy(route, function)
    random.gauss(0, 1)
    before = states()
    if function is items_numpy.draws_then_fails:
        with pytest.raises(ValueError, match=str(BAD)):
            ap.map(function, range(N), seed=7, **route)
    else:
        ap.map(function, range(N), seed=7, **route)
    assert states() == before


def test_the_callers_state_is_as_before_while_results_are_handed_out(route: dict[str, Any]) -> None:
    """A consumer that draws between two results draws from its own stream."""
    random.seed(1)
    expected = [random.random() for _ in range(N)]
    random.seed(1)
    assert [random.random() for _ in parallel(items.draws, seed=7, **route).imap(range(N))] == expected


def test_without_a_seed_the_loops_own_stream_is_drawn_from() -> None:
    """A function that draws from it stays in the caller's thread, and leaves the stream as the loop does."""
    random.seed(3)
    expected = [items.draws(x) for x in range(N)], random.random()
    random.seed(3)
    assert (ap.map(items.draws, range(N)), random.random()) == expected


def test_generators_of_its_own_need_no_seed(route: dict[str, Any]) -> None:
    """A function that makes its generator draws the same numbers anywhere."""
    not_beside_numpy(route)
    assert ap.map(items_numpy.draws_of_its_own, range(N), **route) == [
        items_numpy.draws_of_its_own(x) for x in range(N)
    ]


def test_a_seed_changes_nothing_for_generators_of_its_own(route: dict[str, Any]) -> None:
    """Only the global streams are started."""
    not_beside_numpy(route)
    expected = [items_numpy.draws_of_its_own(x) for x in range(N)]
    assert ap.map(items_numpy.draws_of_its_own, range(N), seed=7, **route) == expected


def test_coroutines_draw_the_numbers_of_the_loop(async_route: dict[str, Any]) -> None:
    """Their streams are those of plain functions, and the caller's are as before."""
    expected = ap.map(items_numpy.draws_from_both, range(N), seed=7, backend="serial")
    before = states()
    found: list[Any] = ap.map(items_numpy.draws_async, range(N), seed=7, **async_route)
    assert found == expected
    assert states() == before


@pytest.mark.parametrize("backend", ["serial", "asyncio"])
def test_coroutines_that_overlap_have_their_own_streams(backend: str) -> None:
    """With `pure=True` they do not wait for each other; each draws its own numbers between any two of its awaits."""

    async def item(x: int) -> list[float]:
        drawn = []
        for turn in range(3):
            drawn += [random.random(), float(numpy.random.random())]
            await asyncio.sleep(0 if turn else x % 3 / 1000)
        return drawn

    def plain(x: int) -> list[float]:
        return [number for _ in range(3) for number in (random.random(), float(numpy.random.random()))]

    before = states()
    mapped = ap.parallel(item, seed=7, pure=True, backend=backend)
    assert mapped.map(range(N)) == ap.map(plain, range(N), seed=7, backend="serial")
    assert mapped.map(range(N)) == list(mapped.imap(range(N)))
    assert states() == before


def test_overlapping_coroutines_with_a_seed_end_in_any_way() -> None:
    """Exceptions, cancellation and time-outs pass, and leave the caller's streams alone."""

    async def item(x: int) -> float:
        try:
            await asyncio.sleep(0)
            if x == 3:
                raise KeyError(random.random())
            if x == 5:
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
        return random.random()

    before = states()
    mapped = ap.parallel(item, seed=7, pure=True, backend="asyncio")
    results: list[Any] = mapped.options(on_error="return", timeout=1).map(range(7))
    assert [type(result) for result in results[3:6]] == [KeyError, float, ItemTimeoutError]
    with pytest.raises(KeyError) as caught:
        mapped.map(range(7))
    assert caught.value.args == results[3].args
    assert states() == before


def test_threads_that_overlap_leave_the_callers_state_too() -> None:
    """Chunks begin and end in any order."""
    before = states()
    ap.map(items_numpy.draws_from_both, range(60), seed=7, pure=True, backend="threads", workers=4, chunksize=1)
    assert states() == before


def test_shared_generators_travel_by_name() -> None:
    """A method of one is the receiver's own; a generator of the program's own is copied with its state."""
    for method in (random.random, random.gauss, numpy.random.random, numpy.random.normal):
        data = dumps(method)
        assert len(data) < 200
        assert pickle.loads(data).__self__ is method.__self__  # type: ignore[attr-defined]
    own = random.Random(3)
    copy = pickle.loads(dumps(own))
    assert copy is not own
    assert copy.random() == own.random()


def test_numpy_that_only_the_item_imports_is_seeded() -> None:
    """The caller has not loaded NumPy, and neither have its workers; afterwards the caller's stream is a fresh one."""
    script = """
import sys, autopar
def item(x):
    import numpy
    return float(numpy.random.random())
values = [autopar.map(item, range(4), seed=7, backend=backend) for backend in ("processes", "serial", "threads")]
assert values[0] == values[1] == values[2], values
import numpy
assert numpy.random.random() not in values[0]
print(values[0] == [0.8771411963277772, 0.12999048604662422, 0.9655170976890771, 0.5194425060540414])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
