"""Surroundings that fail: each item ends as its result or a named error, and the next map works."""

from __future__ import annotations

import errno
import itertools
import os
import random
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar import parallel
from autopar._engine import journal
from autopar._observe import cgroups, host
from autopar._record.store import Store
from autopar.errors import DemandError, ItemError, StoreWarning, TransportError
from tests.api.functions import square
from tests.faults.environment import BAD_STORES, SHORTAGES, end_worker_processes, refuse

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="limits and folders of Linux"),
]

N = 24
SQUARES = [x * x for x in range(N)]
NEED_PROCESSES = ("processes", "multiprocessing", "joblib")


@parallel(pure=True)
def total(a: Any) -> float:
    """Sum a large array."""
    return float(a.sum())


def large() -> list[Any]:
    return [np.full(200_000, float(n)) for n in range(4)]


@pytest.fixture
def cold(fork_anyway: None) -> None:
    """No worker process is there yet."""
    end_worker_processes()


def left(fallbacks: tuple[str, ...], backend: str) -> bool:
    return any(f"left {backend}" in said or f"{backend}:" in said for said in fallbacks)


# -- what can be missing -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("route", NEED_PROCESSES)
@pytest.mark.parametrize("shortage", ["no descriptors", "no forks"])
def test_without_workers_a_demand_is_a_named_error_for_each_item(
    route: str, shortage: str, cold: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items of a demanded backend that cannot start a worker are errors with their index; the next map works."""
    with SHORTAGES[shortage](monkeypatch):
        results: list[Any] = square.map(range(N), backend=route, workers=2, on_error="return")
    for x, result in enumerate(results):
        if isinstance(result, TransportError):
            assert result.index == x
            assert "cannot be started" in str(result) or "cannot be forked" in str(result) or "no worker" in str(result)
        else:
            assert result == x * x
    assert square.map(range(N), backend=route, workers=2) == SQUARES


@pytest.mark.slow
@pytest.mark.parametrize("route", NEED_PROCESSES)
@pytest.mark.parametrize("shortage", ["no descriptors", "no forks"])
def test_without_workers_a_choice_is_given_up(
    route: str, shortage: str, cold: None, choose_only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the planner chose the workers, the loop runs what they would have run, and the decision says why."""
    choose_only(route)
    with SHORTAGES[shortage](monkeypatch):
        assert square.map(range(N), workers=2) == SQUARES
    assert square.map(range(N), workers=2) == SQUARES
    first = square.decisions[-2]
    assert left(first.fallbacks, route) or first.plan.backend == route


@pytest.mark.slow
@pytest.mark.parametrize("route", NEED_PROCESSES)
@pytest.mark.parametrize("shortage", ["no room", "no shared memory", "no temporary folder"])
def test_without_room_large_arrays_still_arrive_or_are_named_errors(
    route: str, shortage: str, cold: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrays that would go through shared memory or a file go through the pipe, or their items are named errors."""
    arrays = large()
    with SHORTAGES[shortage](monkeypatch):
        results: list[Any] = total.map(arrays, backend=route, workers=2, on_error="return")
    for x, result in enumerate(results):
        if isinstance(result, ItemError):
            assert result.index == x
        else:
            assert result == x * 200_000.0
    if route != "joblib":
        assert not [result for result in results if isinstance(result, ItemError)]
    assert total.map(arrays, backend=route, workers=2) == [x * 200_000.0 for x in range(4)]


@pytest.mark.slow
@pytest.mark.parametrize("route", ["joblib"])
@pytest.mark.parametrize("shortage", ["no room", "no shared memory", "no temporary folder"])
def test_without_room_a_choice_has_its_results(
    route: str, shortage: str, cold: None, choose_only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the planner chose needs no disk: every result is there, and the next map's too."""
    choose_only(route)
    arrays = large()
    with SHORTAGES[shortage](monkeypatch):
        assert total.map(arrays, workers=2) == [x * 200_000.0 for x in range(4)]
    assert total.map(arrays, workers=2) == [x * 200_000.0 for x in range(4)]


@pytest.mark.parametrize("route", [{"backend": "threads"}, {}], ids=["threads", "chosen"])
def test_without_new_threads_a_map_uses_those_it_has(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that refuses threads costs speed; with none at all a demand is an error, and the next map works."""
    import threading

    from autopar._backends import threads

    monkeypatch.setattr(threads, "_shared", None)  # as in a program that has had no threads yet

    def refused(*args: object, **kwargs: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        if route:
            with pytest.raises(TransportError, match="no thread can be had"):
                square.map(range(N), **route)
        else:
            assert square.map(range(N)) == SQUARES
    assert square.map(range(N), **route) == SQUARES


# -- clocks and quotas ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["serial", "threads", "processes"])
def test_the_calendar_may_jump(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set back or ahead while a map runs makes no item late and no record wrong."""
    rng, real = random.Random(1), time.time
    monkeypatch.setattr(time, "time", lambda: real() + rng.choice((-3e8, -60.0, 0.0, 60.0, 3e8)))
    hints: dict[str, Any] = {} if backend == "serial" else {"timeout": 30.0}
    for _ in range(3):
        assert square.map(range(N), backend=backend, **hints) == SQUARES
    journal.decision_log().flush()
    assert len(square.decisions) >= 3


def test_a_quota_that_changes_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cores of a control group are looked up again while a program runs: the next map plans with the new ones."""
    quotas = itertools.chain([4.0], itertools.repeat(1.0))
    known: list[float] = []

    def quota(read: Any) -> cgroups.Quota:
        known.append(next(quotas))
        return cgroups.Quota(known[-1], "cpu.max")

    monkeypatch.setattr(host, "cpu_quota", quota)
    monkeypatch.setattr(host, "_latest", None)
    monkeypatch.setattr(host, "logical_cores", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    moment = itertools.count(0.0, 10.0)
    monkeypatch.setattr(host.time, "monotonic", lambda: next(moment))  # type: ignore[attr-defined]
    assert [host.current_host().cores for _ in range(2)] == [4, 1]


def test_a_quota_that_changes_under_way_harms_no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map whose cores become fewer and more while it runs gives every result."""
    seen = host.observe_host()
    cores = itertools.cycle([8, 1, 3])
    monkeypatch.setattr(host, "observe_host", lambda: replace(seen, cores=next(cores)))
    monkeypatch.setattr(host, "_latest", None)
    before = host.current_host
    monkeypatch.setattr(host, "current_host", lambda refresh=0.0: before(-1.0))
    for backend in ("threads", "processes"):
        assert square.map(range(4 * N), backend=backend) == [x * x for x in range(4 * N)]


# -- the store -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", BAD_STORES)
def test_a_store_that_cannot_be_used_costs_a_map_one_warning(bad: str, isolated_store: Path) -> None:
    """Whatever is wrong with the store, maps give their results, one warning says so, and the file stays."""
    isolated_store.parent.mkdir(mode=0o700)
    BAD_STORES[bad](isolated_store)
    content = isolated_store.read_bytes()
    journal.new_log()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            assert ap.map(square, range(N), backend="threads") == SQUARES
            journal.decision_log().flush()
    assert [each.category for each in caught] == [StoreWarning]
    assert isolated_store.read_bytes() == content


def test_a_locked_store_holds_up_no_map(isolated_store: Path) -> None:
    """While another program holds the lock, maps give their results, and what they taught is written afterwards."""
    assert Store(isolated_store).write([])
    journal.new_log()
    other = sqlite3.connect(isolated_store, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert square.map(range(N), backend="threads") == SQUARES
    with pytest.warns(StoreWarning, match="locked"):
        journal.decision_log().flush()
    other.execute("ROLLBACK")
    other.close()
    assert square.map(range(N), backend="threads") == SQUARES
    journal.decision_log().flush()
    assert len(Store(isolated_store).read_decisions()) == 2


def test_a_store_on_a_full_disk_costs_a_map_one_warning(isolated_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file can grow, maps give their results, and the store is left alone after one warning."""
    assert Store(isolated_store).write([])
    journal.new_log()
    with SHORTAGES["no room"](monkeypatch), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            assert square.map(range(N), backend="threads") == SQUARES
            journal.decision_log().flush()
    assert [each.category for each in caught] == [StoreWarning]
    journal.new_log()
    assert square.map(range(N), backend="threads") == SQUARES
    journal.decision_log().flush()
    assert len(Store(isolated_store).read_decisions()) == 1


# -- compiled objects ----------------------------------------------------------------------------------------------


def numeric(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i
    return total


def test_compilers_without_a_temporary_folder_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no temporary file can be made a function runs in Python, with its results, and a demand says why."""
    import tempfile

    for name in ("mkdtemp", "mkstemp", "TemporaryDirectory"):
        monkeypatch.setattr(tempfile, name, refuse(errno.ENOSPC))
    assert parallel(numeric).map(range(400)) == [numeric(n) for n in range(400)]
    for compiler in ("native", "cython"):
        with pytest.raises(DemandError, match="No space left on device"):
            parallel(numeric, compiler=compiler).map(range(400))
