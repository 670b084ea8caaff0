"""Items past ``timeout``: given up with their index, while the others finish."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar.errors import ItemTimeoutError, UnavailableError
from tests.faults.items import BAD, ITEMS
from tests.routes import PLAIN_ROUTES

pytestmark = pytest.mark.timeout(30)

LIMIT = 0.2


@parallel(pure=True)
def hangs(x: int) -> int:
    """Never return from one item."""
    if x == BAD:
        threading.Event().wait()
    return x


@parallel(pure=True)
def ignores_everything(x: int) -> int:
    """Spin for ever in one item, without giving way to signals from Python."""
    if x == BAD:
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            pass
    return x


@parallel(pure=True)
async def ahangs(x: int) -> int:
    """Never return from one item."""
    if x == BAD:
        await asyncio.Event().wait()
    return x


WAYS: list[dict[str, Any]] = [{}, {"backend": "threads"}, {"backend": "processes"}]


@pytest.mark.slow
@pytest.mark.parametrize("hints", WAYS, ids=str)
def test_an_item_that_never_returns_is_given_up(hints: dict[str, Any]) -> None:
    """It ends as an ItemTimeoutError, which is a TimeoutError, with its index, soon after the limit."""
    began = time.perf_counter()
    with pytest.raises(ItemTimeoutError, match=rf"item {BAD}: took longer than timeout=0.2 seconds") as caught:
        hangs.map(range(ITEMS), timeout=LIMIT, **hints)
    assert caught.value.index == BAD
    assert isinstance(caught.value, TimeoutError)
    assert LIMIT <= time.perf_counter() - began < 8


@pytest.mark.slow
@pytest.mark.parametrize("hints", WAYS, ids=str)
def test_the_others_are_right(hints: dict[str, Any]) -> None:
    """With on_error="return" the time-out takes the item's place, and all other items have their results."""
    results: list[Any] = hangs.map(range(ITEMS), timeout=LIMIT, on_error="return", **hints)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], ItemTimeoutError)
    assert results[BAD].index == BAD


@pytest.mark.slow
def test_a_worker_process_that_ignores_signals_is_killed() -> None:
    """An item that holds its process is ended with it, and the next map has its workers."""
    with pytest.raises(ItemTimeoutError) as caught:
        ignores_everything.map(range(ITEMS), timeout=LIMIT, backend="processes")
    assert caught.value.index == BAD
    assert hangs.map(range(BAD), backend="processes", timeout=20) == list(range(BAD))


@pytest.mark.slow
@pytest.mark.parametrize("hints", WAYS, ids=str)
def test_imap_hands_out_what_came_before(hints: dict[str, Any]) -> None:
    """`imap` gives the results before the item that never returns."""
    results = hangs.imap(range(ITEMS), timeout=LIMIT, **hints)
    assert [next(results) for _ in range(BAD)] == list(range(BAD))
    with pytest.raises(ItemTimeoutError):
        next(results)


@pytest.mark.slow
@pytest.mark.parametrize("hints", [{}, {"backend": "asyncio"}], ids=str)
def test_a_coroutine_that_never_returns_is_cancelled(hints: dict[str, Any]) -> None:
    """Coroutines past the limit are cancelled, and the error names the item."""
    with pytest.raises(ItemTimeoutError, match=f"item {BAD}") as caught:
        ahangs.map(range(ITEMS), timeout=LIMIT, **hints)
    assert caught.value.index == BAD
    results: list[Any] = ahangs.map(range(ITEMS), timeout=LIMIT, on_error="return", **hints)
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_submit_knows_timeout(backend: str) -> None:
    """A submitted call that never returns ends as ItemTimeoutError."""
    future = hangs.options(backend=backend, timeout=LIMIT).submit(BAD)
    with pytest.raises(ItemTimeoutError):
        future.result(10)


def test_an_item_within_the_limit_is_untouched(route: dict[str, Any]) -> None:
    """A generous limit changes nothing; a demanded plain loop cannot interrupt, so it keeps its results.

    joblib's executor cannot tell when an item begins, and says so.
    """
    if route == PLAIN_ROUTES["joblib"]:
        with pytest.raises(UnavailableError, match="leave timeout= out"):
            ap.map(abs, range(-ITEMS, 0), timeout=60, **route)
        return
    assert ap.map(abs, range(-ITEMS, 0), timeout=60, **route) == list(range(ITEMS, 0, -1))


def test_the_time_of_the_limit_starts_with_the_item(choose_only: Callable[[str], None]) -> None:
    """Waiting for a free worker does not count: many items may take longer together than one may alone."""

    def short(x: int) -> int:
        time.sleep(0.02)
        return x

    assert parallel(short, pure=True).map(range(20), backend="threads", workers=2, timeout=0.15) == list(range(20))


def test_a_timeout_error_of_the_item_is_its_own() -> None:
    """A TimeoutError that the item raises itself arrives as it is."""

    def item(x: int) -> int:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine") as caught:
        parallel(item, pure=True).map([1], timeout=5)
    assert type(caught.value) is TimeoutError
