"""The input of a map: items in order, a few at a time, and its errors kept until their turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._engine.source import Source


def endless() -> Iterator[int]:
    yield from itertools.count()


def breaks_after(count: int) -> Iterator[int]:
    yield from range(count)
    raise LookupError("broken")


class Unsized:
    """Has a length that cannot be asked for."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])

    def __len__(self) -> int:
        raise RuntimeError("no length")


@given(st.lists(st.integers()), st.lists(st.integers(1, 7), min_size=1))
def test_takes_make_up_the_input(items: list[int], counts: list[int]) -> None:
    """Whatever is asked for each time, the pieces together are the input."""
    source = Source((items,), star=False)
    taken: list[int] = []
    for count in itertools.cycle(counts):
        piece = source.take(count)
        assert len(piece) <= count
        taken += piece
        assert source.taken == len(taken)
        if source.exhausted:
            break
    assert taken == items
    assert source.take(5) == []


STEPS = st.lists(st.tuples(st.sampled_from(["take", "take_part", "peek", "run"]), st.integers(1, 7)), max_size=12)


@given(st.builds(range, st.integers(-9, 9), st.integers(-9, 40), st.sampled_from([1, 2, -3])), STEPS)
def test_parts_of_a_range_are_its_items(numbers: range, steps: list[tuple[str, int]]) -> None:
    """However they are taken, looked at or run in between, items of a range come once and in order."""
    source, found = Source((numbers,), star=False), list[int]()
    for step, count in steps:
        if step == "peek":
            assert source.peek() == list(numbers[len(found) : len(found) + 1])
        elif step == "run":
            source.run(int, count, found)
        else:
            items = getattr(source, step)(count)
            assert step == "take" or source.exhausted or type(items) is range
            found += items
        assert source.taken == len(found)
    assert found + source.take(100) == list(numbers)


@given(st.lists(st.lists(st.integers(), max_size=5), min_size=2, max_size=4))
def test_several_iterables_are_zipped(columns: list[list[int]]) -> None:
    """Items of several iterables are tuples, as many as the shortest has."""
    source = Source(tuple(columns), star=False)
    assert source.star
    assert source.length == min(map(len, columns))
    assert source.take(100) == list(zip(*columns, strict=False))


@pytest.mark.parametrize(
    ("iterables", "length"),
    [
        (([1, 2, 3],), 3),
        ((range(5), "ab"), 2),
        (({1: 2},), 1),
        ((iter([1]),), None),
        ((endless(), [1, 2]), None),
        ((Unsized(),), None),
    ],
    ids=["list", "two", "dict", "iterator", "generator and list", "no length"],
)
def test_the_length_is_known_if_all_say_it(iterables: tuple[Any, ...], length: int | None) -> None:
    """The length is that of the shortest, or None."""
    source = Source(iterables, star=False)
    assert source.length == source.remaining == length


@pytest.mark.parametrize(
    ("items", "inert"),
    [
        ([1], True),
        ((1,), True),
        (range(3), True),
        ("ab", True),
        (iter([1]), False),
        (endless(), False),
        (Unsized(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_plain_containers_may_be_taken_early(items: Any, inert: bool) -> None:
    """Taking items early is not noticed by containers of Python, but by anything with code of its own."""
    assert Source((items,), star=False).inert is inert


def test_an_error_of_the_input_is_kept() -> None:
    """`take` gives the items before the error; the error is in the attribute, and nothing more comes."""
    source = Source((breaks_after(3),), star=False)
    assert source.take(2) == [0, 1]
    assert source.error is None
    assert source.take(2) == [2]
    assert isinstance(source.error, LookupError)
    assert source.exhausted
    assert source.remaining == 0
    assert source.take(2) == []


def test_nothing_is_taken_ahead() -> None:
    """`take` asks the input for as many items as it was asked for, and not for one more."""
    asked = 0

    def items() -> Iterator[int]:
        nonlocal asked
        for asked in itertools.count(1):  # noqa: UP028 - the variable is read outside
            yield asked

    source = Source((items(),), star=False)
    source.take(3)
    assert asked == 3
    out: list[int] = []
    source.run(abs, 2, out)
    assert asked == 5
    assert source.taken == 5


@given(st.integers(0, 10), st.integers(1, 12))
def test_run_calls_item_by_item(length: int, count: int) -> None:
    """`run` appends the results of the next items, each taken after the call before."""
    events: list[str] = []

    def items() -> Iterator[int]:
        for x in range(length):
            events.append(f"take {x}")
            yield x

    def call(x: int) -> int:
        events.append(f"call {x}")
        return -x

    source = Source((items(),), star=False)
    out: list[int] = []
    source.run(call, count, out)
    done = min(length, count)
    assert out == [-x for x in range(done)]
    assert events == [f"{what} {x}" for x in range(done) for what in ("take", "call")]
    assert source.taken == done
    assert source.exhausted == (length < count)


def test_run_stops_at_an_error_of_the_function() -> None:
    """What the function raises passes through; the results before it are kept, and its item counts as taken."""
    source = Source(([1, 0, 2],), star=False)
    out: list[float] = []
    with pytest.raises(ZeroDivisionError):
        source.run(lambda x: 1 / x, 3, out)
    assert out == [1.0]
    assert source.taken == 2
    assert source.error is None


def test_run_keeps_an_error_of_the_input() -> None:
    """What the input raises during run is kept, not raised."""
    source = Source((breaks_after(2),), star=False)
    out: list[int] = []
    source.run(abs, 5, out)
    assert out == [0, 1]
    assert isinstance(source.error, LookupError)
    assert source.exhausted


@pytest.mark.parametrize("items", [[(1, 2), (3, 4)], [[1, 2], (3, 4)], (iter(pair) for pair in [(1, 2), (3, 4)])])
def test_run_spreads_starred_items(items: Any) -> None:
    """With star the item's elements are the arguments, of whatever iterable."""
    source = Source((items,), star=True)
    out: list[int] = []
    source.run(lambda x, y: x * y, 5, out)
    assert out == [2, 12]


def test_the_end_of_a_container_is_noticed_without_asking() -> None:
    """check_end sees that a list has no more items; an iterator has to be asked."""
    source = Source(([1, 2],), star=False)
    source.take(2)
    assert not source.exhausted
    source.check_end()
    assert source.exhausted
    other = Source((iter([1, 2]),), star=False)
    other.take(2)
    other.check_end()
    assert not other.exhausted


@pytest.mark.parametrize("make", [lambda: 5, lambda: None], ids=["int", "none"])
def test_what_cannot_be_iterated_raises(make: Callable[[], Any]) -> None:
    """The constructor iterates, so that a wrong input is found before anything runs."""
    with pytest.raises(TypeError, match="not iterable"):
        Source((make(),), star=False)


def watch_from_the_start(source: Source) -> list[Any]:
    """Take items as the loop of the caller's thread does, while they are watched."""
    taken = []
    while source.watched and (items := source.take(1)):
        source.watch(items[0])
        taken += items
    return taken


@pytest.mark.parametrize("item", [1, 2.5, 1j, True, "text", b"bytes", None, (), (1, ("a", None))], ids=repr)
def test_an_item_that_nobody_can_change_ends_the_watch(item: Any) -> None:
    """Numbers, texts, None and tuples of them are no buffers, so one of them is enough."""
    source = Source((iter([item] * 10),), star=False)
    assert watch_from_the_start(source) == [item]
    assert source.take(5) == [item] * 5
    assert not source.reuses


@pytest.mark.parametrize("item", [[1], {}, (1, []), bytearray(b"x"), object()], ids=lambda item: type(item).__name__)
def test_a_changing_item_that_comes_again_is_noticed(item: Any) -> None:
    """An object that comes twice and may hold something else each time is a buffer, in whatever it is wrapped."""
    source = Source((iter([item] * 10),), star=False)
    assert len(watch_from_the_start(source)) == 4
    assert source.reuses is (type(item) is not tuple)


def test_the_watch_goes_on_at_the_first_item_that_may_change() -> None:
    """Behind items that cannot change, `take` stops at the first that can, and takes none beyond it."""
    buffer: list[int] = []

    def items() -> Iterator[Any]:
        yield from ["head", 1]
        for x in range(9):
            buffer[:] = [x]
            yield buffer

    source = Source((items(),), star=False)
    assert watch_from_the_start(source) == ["head"]
    assert source.take(5) == [1, [0]]
    assert source.watched
    assert not source.exhausted
    assert watch_from_the_start(source) == [buffer] * 3
    assert source.reuses
    assert source.take(9) == [buffer] * 5
    assert source.exhausted


@given(st.lists(st.one_of(st.integers(), st.lists(st.integers(), max_size=1))), st.integers(1, 7))
def test_takes_of_a_watched_input_make_it_up(items: list[Any], count: int) -> None:
    """However often the watch begins anew, the pieces together are the input, and the end is noticed."""
    source = Source((iter(items),), star=False)
    taken = []
    while not source.exhausted:
        piece = source.take(1 if source.watched else count)
        for item in piece if source.watched else []:
            source.watch(item)
        taken += piece
    assert taken == items
