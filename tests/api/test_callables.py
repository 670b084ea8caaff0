"""Whatever can be called can be mapped, each way that a map can take."""

from __future__ import annotations

import functools
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from tests.api import functions
from tests.api.functions import Adder, Scaler, SlottedScaler, cached_square, closure_over, doubled, twice_the_square

pytestmark = pytest.mark.timeout(30)

N = 40
ITEMS = range(N)


def test_methods(route: dict[str, Any]) -> None:
    """A bound method maps over its other argument."""
    assert Scaler(1).scale.map(ITEMS, **route) == [3 * x + 1 for x in ITEMS]


def test_unbound_methods(route: dict[str, Any]) -> None:
    """A method taken from its class maps over objects."""
    scalers = [Scaler(n) for n in range(5)]
    assert Scaler.scale.map(scalers, range(5), **route) == [4 * n for n in range(5)]


def test_methods_of_objects_with_slots(route: dict[str, Any]) -> None:
    """An object without a __dict__ has decorated methods too."""
    assert SlottedScaler(2).scale.map(ITEMS, **route) == [2 * x for x in ITEMS]


def test_class_methods(route: dict[str, Any]) -> None:
    """A class method maps with its class."""
    assert Scaler.of_class.map(ITEMS, **route) == [3 * x for x in ITEMS]
    assert Scaler(0).of_class.map(ITEMS, **route) == [3 * x for x in ITEMS]


def test_static_methods(route: dict[str, Any]) -> None:
    """A static method maps as the function that it is."""
    assert Scaler.static.map(ITEMS, **route) == [x + 1 for x in ITEMS]


def test_async_methods(async_route: dict[str, Any]) -> None:
    """A coroutine method maps over its other argument."""
    method: Any = Scaler(1).ascale
    assert method.map(ITEMS, **async_route) == [3 * x + 1 for x in ITEMS]


def test_lambdas(route: dict[str, Any]) -> None:
    """A lambda needs no name."""
    assert parallel(lambda x: x + 1).map(ITEMS, **route) == [x + 1 for x in ITEMS]


def test_closures(route: dict[str, Any]) -> None:
    """A closure takes along what it captured."""
    assert parallel(closure_over(5)).map(ITEMS, **route) == [x + 5 for x in ITEMS]


def test_closures_are_read_when_the_map_runs(route: dict[str, Any]) -> None:
    """A captured variable has the value of now, not of the decoration."""
    n = 1

    @parallel
    def add(x: int) -> int:
        functions.spend()
        return x + n

    assert add.map(ITEMS, **route) == [x + 1 for x in ITEMS]
    n = 2
    assert add.map(ITEMS, **route) == [x + 2 for x in ITEMS]


def test_local_functions_that_call_others(route: dict[str, Any]) -> None:
    """A nested function may call its neighbours."""

    def helper(x: int) -> int:
        return 2 * x

    @parallel
    def outer(x: int) -> int:
        return helper(x) + 1

    assert outer.map(ITEMS, **route) == [2 * x + 1 for x in ITEMS]


def test_local_classes_as_items(route: dict[str, Any]) -> None:
    """Items may be of a class that exists in a function only."""

    class Local:
        def __init__(self, n: int) -> None:
            self.n = n

    assert parallel(lambda each: each.n).map([Local(n) for n in range(5)], **route) == list(range(5))


def test_functions_under_other_decorators(route: dict[str, Any]) -> None:
    """A decorator below @parallel takes part in every item."""
    assert twice_the_square.map(ITEMS, **route) == [2 * x * x for x in ITEMS]
    assert parallel(doubled(functions.plain_square)).map(ITEMS, **route) == [2 * x * x for x in ITEMS]


def test_cached_functions(route: dict[str, Any]) -> None:
    """A function under lru_cache maps, and keeps its cache methods."""
    assert cached_square.map(ITEMS, pure=True, **route) == [x * x for x in ITEMS]
    assert cached_square.__wrapped__.cache_info().maxsize is None  # type: ignore[attr-defined]


def test_callable_objects(route: dict[str, Any]) -> None:
    """An object with __call__ maps."""
    assert parallel(Adder(4)).map(ITEMS, **route) == [x + 4 for x in ITEMS]


def test_partials(route: dict[str, Any]) -> None:
    """A partial maps over the arguments that are left."""
    assert parallel(functools.partial(functions.add, 10)).map(ITEMS, **route) == [x + 10 for x in ITEMS]
    assert parallel(functools.partial(functions.add, y=5)).map(ITEMS, **route) == [x + 5 for x in ITEMS]


def test_built_in_functions(route: dict[str, Any]) -> None:
    """Functions written in C map."""
    assert parallel(abs).map(range(-N, 0), **route) == list(range(N, 0, -1))
    assert parallel(divmod).map([7, 8], [2, 3], **route) == [(3, 1), (2, 2)]


def test_a_decorated_function_inside_another(route: dict[str, Any]) -> None:
    """A mapped function may call a decorated one."""

    @parallel
    def outer(x: int) -> int:
        return functions.square(x) + 1

    assert outer.map(ITEMS, **route) == [x * x + 1 for x in ITEMS]


def test_decorated_functions_as_arguments(route: dict[str, Any]) -> None:
    """A decorated function may be an argument or an item."""
    assert ap.map(lambda f, x: f(x), [functions.square, parallel(functions.plain_square)], [2, 3], **route) == [4, 9]
    assert ap.map(lambda f: f(3), [parallel(lambda x: x + 1)], **route) == [4]


def test_generator_functions_give_their_generators_to_the_caller() -> None:
    """A generator function maps to generators, whose bodies run when the caller iterates them."""
    ran: list[int] = []

    @parallel
    def upto(n: int) -> Any:
        ran.append(n)
        yield from range(n)

    generators = upto.map([2, 3])
    assert ran == []
    assert [list(each) for each in generators] == [[0, 1], [0, 1, 2]]


def test_functions_with_any_keywords(route: dict[str, Any]) -> None:
    """A function that takes **keywords gets all that are given; its hints go to options or the decorator."""

    @parallel
    def takes_any(x: int, **keywords: Any) -> tuple[int, dict[str, Any]]:
        return x, keywords

    assert takes_any.options(**route).map([1, 2], workers=9) == [(1, {"workers": 9}), (2, {"workers": 9})]


def test_a_parameter_named_like_a_hint_is_the_functions(route: dict[str, Any]) -> None:
    """The function's own parameters come before hints of the same name."""

    @parallel
    def paid(x: int, workers: int = 0) -> int:
        return x * workers

    assert paid.options(**route).map([1, 2], workers=10) == [10, 20]


def test_mutable_results_are_the_callers(route: dict[str, Any]) -> None:
    """Each result is an object of its own."""
    results = parallel(lambda x: [x]).map(range(3), **route)
    results[0].append(9)
    assert results == [[0, 9], [1], [2]]


def test_effects_happen_once_and_in_order(choose_only: Any) -> None:
    """A function that changes something of the caller's is left in the loop, whatever else could run it."""
    choose_only("threads")
    seen: list[int] = []

    @parallel
    def remember(x: int) -> int:
        functions.spend()
        seen.append(x)
        return len(seen)

    assert remember.map(range(200)) == list(range(1, 201))
    assert seen == list(range(200))
