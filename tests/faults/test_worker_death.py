"""Worker processes that die: the item to blame is named, the others run, and the next map works."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import pytest

from autopar.errors import WorkerDiedError
from tests.api.functions import where
from tests.faults.items import BAD, ITEMS, dies

pytestmark = [
    pytest.mark.timeout(30),
    pytest.mark.skipif(sys.platform == "win32", reason="these are POSIX signals"),
]

DEATHS = {"exit0": 0, "exit1": 1, "SIGKILL": -9, "SIGTERM": -15, "SIGSEGV": -11, "SIGABRT": -6}


@pytest.mark.parametrize("how", DEATHS)
def test_a_dead_worker_is_an_error_that_names_the_item(how: str) -> None:
    """Whatever ends the worker, even exit code 0, is a WorkerDiedError with index and exit code."""
    with pytest.raises(WorkerDiedError, match=rf"^item {BAD}: ") as caught:
        dies.map(range(ITEMS), how=how, backend="processes")
    assert caught.value.index == BAD
    assert caught.value.exitcode == DEATHS[how]


@pytest.mark.parametrize("chunksize", [None, 1, 4])
def test_the_other_items_of_a_dead_worker_are_right(chunksize: int | None) -> None:
    """Only the item that killed its worker is lost, also if others shared its chunk."""
    results: list[Any] = dies.map(
        range(ITEMS), how="SIGKILL", backend="processes", chunksize=chunksize, on_error="return"
    )
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], WorkerDiedError)
    assert results[BAD].index == BAD


def test_the_next_map_has_its_workers() -> None:
    """A pool that lost a worker starts another."""
    with pytest.raises(WorkerDiedError):
        dies.map(range(ITEMS), how="exit1", backend="processes")
    assert dies.map(range(ITEMS), how="", bad=-1, backend="processes") == list(range(ITEMS))


def test_an_idle_worker_that_was_killed_is_replaced() -> None:
    """Workers that somebody kills between two maps cost the next map nothing."""
    before = {pid for pid, _ in where.map(range(8), backend="processes", chunksize=1)}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    after = {pid for pid, _ in where.map(range(8), backend="processes", chunksize=1)}
    assert not before & after


def test_a_worker_whose_end_somebody_else_took_note_of_is_replaced() -> None:
    """It costs no item if another part of the program waited for all children."""
    before = {pid for pid, _ in where.map(range(8), backend="processes", chunksize=1)}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    after = {pid for pid, _ in where.map(range(8), backend="processes", chunksize=1)}
    assert not before & after


def test_imap_keeps_the_results_before_the_death() -> None:
    """`imap` hands out what came before the item that killed its worker."""
    results = dies.imap(range(ITEMS), how="SIGKILL", backend="processes")
    assert [next(results) for _ in range(BAD)] == list(range(BAD))
    with pytest.raises(WorkerDiedError):
        next(results)


def test_an_item_that_kills_its_worker_is_tried_again_only_if_told() -> None:
    """`retries` also count for workers that die."""
    with pytest.raises(WorkerDiedError, match=rf"item {BAD}"):
        dies.map(range(ITEMS), how="exit1", backend="processes", retries=1)


def test_submit_reports_a_dead_worker() -> None:
    """The future of a submitted call whose worker dies holds the WorkerDiedError."""
    future = dies.options(backend="processes").submit(BAD, how="exit1")
    with pytest.raises(WorkerDiedError):
        future.result(10)
