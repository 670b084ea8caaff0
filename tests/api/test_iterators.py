"""``imap`` and ``imap_unordered``: lazy, in order or as completed, with back-pressure on the input."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autopar import parallel
from tests.api.functions import affine, async_affine, async_square, square

pytestmark = pytest.mark.timeout(30)

N = 40


class Counted:
    """Counts what is taken from it, and refuses to be listed."""

    def __init__(self, end: int | None = None) -> None:
        self.taken = 0
        self._items = itertools.count() if end is None else iter(range(end))

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> int:
        item = next(self._items)
        self.taken += 1
        return item


def test_imap_gives_the_results_in_order(route: dict[str, Any]) -> None:
    """`list(f.imap(xs))` is `[f(x) for x in xs]`."""
    assert list(square.imap(range(N), **route)) == [x * x for x in range(N)]


def test_imap_of_nothing_ends_at_once(route: dict[str, Any]) -> None:
    """No item, no result."""
    assert list(square.imap([], **route)) == []


def test_imap_takes_keywords_and_several_iterables(route: dict[str, Any]) -> None:
    """`imap` broadcasts keywords and zips iterables as map does."""
    results = affine.imap(range(N), itertools.repeat(3), offset=1, **route)
    assert list(results) == [3 * x + 1 for x in range(N)]


def test_imap_is_an_iterator(route: dict[str, Any]) -> None:
    """`imap` returns an iterator; nothing is taken from the input before the first result is asked for."""
    source = Counted(N)
    results = square.imap(source, **route)
    assert iter(results) is results
    assert source.taken == 0
    assert next(results) == 0


def test_imap_reads_an_endless_input(route: dict[str, Any]) -> None:
    """The input may never end; what was asked for comes."""
    results = square.imap(itertools.count(), **route)
    assert [next(results) for _ in range(5 * N)] == [x * x for x in range(5 * N)]
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("buffersize", [1, 2, 5, 64])
def test_imap_never_takes_more_than_its_buffer_ahead(route: dict[str, Any], buffersize: int) -> None:
    """At every moment at most buffersize items are taken and not handed out."""
    source = Counted()
    results = square.imap(source, buffersize=buffersize, **route)
    for delivered in range(1, 4 * buffersize + 20):
        assert next(results) == (delivered - 1) ** 2
        # The item just handed out has left the buffer.
        assert source.taken - delivered <= buffersize
    results.close()  # type: ignore[attr-defined]


def test_imap_without_a_buffersize_is_bounded_too(route: dict[str, Any]) -> None:
    """A generator is never listed, even without a buffersize."""
    source = Counted()
    results = square.imap(source, **route)
    for _ in range(3):
        next(results)
    assert source.taken < 2000
    results.close()  # type: ignore[attr-defined]


def test_the_input_is_taken_as_in_the_loop_by_default() -> None:
    """While nothing is known of the function, each item is taken when its result is asked for."""
    seen: list[Any] = []
    source = Counted()
    results = parallel(seen.append).imap(source)
    for count in range(1, 20):
        next(results)
        assert source.taken == count
        assert seen == list(range(count))


def test_a_function_with_effects_never_runs_ahead_of_the_consumer(choose_only: Callable[[str], None]) -> None:
    """What the function does outside itself happens when the result is asked for, as in the loop."""
    choose_only("threads")
    seen: list[int] = []

    @parallel
    def remember(x: int) -> int:
        seen.append(x)
        return x

    for x in remember.imap(range(300)):
        assert seen[-1] == x


def test_leaving_imap_early_stops_taking(route: dict[str, Any]) -> None:
    """After the consumer has left, nothing more is taken."""
    source = Counted()
    for result in square.imap(source, buffersize=8, **route):
        if result == 9:
            break
    gc.collect()
    taken = source.taken
    assert taken <= 4 + 8
    assert square.map(range(3), **route) == [0, 1, 4]
    assert source.taken == taken


def test_leaving_imap_early_closes_the_input_generator(route: dict[str, Any]) -> None:
    """A generator that is dropped with its iterator is closed, and its finally clauses run."""
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.set()

    results = square.imap(items(), buffersize=4, **route)
    next(results)
    del results
    gc.collect()
    assert closed.wait(5)


def test_results_are_not_kept(choose_only: Callable[[str], None]) -> None:
    """What was handed out is not referred to any longer."""

    class Result:
        pass

    results = parallel(lambda x: Result()).imap(range(10), backend="threads", buffersize=2)
    first = weakref.ref(next(results))
    for _ in range(5):
        next(results)
    gc.collect()
    assert first() is None


def test_imap_unordered_gives_every_index_once(route: dict[str, Any]) -> None:
    """imap_unordered yields (index, result) of every item."""
    results = list(square.imap_unordered(range(N), **route))
    assert sorted(results) == [(x, x * x) for x in range(N)]


def test_imap_unordered_takes_keywords_and_several_iterables(route: dict[str, Any]) -> None:
    """imap_unordered has the arguments of map."""
    assert dict(affine.imap_unordered(range(5), range(5), offset=1, **route)) == {x: x * x + 1 for x in range(5)}


@pytest.mark.usefixtures("two_cores")
def test_imap_unordered_hands_out_what_is_done_first() -> None:
    """A slow item does not hold back those behind it."""
    others_are_out = threading.Event()

    def item(x: int) -> int:
        if x == 0:
            assert others_are_out.wait(10)
        return x

    seen = []
    for index, _ in parallel(item, pure=True).imap_unordered(range(6), backend="threads", workers=2, chunksize=1):
        seen.append(index)
        if len(seen) == 5:
            others_are_out.set()
    assert seen[-1] == 0
    assert sorted(seen) == list(range(6))


@pytest.mark.parametrize("buffersize", [1, 3])
def test_imap_unordered_respects_its_buffer(route: dict[str, Any], buffersize: int) -> None:
    """imap_unordered has the same back-pressure."""
    source = Counted()
    results = square.imap_unordered(source, buffersize=buffersize, **route)
    for delivered in range(1, 30):
        next(results)
        assert source.taken - delivered <= buffersize
    results.close()  # type: ignore[attr-defined]


# -- coroutine functions


def test_imap_of_a_coroutine_function_gives_results(async_route: dict[str, Any]) -> None:
    """An `async def` can be iterated from synchronous code, in order."""
    assert list(async_square.imap(range(N), **async_route)) == [x * x for x in range(N)]
    assert list(async_affine.imap(range(3), range(3), offset=1, **async_route)) == [1, 2, 5]


def test_imap_unordered_of_a_coroutine_function(async_route: dict[str, Any]) -> None:
    """An `async def` can be iterated as completed."""
    assert dict(async_square.imap_unordered(range(N), **async_route)) == {x: x * x for x in range(N)}


@pytest.mark.parametrize("buffersize", [1, 2, 5])
def test_imap_of_a_coroutine_function_respects_its_buffer(async_route: dict[str, Any], buffersize: int) -> None:
    """Coroutines are not started beyond the buffer."""
    source = Counted()
    results = async_square.imap(source, buffersize=buffersize, **async_route)
    for delivered in range(1, 30):
        assert next(results) == (delivered - 1) ** 2
        assert source.taken - delivered <= buffersize
    results.close()  # type: ignore[attr-defined]


def test_leaving_imap_of_a_coroutine_function_early(async_route: dict[str, Any]) -> None:
    """The rest of the coroutines is not wanted after the consumer has left."""
    source = Counted()
    for result in async_square.imap(source, buffersize=4, **async_route):
        if result == 9:
            break
    gc.collect()
    assert source.taken <= 8
    assert async_square.map([2], **async_route) == [4]
