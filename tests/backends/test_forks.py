"""Workers that are forked for one map."""

from __future__ import annotations

import _thread
import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest

import autopar as ap
from autopar._backends import forkable, forks
from autopar._backends.forkable import why_not_forkable
from autopar._backends.pending import PendingChunk
from autopar._model.work import Outcome
from autopar.errors import UnavailableError, WorkerDiedError
from tests.scripts import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nothing is forked here")

PREPARE = """
import os, threading
import autopar as ap
from autopar import parallel

class Held:
    lock = threading.Lock()
    def __reduce__(self):
        raise TypeError("not me")

held = Held()
held.numbers = list(range(100))

def item(x):
    return held.numbers[x]

def dies(x):
    if x == 3:
        os._exit(7)
    return x
"""


def said(script: str) -> Any:
    """What a program of its own prints, evaluated."""
    return eval(run_python("-c", PREPARE + script))


def test_workers_whose_fork_server_has_ended_are_waited_for_by_nobody_who_gave_them_up() -> None:
    """Chunks that ran out of time keep no others from the workers that follow."""
    given_up, ended, under_way = PendingChunk(), PendingChunk(), PendingChunk()
    given_up.given_up = True
    ended.settle(Outcome([]), None)
    crew: Any = object.__new__(forks._Crew)
    closed = []
    crew.pool = SimpleNamespace(retire=lambda: True)
    crew.close = lambda: closed.append(True)
    crew._under_way = [ended, given_up, under_way]
    assert not crew.ended()
    under_way.settle(Outcome([]), None)
    assert crew.ended()
    assert closed == [True]


def test_what_a_function_reads_need_not_pickle() -> None:
    """A global that refuses to be pickled is there in the workers, map after map."""
    script = """
f = parallel(item, backend="multiprocessing", pure=True)
print([f.map(range(5)) for _ in range(3)])
"""
    assert said(script) == [list(range(5))] * 3


def test_workers_of_other_backends_make_way() -> None:
    """Idle threads and processes of earlier maps end, so that this process can be forked."""
    script = """
ap.map(abs, range(4), backend="threads")
ap.map(abs, range(4), backend="processes")
print(parallel(item, backend="multiprocessing", pure=True).map(range(5)))
"""
    assert said(script) == list(range(5))


def test_a_worker_that_dies_is_replaced() -> None:
    """Its item is named with the exit code, the others have their results, and no process is left."""
    script = """
results = parallel(dies, backend="multiprocessing", pure=True, on_error="return").map(range(8))
try:
    os.waitpid(-1, os.WNOHANG)
    left = True
except ChildProcessError:
    left = False
print([(each if isinstance(each, int) else (type(each).__name__, each.exitcode)) for each in results], left, sep=",")
"""
    results, left = said(script)
    assert results == [0, 1, 2, (WorkerDiedError.__name__, 7), 4, 5, 6, 7]
    assert not left


def test_beside_a_thread_of_the_user_it_is_refused() -> None:
    """A thread that is not autopar's own may hold a lock; the demand fails and says that."""
    leave = threading.Event()
    threading.Thread(target=leave.wait, daemon=True).start()
    try:
        assert "may hold a lock" in why_not_forkable()
        with pytest.raises(UnavailableError, match="other thread"):
            ap.map(abs, [1, 2], backend="multiprocessing")
    finally:
        leave.set()


def test_threads_of_its_own_that_are_idle_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as can be ended before the fork may be there."""
    monkeypatch.setattr(forkable, "other_threads", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 3)
    monkeypatch.setattr(_thread, "_count", lambda: 2)
    assert why_not_forkable(idle=2) == ""
    assert "1 other thread" in why_not_forkable(idle=1)


def test_nothing_is_forked_before_the_first_chunk() -> None:
    """A plan that is never used costs no process."""
    from autopar._model.plan import Plan

    pool = forks.open(Plan(backend="multiprocessing", workers=2))
    assert pool.capacity == 4
    pool.close()
