"""The decision log of a process: order, bounds, threads, forks, and the way to the store."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._model.decision import Decision
from autopar._model.observation import Host
from autopar._model.plan import Plan
from autopar._record import DecisionLog, Store, Teaching
from autopar.errors import StoreWarning

ROOT = Path(__file__).parents[2]


class RecordingStore(Store):
    """Keeps what is written in memory; can be told to be busy, or to wait inside a writing."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.batches: list[list[int]] = []
        self.hosts: list[tuple[str, Host] | None] = []
        self.busy = False
        self.entered = threading.Event()
        self.may_go_on: threading.Event | None = None

    def write(
        self,
        decisions: Sequence[Decision],
        host: tuple[str, Host] | None = None,
        teaching: Teaching | None = None,
    ) -> bool:
        self.entered.set()
        if self.may_go_on is not None:
            self.may_go_on.wait()
        if self.busy:
            return False
        self.batches.append([decision.number for decision in decisions])
        self.hosts.append(host)
        return True


class Clock:
    """Stands still until it is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fields(function: str = "shop.price", **changes: Any) -> dict[str, Any]:
    return {
        "function": function,
        "operation": "map",
        "started": 1.5,
        "items": 3,
        "workload": None,
        "plan": Plan(),
        **changes,
    }


def numbers(decisions: list[Decision]) -> list[int]:
    return [decision.number for decision in decisions]


def test_decisions_are_numbered_and_kept_in_order() -> None:
    """The first has number 1; all and those of one function come newest last."""
    log = DecisionLog()
    added = [log.add(**fields(name)) for name in ("a", "b", "a")]
    assert numbers(added) == [1, 2, 3]
    assert log.all() == added
    assert log.for_function("a") == [added[0], added[2]]
    assert log.for_function("nobody") == []


@given(names=st.lists(st.sampled_from("abc"), max_size=60), newest=st.integers(1, 10), of_one=st.integers(1, 10))
def test_memory_is_bounded(names: list[str], newest: int, of_one: int) -> None:
    """Of each function the newest few stay, of these the newest of all; nothing else does."""
    log = DecisionLog(newest=newest, newest_of_a_function=of_one)
    expected: list[tuple[int, str]] = []
    for number, name in enumerate(names, 1):
        log.add(**fields(name))
        expected.append((number, name))
        own = [entry for entry in expected if entry[1] == name]
        if len(own) > of_one:
            expected.remove(own[0])
        expected = expected[-newest:]
    assert [(decision.number, decision.function) for decision in log.all()] == expected
    for name in "abc":
        assert numbers(log.for_function(name)) == [number for number, owner in expected if owner == name]


def test_nothing_is_written_before_it_is_due() -> None:
    """A few decisions wait; when enough wait they go together."""
    store = RecordingStore()
    log = DecisionLog(store, batch=3, clock=Clock())
    log.add(**fields())
    log.add(**fields())
    assert store.batches == []
    log.add(**fields())
    assert log.settle(10)
    assert store.batches == [[1, 2, 3]]


def test_what_waited_long_goes_with_the_next() -> None:
    """Some seconds after the last writing, the next decision takes along what waits."""
    store, clock = RecordingStore(), Clock()
    log = DecisionLog(store, seconds=5, clock=clock)
    log.add(**fields())
    clock.now = 5.0
    log.add(**fields())
    assert log.settle(10)
    log.add(**fields())
    assert log.settle(10)
    assert store.batches == [[1, 2]]


def test_flush_writes_what_waits() -> None:
    """flush() writes at once, and only what was not written yet; the host goes along."""
    store = RecordingStore()
    log = DecisionLog(store)
    log.note_host("machine", Host(2))
    log.add(**fields())
    log.flush()
    log.flush()
    assert store.batches == [[1]]
    assert store.hosts == [("machine", Host(2))]


def test_a_busy_store_is_tried_again_later() -> None:
    """Decisions stay in order while the store is locked; it is not asked again before its time."""
    store, clock = RecordingStore(), Clock()
    log = DecisionLog(store, batch=2, seconds=5, clock=clock)
    store.busy = True
    for _ in range(4):
        log.add(**fields())
        assert log.settle(10)
    store.busy = False
    log.add(**fields())
    assert log.settle(10)
    assert store.batches == []
    clock.now = 5.0
    log.add(**fields())
    assert log.settle(10)
    assert store.batches == [[1, 2, 3, 4, 5, 6]]


def test_what_waits_is_bounded() -> None:
    """If the store stays locked, the oldest that wait are given up."""
    store, clock = RecordingStore(), Clock()
    log = DecisionLog(store, newest=3, batch=100, clock=clock)
    for _ in range(10):
        log.add(**fields())
    log.flush()
    assert store.batches == [[8, 9, 10]]


def test_a_store_that_is_off_gets_nothing() -> None:
    """Without a store, decisions are kept in memory and none waits."""
    log = DecisionLog(Store(None), batch=1)
    log.add(**fields())
    log.flush()
    assert len(log.all()) == 1
    assert log._waiting == []


def test_nobody_waits_for_a_writing() -> None:
    """One thread is on the disk, never two; who adds decisions meanwhile does not wait for it."""
    store = RecordingStore()
    store.may_go_on = threading.Event()
    log = DecisionLog(store, batch=1)
    log.add(**fields())
    assert store.entered.wait(10)
    log.add(**fields())
    assert log.writing
    assert not log.settle(0.0)
    assert [thread.name for thread in threading.enumerate()].count("autopar-store") == 1
    assert store.batches == []
    store.may_go_on.set()
    log.flush()
    assert store.batches == [[1], [2]]


def test_no_thread_stays_behind() -> None:
    """The thread that writes is started when something is due, and is gone afterwards."""
    log = DecisionLog(RecordingStore(), batch=2)
    log.add(**fields())
    assert not log.writing
    log.add(**fields())
    assert log.settle(10)
    assert not log.writing
    assert "autopar-store" not in [thread.name for thread in threading.enumerate()]


def test_where_no_thread_starts_the_writing_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of the interpreter, or where the system has no more threads."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    store = RecordingStore()
    log = DecisionLog(store, batch=1)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    log.add(**fields())
    assert store.batches == [[1]]
    assert not log.writing


def test_the_end_waits_a_bounded_time_for_a_writing() -> None:
    """What is under way is waited for and the rest is written; a disk that hangs does not hold the program."""
    store = RecordingStore()
    store.may_go_on = threading.Event()
    log = DecisionLog(store, batch=1)
    log.add(**fields())
    assert store.entered.wait(10)
    log.add(**fields())
    log.close(0.01)
    assert store.batches == []
    store.may_go_on.set()
    log.close(10)
    assert store.batches == [[1], [2]]


def test_a_warning_of_the_writing_thread_reaches_who_adds_the_next(tmp_path: Path) -> None:
    """Once, in the caller's thread and with the caller's line; flushing says it too."""
    (tmp_path / "store.sqlite").mkdir()
    for say in (lambda log: log.add(**fields()), DecisionLog.flush):
        log = DecisionLog(Store(tmp_path / "store.sqlite"), batch=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            log.add(**fields())
            assert log.settle(10)
        with pytest.warns(StoreWarning, match="decisions are not kept") as caught:
            say(log)
        assert [warning.filename for warning in caught] == [__file__]
        log.add(**fields())
        log.flush()


def test_many_threads_add_at_once() -> None:
    """No number is given twice and no decision is lost, in memory or on the way to the store."""
    store = RecordingStore()
    log = DecisionLog(store, batch=7)

    def add_some() -> None:
        for _ in range(50):
            log.add(**fields(threading.current_thread().name))

    threads = [threading.Thread(target=add_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    assert numbers(log.all()) == list(range(1, 401))
    assert sorted(number for batch in store.batches for number in batch) == list(range(1, 401))


def test_a_decision_in_the_middle_of_another_does_not_deadlock() -> None:
    """A finalizer or signal handler that adds a decision while this thread is adding one gets through."""

    class Reentrant(RecordingStore):
        def write(
            self,
            decisions: Sequence[Decision],
            host: tuple[str, Host] | None = None,
            teaching: Teaching | None = None,
        ) -> bool:
            if not self.batches:
                self.batches.append([])
                log.add(**fields("inner"))
            return super().write(decisions, host)

    store = Reentrant()
    log = DecisionLog(store, batch=1)
    log.add(**fields("outer"))
    assert log.settle(10)
    log.flush()
    assert sorted(number for batch in store.batches for number in batch) == [1, 2]


def _in_child(log: DecisionLog, pipe: Any) -> None:
    waiting = len(log._waiting)
    decision = log.add(**fields("child"))
    pipe.send((waiting, decision.number, len(log.all())))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_writes_only_its_own() -> None:
    """The child has the decisions it inherited in memory, its locks are free and nothing of its parent's waits."""
    log = DecisionLog(RecordingStore())
    log.add(**fields())
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    held, release = threading.Event(), threading.Event()

    def hold_the_locks() -> None:
        with log._lock, log._writing:
            held.set()
            release.wait()

    holder = threading.Thread(target=hold_the_locks)
    holder.start()
    held.wait()
    child = context.Process(target=_in_child, args=(log, theirs))
    try:
        child.start()
        assert ours.poll(10), "the child hangs on a lock of its parent's"
        assert ours.recv() == (0, 2, 2)
    finally:
        release.set()
        holder.join()
        child.join(10)
    assert len(log._waiting) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_waits_for_a_writing() -> None:
    """So that no child inherits a library in the middle of its work; the child starts threads of its own."""
    store = RecordingStore()
    store.may_go_on = threading.Event()
    log = DecisionLog(store, batch=1)
    log.add(**fields())
    assert store.entered.wait(10)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_written_in_child, args=(log, store, theirs))
    opener = threading.Timer(0.05, store.may_go_on.set)
    opener.start()
    child.start()
    try:
        assert store.batches == [[1]]
        assert ours.poll(10)
        assert ours.recv() == (False, [[1], [2]])
    finally:
        opener.join()
        child.join(10)


def _written_in_child(log: DecisionLog, store: RecordingStore, pipe: Any) -> None:
    writing = log.writing
    log.add(**fields("child"))
    log.settle(10)
    pipe.send((writing, store.batches))


SCRIPT = """
import sys
from autopar._model.plan import Plan
from autopar._record import DecisionLog, Store, Teaching
before = "sqlite3" in sys.modules
log = DecisionLog(Store.from_environment())
for number in range(3):
    log.add(function="shop.price", operation="map", started=1.5, items=number, workload=None, plan=Plan())
print(before, "sqlite3" in sys.modules)
"""


@pytest.mark.slow
def test_the_end_of_the_program_writes_what_waits(isolated_store: Path) -> None:
    """SQLite is imported no earlier than that; another process reads what this one decided."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert done.stderr == ""
    assert [decision.items for decision in Store(isolated_store).read_decisions()] == [0, 1, 2]


def test_brief_decisions_count_like_others_and_are_added_up_for_the_store(tmp_path: Path) -> None:
    """In memory each short map is a decision of its own; on disk those of a batch are one row for each function."""
    store = Store(tmp_path / "store.sqlite")
    log = DecisionLog(store)
    for function in ("a", "b", "a"):
        log.add_brief(function, "map", 1.0, 2, 0.25)
    log.add(**fields("a"))
    assert [(d.number, d.function, d.items, d.actual) for d in log.all()[:3]] == [
        (1, "a", 2, 0.25),
        (2, "b", 2, 0.25),
        (3, "a", 2, 0.25),
    ]
    assert log.all()[0].notes == ()
    log.flush()
    rows = store.read_decisions()
    assert [(d.number, d.function, d.items, d.actual) for d in rows] == [
        (1, "a", 4, 0.5),
        (2, "b", 2, 0.25),
        (4, "a", 3, 0.0),
    ]
    assert rows[0].notes == ("stands for 2 maps, the first of which is number 1",)


def test_many_threads_may_start_and_wait_for_a_writing() -> None:
    """Threads that begin a writing, and wait for one, in the same moment do not disturb one another."""
    from autopar._record.background import Background

    at_work, most, wrong = [0], [0], []

    def work() -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        at_work[0] -= 1

    background = Background(work, "work")

    def many() -> None:
        try:
            for _ in range(200):
                background.start()
                background.join(5.0)
        except RuntimeError as error:
            wrong.append(error)

    threads = [threading.Thread(target=many) for _ in range(8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert (wrong, most[0], background.join(5.0)) == ([], 1, True)
