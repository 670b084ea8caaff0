"""Chunks of one map on the shared threads: so many at a time, in order, and none forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import pytest

from autopar._backends.pending import PendingChunk
from autopar._backends.pool import Lane, NoThreadError, WorkerPool
from autopar._model.work import Outcome
from autopar.errors import ItemTimeoutError

PATIENCE = 30.0


class Calls:
    """A runner whose parcels are functions."""

    def run(self, parcel: Callable[[], Any], started: Callable[[], None]) -> Outcome:
        started()
        return Outcome([parcel()])

    def rest(self) -> None:
        pass

    def stop(self) -> bool:
        return False

    def close(self) -> None:
        pass


@pytest.fixture
def pool() -> WorkerPool:
    return WorkerPool(Calls, 64, "test-lane")


class Gauge:
    """Counts how many calls are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def call(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        threading.Event().wait(1e-4)
        with self._lock:
            self._now -= 1


@pytest.mark.parametrize("limit", [1, 3])
def test_a_lane_runs_so_many_at_a_time(pool: WorkerPool, limit: int) -> None:
    """However many chunks are submitted, no more than the limit run together, on as many threads."""
    gauge, lane = Gauge(), Lane(limit)
    for pending in [pool.submit(gauge.call, lane) for _ in range(40)]:
        pending.result(PATIENCE)
    assert 1 <= gauge.most <= limit
    assert pool.alive <= limit


def test_a_lane_keeps_the_order(pool: WorkerPool) -> None:
    """One at a time means one after another, in the order in which they were submitted."""
    done: list[int] = []
    lane = Lane(1)
    for pending in [pool.submit(lambda n=n: done.append(n), lane) for n in range(30)]:
        pending.result(PATIENCE)
    assert done == list(range(30))


def test_a_wider_lane_lets_those_run_that_wait(pool: WorkerPool) -> None:
    """Chunks that wait for a place get one as soon as there are more, while those before them still run."""
    leave, lane = threading.Event(), Lane(1)
    first = pool.submit(lambda: leave.wait(PATIENCE), lane)
    second = pool.submit(lambda: 2, lane)
    assert not second.running()
    pool.widen(lane, 2)
    assert second.result(PATIENCE).values == [2]
    leave.set()
    assert first.result(PATIENCE).values == [True]


def test_a_lane_goes_on_past_a_chunk_that_was_given_up(pool: WorkerPool) -> None:
    """The place of a thread that is written off goes to the next chunk."""
    leave, begun, lane = threading.Event(), threading.Event(), Lane(1)

    def hang() -> None:
        begun.set()
        leave.wait(PATIENCE)

    hanging = pool.submit(hang, lane)
    waiting = pool.submit(lambda: "next", lane)
    assert begun.wait(PATIENCE)
    pool.abandon(hanging)
    assert waiting.result(PATIENCE).values == ["next"]
    leave.set()


def test_a_cancelled_chunk_never_runs(pool: WorkerPool) -> None:
    """What was cancelled while it waited is passed over, and says so."""
    leave, ran, lane = threading.Event(), list[str](), Lane(1)
    first = pool.submit(lambda: leave.wait(PATIENCE), lane)
    second = pool.submit(lambda: ran.append("second"), lane)
    third = pool.submit(lambda: ran.append("third"), lane)
    assert second.cancel()
    leave.set()
    first.result(PATIENCE)
    third.result(PATIENCE)
    assert ran == ["third"]
    assert second.cancelled()
    with pytest.raises(CancelledError):
        second.result()


def test_an_end_is_told_once_to_each_who_asked() -> None:
    """Callbacks run when the chunk ends, or at once if it has; only the first end counts."""
    pending, told = PendingChunk(), list[str]()
    pending.add_done_callback(lambda _: told.append("before"))
    assert pending.begin()
    assert not pending.cancel()
    assert pending.running()
    pending.set_exception(ItemTimeoutError("late"))
    pending.settle(Outcome([1]), None)
    pending.add_done_callback(lambda _: told.append("after"))
    assert told == ["before", "after"]
    assert isinstance(pending.exception(), ItemTimeoutError)
    with pytest.raises(ItemTimeoutError):
        pending.result()


def test_waiting_for_a_chunk_ends_in_time() -> None:
    """A wait for what does not come ends as TimeoutError."""
    with pytest.raises(TimeoutError):
        PendingChunk().result(0.0)


def test_without_any_thread_all_that_waits_for_one_fails(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no thread a chunk is refused and nothing stays behind; later ones run as ever."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lane = Lane(1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(NoThreadError, match="can't start new thread"):
            pool.submit(lambda: 1, lane)
        pool.start(3)
        assert pool.alive == 0
    assert pool.submit(lambda: 2, lane).result(PATIENCE).values == [2]
    assert pool.alive == 1


def test_ctrl_c_while_threads_begin_leaves_none_counted_that_is_not_there(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is submitted afterwards finds a thread, and does not wait for one that nobody has started."""
    start, begun = threading.Thread.start, []

    def interrupted(thread: threading.Thread) -> None:
        begun.append(thread)
        start(thread)
        if len(begun) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.start(3)
    assert (pool.alive, pool.idle) == (1, 1)
    together = threading.Barrier(3)
    calls = [pool.submit(lambda: together.wait(PATIENCE) < 3) for _ in range(3)]
    assert [call.result(PATIENCE).values for call in calls] == [[True]] * 3


def test_threads_that_exist_do_what_others_were_refused_for(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread is enough for all chunks of a lane that would have more."""
    assert pool.submit(lambda: 0).result(PATIENCE).values == [0]

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    lane = Lane(8)
    waiting = [pool.submit(lambda n=n: n, lane) for n in range(20)]
    assert [pending.result(PATIENCE).values for pending in waiting] == [[n] for n in range(20)]
    assert pool.alive == 1


class Restless(Calls):
    """A runner that cannot rest."""

    def rest(self) -> None:
        raise KeyError("no rest")


def test_a_chunk_ends_whatever_happens_after_it() -> None:
    """An error of a runner that has nothing to follow is the chunk's; its thread goes on."""
    pool, lane = WorkerPool(Restless, 1, "test-lane"), Lane(1)
    for _ in range(2):
        error = pool.submit(int, lane).exception(PATIENCE)
        assert isinstance(error, KeyError)
    assert pool.alive == 1


def test_a_thread_does_not_stop_at_what_is_cancelled(pool: WorkerPool) -> None:
    """It takes the next chunk of its lane that somebody wants."""
    lane, begun, free = Lane(1), threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        free.wait(PATIENCE)

    first = pool.submit(hold, lane)
    assert begun.wait(PATIENCE)
    unwanted = [pool.submit(int, lane) for _ in range(5)]
    last = pool.submit(lambda: 7, lane)
    assert all(pending.cancel() for pending in unwanted)
    free.set()
    assert first.result(PATIENCE).values == [None]
    assert last.result(PATIENCE).values == [7]
