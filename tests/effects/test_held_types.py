"""What arguments hold: found without running user code, and used to tell numbers from objects with methods."""

from __future__ import annotations

import collections
import enum
import importlib.util
import io
from collections.abc import Callable
from typing import Any

import pytest

from autopar._effects import analyse, held_types, join_held
from autopar._effects.held import DEEPEST, LOOKED_AT
from autopar._model.effects import EffectKind

seen: list[Any] = []
ANYTHING = frozenset({object})


class Noisy:
    """Its operators have effects."""

    def __add__(self, other: Any) -> int:
        seen.append("add")
        return 1

    def __eq__(self, other: object) -> bool:
        seen.append("eq")
        return True

    def __hash__(self) -> int:
        seen.append("hash")
        return 1


class Holder:
    """Has an attribute, which its method uses."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def total(self) -> Any:
        return self.value + 1


class Slotted:
    """Has a slot and no dict."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Listed(list[Any]):
    """A list with attributes."""


class Strange(type):
    """Classes that say themselves what they equal."""

    def __eq__(cls, other: object) -> bool:
        seen.append("asked")
        return True

    def __hash__(cls) -> int:
        seen.append("asked")
        return 1


class Odd(metaclass=Strange):
    """Of a class that must not be asked."""


class Color(enum.Enum):
    """Has a value that can be changed."""

    RED = [1]  # noqa: RUF012


Pair = collections.namedtuple("Pair", "a b")


def levels(*kinds: set[type]) -> tuple[frozenset[type], ...]:
    return tuple(map(frozenset, kinds))


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (1, ()),
        ("text", ()),
        ([], ()),
        ([1, 2.0, None], levels({int, float, type(None)})),
        ([[1], ["a"]], levels({list}, {int, str})),
        ({"a": {1: b""}}, levels({str, dict}, {int, bytes})),
        ((1, [2]), levels({int, list}, {int})),
        (Pair([1], 2), levels({list, int}, {int})),
        (collections.Counter("a"), levels({str, int})),
        (Holder([1]), levels({list}, {int})),
        (Slotted({1}), levels({set}, {int})),
        (Listed([1]), levels({int})),
        ([Noisy()], levels({Noisy})),
        (range(3), ()),
        (len, ()),
        (iter([1]), levels({object})),
        ([iter([1])], levels({type(iter([]))}, {object})),
        (io.BytesIO(), levels({object})),
        ([0] * (LOOKED_AT + 1), levels({object})),
        ([[[[["deep"]]]]], levels({list}, {list}, {list}, {list, str})),
    ],
    ids=lambda part: type(part).__name__,
)
def test_types_are_found_level_by_level(value: Any, held: tuple[frozenset[type], ...]) -> None:
    """Items and attributes count, whatever cannot be looked into counts as anything."""
    assert held_types((value,)) == held


def test_a_member_of_an_enumeration_holds_its_value() -> None:
    """An enumeration's member may have a list for a value."""
    assert list in held_types((Color.RED,))[0]


def test_what_holds_itself_comes_to_an_end() -> None:
    """A list in itself has as many levels as are told apart."""
    loop: list[Any] = [1]
    loop.append(loop)
    assert held_types((loop,)) == levels(*[{int, list}] * DEEPEST)


def test_no_class_is_asked_what_it_equals() -> None:
    """A metaclass with its own comparison is left alone: its objects may be anything."""
    seen.clear()
    assert held_types(([Odd()],)) == (ANYTHING,)
    assert seen == []


def test_levels_are_joined_one_by_one() -> None:
    """Two calls' types make those of either."""
    assert join_held(levels({int}), levels({list}, {str})) == levels({int, list}, {str})


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs NumPy")
def test_an_array_holds_arrays_and_numbers() -> None:
    """A row of an array is a view of it; an array of objects may hold anything."""
    import numpy as np

    assert held_types((np.zeros(2),))[0] == {np.ndarray, np.float64}
    both = (np.zeros(2, "l"), np.zeros(2, "q"))  # equal dtypes, on Linux, of two classes
    assert held_types(both)[0] == {np.ndarray, np.int_, np.longlong}
    assert held_types((np.array([[], 1], dtype=object),)) == (ANYTHING,)


def copies_a_list(xs: Any) -> Any:
    p = list(xs)
    p[0] += 1
    return p


def copies_rows(xs: Any) -> Any:
    p = [list(row) for row in xs]
    p[0][0] += 1
    return p


def copies_a_dict(row: Any) -> Any:
    out = dict(row)
    out["a"] += 1
    return out


def adds(xs: Any) -> Any:
    return xs[0] + 1


def searches(xs: Any) -> Any:
    return 3 in xs


def searches_deep(xs: Any) -> Any:
    return xs == [[3]]


def totals(holder: Any) -> Any:
    return holder.total()


def makes_a_set(xs: Any) -> Any:
    return {*xs}


@pytest.mark.parametrize(
    ("function", "argument", "kinds"),
    [
        (copies_a_list, [1, 2], set()),
        (copies_a_list, [[1], 2], {EffectKind.WRITES_ARGUMENT}),
        (copies_a_list, iter([1]), {EffectKind.WRITES_ARGUMENT}),
        (copies_rows, [[1]], set()),
        (copies_rows, [[[1]]], {EffectKind.WRITES_ARGUMENT}),
        (copies_a_dict, {"a": 1}, set()),
        (copies_a_dict, {"a": [1]}, {EffectKind.WRITES_ARGUMENT}),
        (adds, [1], set()),
        (adds, [Noisy()], {EffectKind.WRITES_SHARED}),
        (adds, [1, iter([]), Noisy()], {EffectKind.WRITES_SHARED}),
        (searches, [1], set()),
        (searches, [Noisy()], {EffectKind.WRITES_SHARED}),
        (searches_deep, [[1]], set()),
        (searches_deep, [[Noisy()]], {EffectKind.WRITES_SHARED}),
        (totals, Holder(1), set()),
        (totals, Holder(Noisy()), {EffectKind.WRITES_SHARED}),
        (makes_a_set, (1, 2), set()),
        (makes_a_set, (Noisy(), 2), {EffectKind.WRITES_SHARED}),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_what_arguments_hold_decides(function: Callable[..., Any], argument: Any, kinds: set[EffectKind]) -> None:
    """A copy of a list of numbers is no part of the argument; the methods of objects inside are followed."""
    report = analyse(function, argument_types=(type(argument),), held=held_types((argument,)))
    assert {effect.kind for effect in report.effects} == kinds
