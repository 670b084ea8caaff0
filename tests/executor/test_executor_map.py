"""Maps of `autopar.Executor`: order, laziness, time limits, errors and where they run."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

import autopar as ap
from tests.executor import functions


@pytest.mark.parametrize("backend", [None, "threads", "serial", "processes"])
@pytest.mark.parametrize("chunksize", [None, 1, 3, 100])
@pytest.mark.parametrize("buffersize", [None, 1, 7])
def test_results_come_in_order(backend: str | None, chunksize: int | None, buffersize: int | None) -> None:
    """Whatever the sizes and the workers, a map gives what the built-in map gives."""
    with ap.Executor(2, backend=backend) as executor:
        results = executor.map(functions.square, range(40), chunksize=chunksize, buffersize=buffersize)
        assert list(results) == [number * number for number in range(40)]


def test_several_iterables_end_with_the_shortest() -> None:
    """Items of several iterables are positional arguments."""
    with ap.Executor(2) as executor:
        assert list(executor.map(pow, [2, 3, 4], itertools.count(1))) == [2, 9, 64]


def test_all_items_are_taken_at_once_without_a_buffersize() -> None:
    """Without a buffersize the input is used up when map returns, as by every executor."""
    source = iter(range(100))
    with ap.Executor(2) as executor:
        results = executor.map(abs, source)
        assert list(source) == []
        assert list(results) == list(range(100))


def test_a_buffersize_bounds_what_is_taken() -> None:
    """With buffersize=3 an endless input is never more than three items ahead of the results handed out."""
    taken = 0

    def numbers() -> Iterator[int]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield number

    with ap.Executor(2) as executor:
        results = executor.map(abs, numbers(), buffersize=3)
        assert taken == 3
        for handed_out, result in enumerate(itertools.islice(results, 50), 1):
            assert result == handed_out - 1
            assert taken == handed_out + 3
        results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", [None, "processes"])
@pytest.mark.parametrize("chunksize", [None, 2, 10])
def test_an_error_comes_in_its_place(backend: str | None, chunksize: int | None) -> None:
    """Results before the failing item are handed out first, also those of its own chunk; then its error is raised."""
    with ap.Executor(2, backend=backend) as executor:
        results = executor.map(functions.invert, [1, 2, 4, 0, 5], chunksize=chunksize)
        assert list(itertools.islice(results, 3)) == [1.0, 0.5, 0.25]
        with pytest.raises(ZeroDivisionError):
            next(results)
        with pytest.raises(StopIteration):
            next(results)


def test_a_worker_that_dies_is_blamed_on_its_item() -> None:
    """Of a chunk whose worker died the items run again one by one, given that they may, and one is to blame."""
    with ap.Executor(1, backend="processes", pure=True) as executor:
        results = executor.map(functions.die, range(6), chunksize=6)
        assert list(itertools.islice(results, 3)) == [0, 1, 2]
        with pytest.raises(RuntimeError, match="signal 9"):
            next(results)


def test_the_time_of_a_map_is_limited() -> None:
    """A result that is not there in time raises TimeoutError, after those that are."""
    gate = threading.Event()

    def pass_gate(closed: bool) -> bool:
        return gate.wait(30) if closed else False

    with ap.Executor(2) as executor:
        results = executor.map(pass_gate, [False, False, True], timeout=0.5)
        assert list(itertools.islice(results, 2)) == [False, False]
        with pytest.raises(TimeoutError):
            next(results)
        gate.set()


def test_what_is_not_wanted_is_not_run() -> None:
    """Closing the iterator after a result drops the items that no worker has begun."""
    gate, seen = threading.Event(), list[int]()

    def note(number: int) -> None:
        seen.append(number)
        if number:
            gate.wait(30)

    with ap.Executor(1) as executor:
        results = executor.map(note, range(100), chunksize=1)
        next(results)
        results.close()  # type: ignore[attr-defined]
        gate.set()
    assert seen in ([0], [0, 1])


def test_results_that_nobody_asks_for_are_made_all_the_same() -> None:
    """A map whose iterator is dropped before its first result runs to its end, as by every executor."""
    seen: list[int] = []
    with ap.Executor(1) as executor:
        executor.map(seen.append, range(100))
    assert seen == list(range(100))


def test_cancelled_items_raise_cancelled_error() -> None:
    """After shutdown(cancel_futures=True) the items that had begun have results and the others raise."""
    gate, begun = threading.Event(), threading.Event()

    def pass_gate(number: int) -> int:
        begun.set()
        gate.wait(30)
        return number

    executor = ap.Executor(1)
    results = executor.map(pass_gate, range(5))
    begun.wait(30)
    executor.shutdown(wait=False, cancel_futures=True)
    gate.set()
    assert next(results) == 0
    with pytest.raises(CancelledError):
        next(results)
    executor.shutdown()


def test_a_map_shares_the_workers_with_other_calls() -> None:
    """A call that was submitted before a map runs before it, and one submitted later after what came first."""
    order: list[object] = []
    with ap.Executor(1) as executor:
        gate = threading.Event()
        executor.submit(gate.wait, 30)
        results = executor.map(order.append, range(3))
        executor.submit(order.append, "last")
        gate.set()
        list(results)
    assert order == [0, 1, 2, "last"]


@pytest.mark.slow
def test_a_map_that_computes_for_long_goes_to_processes() -> None:
    """A map of a pure function that holds the GIL leaves its threads for processes once that is known to pay."""
    with ap.Executor(2) as executor:
        results = list(executor.map(functions.work, range(300)))
    assert results[:3] == [functions.work(number) for number in range(3)]
    decision = ap.decisions()[-1]
    assert decision.operation == "map"
    assert sum(items for _, items in decision.tried) == 300
    assert {plan.backend for plan, _ in decision.tried} <= {"threads", "processes"}
    assert decision.rejected
