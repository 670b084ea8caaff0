"""Retries with pauses and by exception, and the deadline of a whole map: alike on every way a map can take."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar._model.retry import Retry
from autopar.errors import DeadlineError, HintTypeError, HintValueError, ItemTimeoutError
from tests.faults.items import BAD, ITEMS

pytestmark = pytest.mark.timeout(60)

WAYS: list[dict[str, Any]] = [{"backend": "serial"}, {"backend": "threads"}, {"backend": "processes"}, {}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where items leave a file for each run."""
    found = tmp_path / "runs"
    found.mkdir()
    return found


class PassingError(Exception):
    """Of an item that may do better next time."""


def attempts(folder: str, x: int) -> int:
    """Note one more attempt at an item; how many there were before."""
    before = len([name for name in os.listdir(folder) if name.startswith(f"{x}-")])
    Path(folder, f"{x}-{before}").touch()
    return before


@parallel(pure=True)
def flaky(x: int, folder: str, kind: type[Exception] = PassingError) -> int:
    """Fail twice at every item that is a multiple of three."""
    if attempts(folder, x) < 2 and x % BAD == 0:
        raise kind(x)
    return x


@parallel(pure=True)
async def async_flaky(x: int, folder: str, kind: type[Exception] = PassingError) -> int:
    """Fail twice at every item that is a multiple of three."""
    await asyncio.sleep(0)
    return flaky(x, folder, kind)


@pytest.mark.parametrize("pauses", [{}, {"backoff": 0.01}, {"backoff": 0.01, "timeout": 30}], ids=str)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_items_run_again_until_they_have_a_result(way: dict[str, Any], pauses: dict[str, Any], folder: Path) -> None:
    """Each failing item has as many runs as it needs, with or without pauses and time-outs, and no other has more."""
    hints = {**way, **pauses, "retries": 2, "retry_on": PassingError}
    assert flaky.map(range(ITEMS), folder=str(folder), **hints) == list(range(ITEMS))
    assert len(list(folder.iterdir())) == ITEMS + 2 * len(range(0, ITEMS, BAD))


@pytest.mark.parametrize("pauses", [{}, {"backoff": 0.01}], ids=str)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_other_exceptions_are_not_retried(way: dict[str, Any], pauses: dict[str, Any], folder: Path) -> None:
    """What `retry_on` does not name ends the item at once."""
    hints = {**way, **pauses, "retries": 5, "retry_on": (OSError, PassingError), "on_error": "return"}
    results = flaky.map(range(ITEMS), folder=str(folder), kind=ValueError, **hints)
    assert [type(each) for each in results] == [ValueError if x % BAD == 0 else int for x in range(ITEMS)]
    assert len(list(folder.iterdir())) == ITEMS


def test_coroutines_are_retried_alike(folder: Path) -> None:
    """Pauses of coroutines are waits of the event loop."""
    hints: dict[str, Any] = {"retries": 2, "retry_on": PassingError, "backoff": 0.01}
    assert async_flaky.map(range(ITEMS), folder=str(folder), **hints) == list(range(ITEMS))
    (folder / "others").mkdir()
    found = async_flaky.map([BAD], folder=str(folder / "others"), kind=ValueError, on_error="return", **hints)
    assert list(map(repr, found)) == [f"ValueError({BAD})"]


def test_a_pause_keeps_no_worker_from_other_items(folder: Path) -> None:
    """While an item waits for its next attempt the only worker goes on with the others."""
    order: list[int] = []

    def item(x: int) -> int:
        order.append(x)
        if x == 0 and order.count(0) == 1:
            raise PassingError
        return x

    hints: dict[str, Any] = {"backend": "threads", "workers": 1, "pure": True, "retries": 1, "backoff": 60.0}
    started = threading.Event()

    def items() -> Iterator[int]:
        yield from range(4)
        started.set()

    results = ap.map(item, items(), on_error="return", deadline=1.0, **hints)
    assert started.is_set()
    assert results[1:] == [1, 2, 3]
    assert sorted(order)[-3:] == [1, 2, 3]


def test_what_failed_attempts_print_comes_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    """Output of attempts that failed stands before that of the last one, at the item's place."""
    seen: set[int] = set()

    def item(x: int) -> int:
        print("item", x, x in seen)
        if x not in seen:
            seen.add(x)
            raise PassingError
        return x

    ap.map(item, range(3), backend="threads", workers=2, pure=True, retries=1, backoff=0.001)
    assert capfd.readouterr().out == "".join(f"item {x} {again}\n" for x in range(3) for again in (False, True))


def test_pauses_do_not_touch_the_programs_random_numbers(folder: Path) -> None:
    """The global random state is as it was after a map with pauses."""
    before = random.getstate()
    flaky.map(range(ITEMS), folder=str(folder), retries=2, backoff=0.001, backend="serial")
    assert random.getstate() == before


@pytest.mark.parametrize(
    ("failures", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 3.0), (5, 3.0), (5000, 3.0)], ids=str
)
def test_pauses_double_up_to_the_longest(failures: int, longest: float) -> None:
    """A pause is drawn from nothing up to `backoff`, doubled with each failure and never over `backoff_max`."""
    retry = Retry(9, backoff=0.5, backoff_max=3.0)
    assert retry.pause(failures, 1.0) == longest
    assert retry.pause(failures, 0.0) == 0.0
    assert retry.pause(failures, 0.5) == longest / 2


# -- the deadline ------------------------------------------------------------------------------------------------------


@parallel(pure=True)
def hangs(x: int) -> int:
    """Never return from one item."""
    if x == BAD:
        threading.Event().wait()
    return x


@parallel(pure=True)
async def ahangs(x: int) -> int:
    """Never return from one item."""
    if x == BAD:
        await asyncio.Event().wait()
    return x


POOLS: list[dict[str, Any]] = [{}, {"backend": "threads"}, {"backend": "processes"}]


@pytest.mark.slow
@pytest.mark.parametrize("way", POOLS, ids=str)
def test_a_map_ends_by_its_deadline(way: dict[str, Any]) -> None:
    """A map with an item that never returns raises DeadlineError, a TimeoutError, and the next map works."""
    with pytest.raises(DeadlineError, match=r"did not end within deadline=0\.5 s") as caught:
        hangs.map(range(ITEMS), deadline=0.5, chunksize=1, **way)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.index is not None
    assert hangs.map(range(BAD), deadline=50, **way) == list(range(BAD))


@pytest.mark.slow
def test_with_on_error_what_ended_in_time_is_there() -> None:
    """Each item without a result has its own DeadlineError, those that were never begun included."""
    way: dict[str, Any] = {"backend": "processes", "workers": 1, "chunksize": 1}
    hangs.map(range(2), **way)
    results: list[Any] = hangs.map(range(ITEMS), deadline=1.5, on_error="return", **way)
    assert len(results) == ITEMS
    for index, found in enumerate(results):
        if isinstance(found, DeadlineError):
            assert (found.index, str(found)) == (index, f"item {index}: the map did not end within deadline=1.5 s")
        else:
            assert found == index
    assert isinstance(results[BAD], DeadlineError)
    assert results[0] == 0


def test_the_plain_loop_looks_between_items() -> None:
    """A demanded loop cannot interrupt an item; it starts no more of them once the time is up."""
    begun: list[int] = []

    def item(x: int) -> int:
        begun.append(x)
        time.sleep(0.02)
        return x

    results: list[Any] = ap.map(item, range(10_000), deadline=0.3, backend="serial", on_error="return", pure=True)
    assert results[: len(begun)] == begun
    assert 0 < len(begun) < 10_000
    assert {type(each) for each in results[len(begun) :]} == {DeadlineError}


def test_an_endless_input_ends_with_the_error() -> None:
    """Items of an input without a length are read no further: the error follows what was taken."""
    results: list[Any] = []
    with pytest.raises(DeadlineError) as caught:
        results.extend(hangs.imap(itertools.cycle([0, 1]), deadline=0.3, backend="threads", on_error="return"))
    assert caught.value.index is not None
    assert caught.value.index >= 1


@pytest.mark.slow
def test_coroutines_end_by_the_deadline() -> None:
    """Coroutines, and the wait for an asynchronous input, are cancelled when the time is up."""
    with pytest.raises(DeadlineError) as caught:
        ahangs.map(range(ITEMS), deadline=0.3)
    assert caught.value.index == BAD
    results: list[Any] = ahangs.map(range(ITEMS), deadline=0.3, on_error="return")
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], DeadlineError)

    async def one_and_no_more() -> AsyncIterator[int]:
        yield 0
        await asyncio.Event().wait()

    async def collect() -> None:
        async for each in ahangs.aimap(one_and_no_more(), deadline=0.3):
            assert each == 0

    with pytest.raises(DeadlineError):
        asyncio.run(collect())


@pytest.mark.slow
def test_the_shorter_limit_counts() -> None:
    """`timeout` ends one item and `deadline` all of them: whichever comes first is the error."""
    with pytest.raises(ItemTimeoutError):
        hangs.map(range(ITEMS), deadline=50, timeout=0.2, backend="threads")
    with pytest.raises(DeadlineError):
        hangs.map(range(ITEMS), deadline=0.2, timeout=50, backend="threads")


@pytest.mark.parametrize("hint", [{"deadline": 1}, {"checkpoint": "x"}, {"max_tasks_per_worker": 1}], ids=str)
def test_an_executor_takes_no_hints_of_whole_maps(hint: dict[str, Any]) -> None:
    """Calls come one by one there, so such a hint could not be kept."""
    with pytest.raises(HintTypeError, match="which is for maps"):
        ap.Executor(**hint)


@pytest.mark.parametrize(
    ("hints", "error", "text"),
    [
        ({"deadline": 0}, HintValueError, "deadline must be above 0 seconds"),
        ({"deadline": "soon"}, HintTypeError, "deadline must be a number of seconds"),
        ({"retry_on": "OSError"}, HintTypeError, "retry_on must be a class of Exception.* not str"),
        ({"retry_on": (OSError, KeyboardInterrupt)}, HintTypeError, "not KeyboardInterrupt"),
        ({"retry_on": ()}, HintValueError, "retry_on must name at least one"),
        ({"backoff": -1}, HintValueError, "backoff must be above 0 seconds"),
        ({"max_tasks_per_worker": 0}, HintValueError, "max_tasks_per_worker must be at least 1"),
        ({"worker_memory": "much"}, HintValueError, r'worker_memory must be a number of bytes, such as "500MB"'),
        ({"worker_memory": 1.5}, HintTypeError, "worker_memory must be a whole number"),
    ],
    ids=str,
)
def test_bad_hints_are_named(hints: dict[str, Any], error: type[Exception], text: str) -> None:
    """A wrong value is an error that names the hint."""
    with pytest.raises(error, match=text):
        ap.map(abs, [1], **hints)
