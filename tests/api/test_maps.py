"""``map`` and ``starmap``: on every backend, demanded or chosen, the list that the plain loop makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from tests.api import functions
from tests.api.functions import affine, async_affine, async_square, square

N = 40


def numbers(n: int) -> Iterator[int]:
    yield from range(n)


def test_map_gives_the_results_in_order(route: dict[str, Any]) -> None:
    """`f.map(xs)` is `[f(x) for x in xs]`."""
    assert square.map(range(N), **route) == [x * x for x in range(N)]


def test_map_of_nothing_is_the_empty_list(route: dict[str, Any]) -> None:
    """`f.map([])` is `[]`."""
    assert square.map([], **route) == []


def test_map_of_one_item(route: dict[str, Any]) -> None:
    """`f.map([x])` is `[f(x)]`."""
    assert square.map([3], **route) == [9]


def test_map_takes_a_generator(route: dict[str, Any]) -> None:
    """A generator is as good an input as a list."""
    assert square.map(numbers(N), **route) == [x * x for x in range(N)]


@pytest.mark.parametrize(
    "items", [[1, 2, 3], (1, 2, 3), {1: "a", 2: "b", 3: "c"}, {1, 2, 3}, b"\x01\x02\x03"], ids=repr
)
def test_map_takes_any_iterable(route: dict[str, Any], items: Any) -> None:
    """What can be iterated can be mapped."""
    assert square.map(items, **route) == [1, 4, 9]


def test_keyword_arguments_go_to_every_item(route: dict[str, Any]) -> None:
    """Keyword arguments of the function are broadcast."""
    assert affine.map(range(N), factor=3, offset=1, **route) == [3 * x + 1 for x in range(N)]


def test_several_iterables_give_one_argument_each(route: dict[str, Any]) -> None:
    """`f.map(xs, ys)` is `[f(x, y) for x, y in zip(xs, ys)]`."""
    assert affine.map(range(N), range(1, N + 1), **route) == [x * (x + 1) for x in range(N)]


def test_the_shortest_iterable_ends_the_map(route: dict[str, Any]) -> None:
    """Of several iterables the shortest counts, as in `zip`."""
    assert affine.map(range(N), iter([1, 2, 3]), **route) == [0, 2, 6]


def test_starmap_spreads_each_item(route: dict[str, Any]) -> None:
    """`f.starmap(pairs)` is `[f(*pair) for pair in pairs]`."""
    pairs = [(x, x + 1) for x in range(N)]
    assert affine.starmap(pairs, offset=1, **route) == [x * (x + 1) + 1 for x in range(N)]


def test_starmap_takes_any_iterable_of_arguments(route: dict[str, Any]) -> None:
    """The items of `starmap` may be lists or other iterables."""
    assert affine.starmap(([x, 2] for x in range(N)), **route) == [2 * x for x in range(N)]


def test_options_sets_hints_for_a_copy(route: dict[str, Any]) -> None:
    """`f.options(...)` gives the same function with other hints."""
    assert square.options(**route).map(range(N)) == [x * x for x in range(N)]


def test_decorator_hints_hold_for_maps(route: dict[str, Any]) -> None:
    """`@parallel(...)` fixes hints for all maps."""
    assert parallel(**route)(functions.plain_square).map(range(N)) == [x * x for x in range(N)]


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_do_not_change_the_answer(route: dict[str, Any], workers: int) -> None:
    """Any number of workers gives the same list."""
    assert square.map(range(N), workers=workers, **route) == [x * x for x in range(N)]


@pytest.mark.parametrize("chunksize", [1, 7, 1000])
def test_chunksize_does_not_change_the_answer(route: dict[str, Any], chunksize: int) -> None:
    """Any chunksize gives the same list."""
    assert square.map(range(N), chunksize=chunksize, **route) == [x * x for x in range(N)]


def test_a_coroutine_function_maps_to_results(async_route: dict[str, Any]) -> None:
    """A map of an `async def` gives results, not coroutines."""
    assert async_square.map(range(N), **async_route) == [x * x for x in range(N)]


def test_a_coroutine_function_takes_keywords_and_several_iterables(async_route: dict[str, Any]) -> None:
    """Coroutine functions take what plain ones take."""
    assert async_affine.map(range(N), range(N), offset=1, **async_route) == [x * x + 1 for x in range(N)]
    assert async_affine.map(numbers(N), factor=5, **async_route) == [5 * x for x in range(N)]


def test_a_coroutine_function_starmaps(async_route: dict[str, Any]) -> None:
    """`starmap` spreads the items of coroutine functions too."""
    assert async_affine.starmap([(1, 2), (3, 4)], offset=1, **async_route) == [3, 13]


def test_a_coroutine_function_maps_nothing(async_route: dict[str, Any]) -> None:
    """No item, no result, no error, for coroutine functions too."""
    assert async_square.map([], **async_route) == []


# -- autopar.map: functions that are not decorated


@pytest.mark.parametrize(
    ("function", "items", "expected"),
    [
        (functions.plain_square, range(4), [0, 1, 4, 9]),
        (abs, [-1, 2], [1, 2]),
        (str.upper, ["a", "b"], ["A", "B"]),
        (int, ["1", "2"], [1, 2]),
        (functions.Point, [1, 2], [functions.Point(1), functions.Point(2)]),
        (functions.Adder(2), [1, 2], [3, 4]),
        (functions.square, [1, 2], [1, 4]),
        (functions.closure_over(5), [1, 2], [6, 7]),
        (lambda x: x - 1, [1, 2], [0, 1]),
        ([5, 6, 7].__getitem__, [0, 2], [5, 7]),
    ],
    ids=["function", "built-in", "method", "type", "class", "object", "decorated", "closure", "lambda", "bound"],
)
def test_ap_map_takes_any_callable(route: dict[str, Any], function: Any, items: Any, expected: list[Any]) -> None:
    """`ap.map(f, xs)` works with functions, built-ins, classes and callable objects."""
    assert ap.map(function, items, **route) == expected


def test_ap_map_takes_keywords_and_several_iterables(route: dict[str, Any]) -> None:
    """`ap.map` broadcasts keywords and zips iterables as the method does."""
    assert ap.map(functions.add, [1, 2], [10, 20], **route) == [11, 22]
    assert ap.map(functions.add, [1, 2], y=5, **route) == [6, 7]
    assert ap.map(functions.Point, [1], y=2, **route) == [functions.Point(1, 2)]


def test_ap_map_of_a_coroutine_function(async_route: dict[str, Any]) -> None:
    """`ap.map` of an `async def` gives results too."""
    function: Any = async_square.__wrapped__
    assert ap.map(function, range(5), **async_route) == [0, 1, 4, 9, 16]


def test_the_demanded_backend_is_the_one_that_runs(route: dict[str, Any]) -> None:
    """A demanded backend is in the decision, and nothing ran elsewhere."""
    square.map(range(N), **route)
    decision = square.decisions[-1]
    if "backend" in route:
        assert decision.plan.backend == route["backend"]
        assert {plan.backend for plan, _ in decision.tried} == {route["backend"]}
    assert sum(items for _, items in decision.tried) == decision.items == N


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_chosen_backend_runs_items(backend: str, choose_only: Callable[[str], None]) -> None:
    """What the planner chose by itself runs, and the decision counts its items."""
    square.map(range(N), backend=backend)
    choose_only(backend)
    assert square.map(range(N)) == [x * x for x in range(N)]
    decision = square.decisions[-1]
    assert decision.plan.backend == backend
    assert sum(items for plan, items in decision.tried if plan.backend == backend) > 0
    assert sum(items for _, items in decision.tried) == decision.items == N


def test_a_coroutine_function_runs_on_an_event_loop_by_itself() -> None:
    """Coroutine functions are sent to asyncio unless their effects forbid it."""

    @parallel
    async def pause(x: int) -> int:
        await asyncio.sleep(0)
        return x

    assert pause.map(range(N)) == list(range(N))
    assert pause.decisions[-1].plan.backend == "asyncio"
