"""What the engine remembers of a function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar._engine.functions import FunctionState

TABLE = {"one": 1}


def reads(x: str) -> int:
    return TABLE[x]


def captures(values: Any, more_than_one: bool = False) -> Callable[..., Any]:
    def inner(x: int, more: int = 7, *, rest: tuple[int, ...] = (8, 9)) -> Any:
        return values[x] + more + rest[0] + late

    if more_than_one:
        late = 0
    return inner


class Model:
    def __init__(self) -> None:
        self.weights = [1.0]

    def apply(self, x: int) -> float:
        return self.weights[x]

    def __call__(self, x: int) -> float:
        return self.weights[x]


NUMBERS, MODEL = [1], Model()


@pytest.mark.parametrize(
    ("function", "carried"),
    [
        (reads, [TABLE]),
        (captures(NUMBERS), [NUMBERS, 7, (8, 9)]),
        (functools.partial(captures(NUMBERS), more=5), [5, NUMBERS, 7, (8, 9)]),
        (MODEL.apply, [MODEL]),
        (MODEL, [MODEL]),
        (abs, []),
    ],
    ids=["global", "closure and defaults", "partial", "method", "object", "built-in"],
)
def test_what_travels_with_a_function_is_known(function: Callable[..., Any], carried: list[Any]) -> None:
    """Globals that a worker must see, and what the function captures; a variable without a value is nothing."""
    assert FunctionState(function).carried() == carried


def test_what_is_captured_is_not_compared() -> None:
    """No code of the values runs."""

    class Silent:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    (value, *_) = FunctionState(captures(Silent())).carried()
    assert type(value) is Silent


def legacy_draw(seed: int) -> Any:
    return np.random.RandomState(seed).random_sample()


def test_attributes_of_classes_written_in_c_stay_behind() -> None:
    """A worker could not set them, and the map would fail where it demands processes."""
    np.random.seed(1)  # the class is found once the module is loaded
    assert [name for _, name in FunctionState(legacy_draw).shared_globals() if "." in name] == []
    assert ap.map(legacy_draw, [1, 2], backend="processes") == [legacy_draw(1), legacy_draw(2)]
