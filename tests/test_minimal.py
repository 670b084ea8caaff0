"""The one file to run if only one is: each promise once, in a few seconds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import autopar as ap
from autopar import AutoparError, parallel
from autopar.errors import WorkerDiedError
from tests.api.functions import async_square, square
from tests.faults.items import BAD, ITEMS, dies, fails

BACKENDS: list[dict[str, Any]] = [{}, {"backend": "serial"}, {"backend": "threads"}, {"backend": "processes"}]
everywhere = pytest.mark.parametrize("hints", BACKENDS, ids=["chosen", "serial", "threads", "processes"])

SQUARES = [x * x for x in range(100)]


def test_a_decorated_function_is_still_itself() -> None:
    """Called, it returns what it returned; looked at, it is what it was."""
    assert square(7) == 49
    assert (square.__name__, square.__doc__) == ("square", "Square a number.")


@everywhere
def test_maps_give_the_loops_answer(hints: dict[str, Any]) -> None:
    """map, starmap, imap and imap_unordered give what the plain loop gives."""
    assert square.map(range(100), **hints) == SQUARES
    assert square.starmap([(x,) for x in range(100)], **hints) == SQUARES
    assert list(square.imap(range(100), buffersize=8, **hints)) == SQUARES
    assert dict(square.imap_unordered(range(100), **hints)) == dict(enumerate(SQUARES))


@everywhere
def test_the_first_exception_in_input_order_is_raised(hints: dict[str, Any]) -> None:
    """An item's exception arrives as itself and says which item it was."""
    with pytest.raises(ValueError, match="bad item") as caught:
        fails.map(range(ITEMS), **hints)
    assert any(f"item {BAD} " in note for note in caught.value.__notes__)


def test_coroutine_functions_are_mapped() -> None:
    """An `async def` maps to results, from synchronous and from asynchronous code."""

    async def main() -> list[int]:
        return await async_square.amap(range(100))

    assert async_square.map(range(100)) == SQUARES
    assert asyncio.run(main()) == SQUARES


def test_functions_with_effects_stay_in_the_loop() -> None:
    """What a function does outside itself happens in order, once."""
    seen: list[int] = []
    ap.map(seen.append, range(1000))
    assert seen == list(range(1000))


def test_single_calls_can_be_started_elsewhere() -> None:
    """`submit` gives a future of the call."""
    assert square.submit(3).result(10) == 9


def test_a_worker_that_dies_is_named_and_replaced() -> None:
    """A process that an item kills costs that item, and the next map works."""
    with pytest.raises(WorkerDiedError, match=f"item {BAD}"):
        dies.map(range(ITEMS), how="exit1", backend="processes")
    assert square.map(range(100), backend="processes") == SQUARES


def test_a_decision_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Each map writes down what was chosen and why."""
    function = parallel(abs)
    function.map([-1, -2], backend="threads")
    assert function.decisions[-1].plan.backend == "threads"
    assert "map over 2 items" in function.explain()


def test_bad_input_is_refused_at_once() -> None:
    """A wrong hint is an error that names it."""
    with pytest.raises(AutoparError, match="workers must be at least 1, not 0"):
        parallel(abs, workers=0)
    with pytest.raises(AutoparError, match="backend='thread' is unknown"):
        square.map([1], backend="thread")
