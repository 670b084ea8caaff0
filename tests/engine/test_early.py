"""A map that is known to end before a choice could pay takes the shortest way to the loop's answer."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from autopar import parallel
from autopar._engine import early
from autopar._engine.early import Early
from autopar._plan import DEFAULT_COSTS
from autopar.errors import UnavailableError

PATIENT, IMPATIENT = 1e6, 1e-9
"""Seconds before a planning, so long or so short that it does not matter how busy the machine is."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Say when a map is to be planned; an eager map never ends early."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)

    def be(seconds: float) -> None:
        monkeypatch.setattr(early, "DEFAULT_COSTS", replace(DEFAULT_COSTS, look_seconds=seconds))

    be(PATIENT)
    return be


@pytest.fixture
def shortcuts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each map that took the shortest way ended on it."""
    ended: list[bool] = []
    run = Early.run

    def watched(self: Early, *args: Any, **keywords: Any) -> bool:
        ended.append(False)
        ended[-1] = run(self, *args, **keywords)
        return ended[-1]

    monkeypatch.setattr(early.Early, "run", watched)
    return ended


def add(x: int, y: int = 1) -> int:
    """Add two numbers."""
    return x + y


def count_up(size: int) -> int:
    """Take a time that grows with the item."""
    return sum(range(size))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda f: f.map([1, 2, 3]), [2, 3, 4]),
        (lambda f: f.map((4,), y=3), [7]),
        (lambda f: f.map(range(5)), [1, 2, 3, 4, 5]),
        (lambda f: f.starmap([(1, 2), (3, 4)]), [3, 7]),
    ],
)
def test_a_settled_map_takes_the_shortest_way(
    call: Callable[[Any], list[int]], expected: list[int], shortcuts: list[bool]
) -> None:
    """From the second map on a short one runs at once; the log says what every map did."""
    function = parallel(add)
    assert call(function) == expected
    assert shortcuts == []
    assert call(function) == expected
    assert shortcuts == [True]
    last = function.decisions[-1]
    assert (last.items, str(last.plan), last.error) == (len(expected), "serial", "")
    assert last.why == "the whole of it ran before planning could pay"


def test_a_function_that_is_not_to_be_compiled_takes_it_too(
    shortcuts: list[bool], patience: Callable[[float], None]
) -> None:
    """To ask for Python is no demand that a plan would have to meet: what no plan can repay is not planned."""
    function = parallel(add, compiler="python")
    function.map([1, 2, 3])
    patience(IMPATIENT)
    function._self_state.memory.latest[int].wall = 1e-9
    items = list(range(2000))
    assert function.map(items) == [x + 1 for x in items]
    assert len(shortcuts) == 1


def test_a_map_that_is_slower_than_expected_goes_on_the_ordinary_way(
    shortcuts: list[bool], patience: Callable[[float], None]
) -> None:
    """What has run is kept; the rest may be planned for."""
    function = parallel(count_up)
    function.map([1] * 10)
    patience(IMPATIENT)
    function._self_state.memory.latest[int].wall = 0.0
    items = list(range(20))
    assert function.map(items) == [count_up(size) for size in items]
    assert shortcuts == [False]
    assert function.decisions[-1].items == 20


def test_an_item_that_raises_ends_it_as_the_loop(shortcuts: list[bool]) -> None:
    """The error is the item's own, with a note that names it."""
    function = parallel(add)
    function.map([1, 2])
    items: list[Any] = [1, "two", 3]
    with pytest.raises(TypeError) as raised:
        function.map(items)
    assert "item 1 of tests.engine.test_early.add.map(), on serial" in raised.value.__notes__[0]
    assert (function.decisions[-1].error, function.decisions[-1].items) == ("TypeError", 1)


def test_a_list_that_grows_under_way_is_followed(shortcuts: list[bool]) -> None:
    """The loop sees items that the function itself appends; so does the shortest way."""
    grown: list[int] = []

    def grow(x: int) -> int:
        if len(grown) < 4:
            grown.append(x + 1)
        return x

    function = parallel(grow)
    for _ in range(3):
        grown[:] = [1]
        assert function.map(grown) == [1, 2, 3, 4]
    assert shortcuts


@pytest.mark.parametrize("hints", [{"backend": "serial"}, {"compiler": "python"}, {"workers": 2}])
def test_what_the_loop_meets_is_no_reason_to_plan(hints: dict[str, Any], shortcuts: list[bool]) -> None:
    """A map of which no more is demanded than the loop takes the shortest way too, and is never compiled for it."""
    function = parallel(add, **hints)
    for _ in range(3):
        assert function.map([1, 2]) == [2, 3]
    assert shortcuts == [True, True]
    assert str(function.decisions[-1].plan) == "serial"
    if hints.get("compiler") == "python":
        assert function._self_state.spent == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_demand_of_compiled_code_takes_the_shortest_way_with_it(shortcuts: list[bool]) -> None:
    """From the second map on the form is at hand; where there is none for these items, the demand is not forgotten."""
    function = parallel(add, compiler="native")
    assert [function.map([n]) for n in range(3)] == [[1], [2], [3]]
    assert shortcuts == [True, True]
    assert function.decisions[-1].plan.compiler == "native"
    with pytest.raises(UnavailableError, match='compiler="native" cannot compile'):
        function.map(["a"])
    assert shortcuts == [True, True]
    function._self_state.demanded_forms("native").forms()[0].withdraw("for this test")
    with pytest.raises(UnavailableError, match="for this test"):
        function.map([1])


@pytest.mark.parametrize("hints", [{"backend": "threads"}, {"retries": 1}, {"seed": 1}, {"on_error": "return"}])
def test_hints_that_ask_more_of_an_item_are_met(hints: dict[str, Any], shortcuts: list[bool]) -> None:
    """Such a map goes the ordinary way every time."""
    function = parallel(add, **hints)
    for _ in range(3):
        assert function.map([1, 2]) == [2, 3]
    assert shortcuts == []


def warn_caller(x: int) -> int:
    """Warn whoever calls it."""
    warnings.warn("at the caller's line", UserWarning, stacklevel=2)
    return x


def test_its_items_are_called_from_the_callers_line() -> None:
    """A warning for the caller names the line of the map, as it would name the loop's."""
    function = parallel(warn_caller)
    line = sys._getframe().f_lineno + 4
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        for _ in range(2):
            function.map([1])
    assert [(warning.filename, warning.lineno) for warning in shown] == [(__file__, line)] * 2
