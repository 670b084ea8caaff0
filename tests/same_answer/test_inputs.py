"""What the input or its items do while a map runs is what they do in the loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import autopar as ap
from autopar import parallel
from tests.api.functions import spend

N = 400
LOG: list[int] = []


class Counts:
    """Its addition leaves a mark."""

    def __add__(self, other: int) -> int:
        LOG.append(other)
        return len(LOG)


def test_an_input_that_fills_one_buffer_again_and_again() -> None:
    """Each item is used before the next one takes its place."""

    def refilled() -> Iterator[list[int]]:
        buffer = [0]
        for number in range(N):
            buffer[0] = number
            yield buffer

    @parallel
    def first(buffer: list[int]) -> int:
        spend()
        return buffer[0]

    assert first.map(refilled()) == list(range(N))
    assert "one object again and again" in first.decisions[-1].fallbacks[0]


def test_an_input_that_the_function_makes_longer() -> None:
    """A list that grows meanwhile is mapped to its end."""
    items = [1, 2, 3]

    def grow(item: int) -> int:
        if len(items) < 10:
            items.append(item)
        return item

    assert len(ap.map(grow, items)) == 10


def test_thread_locals_are_the_callers() -> None:
    """An item reads what the caller's thread has stored."""
    local = threading.local()
    local.value = 5

    @parallel
    def read(item: int) -> Any:
        spend()
        return getattr(local, "value", None)

    assert set(read.map(range(N))) == {5}


def test_operators_of_the_items_own_class_are_looked_at() -> None:
    """An operator that leaves a mark keeps the map in the loop, though the function's own code shows nothing of it."""
    LOG.clear()

    @parallel
    def add(item: Counts) -> int:
        spend()
        return item + 1

    assert add.map([Counts() for _ in range(N)]) == list(range(1, N + 1))
    assert len(LOG) == N


def test_errors_are_answered_in_input_order() -> None:
    """An on_error callable is called for one item after the other."""
    asked: list[int] = []

    @parallel
    def fail(item: int) -> int:
        for _ in range(1 + (N - item) % 7):
            spend()
        raise ValueError(item)

    def answer(error: Exception, item: int) -> int:
        asked.append(item)
        return -item

    for hints in ({}, {"backend": "threads"}, {"backend": "processes"}):
        asked.clear()
        assert fail.map(range(N), on_error=answer, **hints) == [-item for item in range(N)]
        assert asked == list(range(N))


def test_a_map_inside_an_item_does_not_oversubscribe() -> None:
    """A function whose items map in parallel themselves runs them one after the other."""

    @parallel(backend="threads")
    def inner(item: int) -> int:
        spend()
        return item

    @parallel
    def outer(item: int) -> int:
        return sum(inner.map(range(N)))

    assert outer.map(range(3)) == [sum(range(N))] * 3
    assert outer.decisions[-1].plan.backend == "serial"


def test_an_input_that_waits_for_the_last_result(route: dict[str, Any]) -> None:
    """A queue that the consumer fills: with a buffer of one, no item is asked for before the last result is there."""
    waiting = deque([1])

    def double(x: int) -> int:
        return 2 * x

    def items() -> Iterator[int]:
        while waiting:
            yield waiting.popleft()

    seen = []
    for value in parallel(double, **route).imap(items(), buffersize=1):
        seen.append(value)
        if value < 100:
            waiting.append(value)
    assert seen == [2, 4, 8, 16, 32, 64, 128]
