"""Items of several types: what any of them does when the function works on it is the loop's, wherever it comes."""

from __future__ import annotations

from typing import Any

import pytest

from autopar import parallel
from autopar._model.plan import BACKENDS
from tests.routes import PLAIN_ROUTES

noted: list[int] = []


class Noting:
    """Notes each addition."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __add__(self, other: int) -> int:
        noted.append(self.number)
        return self.number + other


def add_one(x: Any) -> Any:
    """Add, by the method of whatever it is given."""
    return x + 1


def add(x: Any, y: int) -> Any:
    """Add two arguments."""
    return x + y


def total(numbers: Any) -> Any:
    """Use up an iterator."""
    return sum(numbers)


IN_THIS_PROCESS = [
    name for name, hints in PLAIN_ROUTES.items() if BACKENDS[hints.get("backend", "threads")].same_process
]
SAME_PROCESS = pytest.mark.parametrize("route", IN_THIS_PROCESS, indirect=True)
"""Demanded processes, here or on a cluster, are refused, which has a test of its own."""


@SAME_PROCESS
@pytest.mark.parametrize("plain", [1, 5])
def test_objects_among_numbers(plain: int, route: dict[str, Any]) -> None:
    """Numbers may go anywhere; from the first object on, the map notes in order, or refuses a demand that would not."""
    noted.clear()
    items = [*range(plain), *map(Noting, range(12))]
    assert parallel(add_one, **route).map(items) == [x + 1 for x in range(plain)] + [n + 1 for n in range(12)]
    assert noted == list(range(12))


@SAME_PROCESS
def test_argument_tuples_and_lists(route: dict[str, Any]) -> None:
    """The same for several arguments, in tuples or lists."""
    noted.clear()
    pairs: list[Any] = [(1, 2), [3, 4], *((Noting(n), n) for n in range(6))]
    assert parallel(add, **route).starmap(pairs) == [3, 7, 0, 2, 4, 6, 8, 10]
    assert noted == list(range(6))


@SAME_PROCESS
def test_iterators_as_items_are_used_up(route: dict[str, Any]) -> None:
    """The loop leaves them at their end, so a copy elsewhere would not do."""
    items = [iter([1, 2]) for _ in range(6)]
    assert parallel(total, **route).map(items) == [3] * 6
    assert [next(item, "at its end") for item in items] == ["at its end"] * 6


@pytest.mark.parametrize("items", [[1, *map(Noting, range(3))], [iter([1])]])
def test_demanded_processes_are_refused(items: list[Any]) -> None:
    """Another process would keep the notes for itself."""
    function = parallel(add_one if items[0] == 1 else total, backend="processes")
    with pytest.raises(Exception, match='backend="processes"'):
        function.map(items)
