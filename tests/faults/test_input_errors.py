"""The input itself raises: what came before it is kept, and the error arrives as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.functions import async_square, square
from tests.faults.items import fails, input_fails_at
from tests.routes import drained

pytestmark = pytest.mark.timeout(30)


@pytest.mark.parametrize("position", [0, 1, 5, 100])
def test_map_raises_what_the_input_raises(route: dict[str, Any], position: int) -> None:
    """An error of the input ends the map as it ends the loop."""
    with pytest.raises(LookupError, match="the input broke") as caught:
        square.map(input_fails_at(position), **route)
    assert not getattr(caught.value, "__notes__", ())


@pytest.mark.parametrize("position", [0, 1, 5, 100])
def test_imap_keeps_the_results_before_an_input_error(route: dict[str, Any], position: int) -> None:
    """`imap` hands out all results of the items before the error, then raises it."""
    seen, error = drained(square.imap(input_fails_at(position), **route))
    assert repr(error) == "LookupError('the input broke')"
    assert seen == [x * x for x in range(position)]


def test_imap_unordered_keeps_the_results_before_an_input_error(route: dict[str, Any]) -> None:
    """imap_unordered gives every item before the error too."""
    seen, error = drained(square.imap_unordered(input_fails_at(20), **route))
    assert repr(error) == "LookupError('the input broke')"
    assert dict(seen) == {x: x * x for x in range(20)}


def test_an_item_that_failed_before_the_input_broke_decides(route: dict[str, Any]) -> None:
    """If an item fails before the place where the input breaks, its error is the loop's."""
    with pytest.raises(ValueError, match="bad item"):
        fails.map(input_fails_at(6), **route)


def test_the_input_ends_the_plain_loop_first() -> None:
    """Run one by one, an input error comes after the items before it and before those behind."""
    ran: list[int] = []

    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("the input broke")

    from autopar import parallel

    with pytest.raises(LookupError):
        parallel(ran.append, backend="serial").map(items())
    assert ran == [1, 2]


def test_several_inputs_one_of_which_breaks(route: dict[str, Any]) -> None:
    """An error of one of several inputs is the map's."""
    from tests.api.functions import affine

    with pytest.raises(LookupError, match="the input broke"):
        affine.map(range(100), input_fails_at(5), **route)


def test_an_item_of_starmap_that_does_not_spread(route: dict[str, Any]) -> None:
    """An item of starmap that is no iterable is the item's own TypeError."""
    from tests.api.functions import affine

    with pytest.raises(TypeError, match="iterable"):
        affine.starmap([(1, 2), 3], **route)  # type: ignore[list-item]


@pytest.mark.parametrize("position", [0, 1, 5, 100])
def test_a_map_of_coroutines_raises_what_the_input_raises(async_route: dict[str, Any], position: int) -> None:
    """An error of the input ends a map of coroutines too."""
    with pytest.raises(LookupError, match="the input broke"):
        async_square.map(input_fails_at(position), **async_route)


@pytest.mark.parametrize("position", [0, 1, 5, 100])
def test_imap_of_coroutines_keeps_the_results_before_an_input_error(async_route: dict[str, Any], position: int) -> None:
    """Coroutines of the items before the error deliver."""
    seen, error = drained(async_square.imap(input_fails_at(position), **async_route))
    assert repr(error) == "LookupError('the input broke')"
    assert seen == [x * x for x in range(position)]


def test_stop_iteration_from_an_input_ends_it(route: dict[str, Any]) -> None:
    """An iterator's StopIteration is its end, not an error."""
    assert square.map(iter([1, 2]), **route) == [1, 4]
