"""Threads of autopar's own keep this process from forking only while they may hold a lock."""

from __future__ import annotations

import os
import threading

import pytest

from autopar._backends.forkable import WARNS, why_not_forkable
from autopar._model import parked
from autopar._model.parked import count_parked, stay_parked
from tests.scripts import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nothing is forked here")


def waiting(released: threading.Event) -> tuple[threading.Thread, threading.Event]:
    """A thread that is parked until it is released, and what it says then: that it goes on."""

    def work() -> None:
        with parked.parked():
            entered.set()
            released.wait()
        went_on.set()

    entered, went_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert entered.wait(10)
    return thread, went_on


def test_a_thread_that_is_parked_is_not_counted() -> None:
    """It waits in a system call and holds nothing."""
    released = threading.Event()
    before = why_not_forkable()
    thread, _ = waiting(released)
    assert count_parked() == 1
    assert (why_not_forkable() == before) is not WARNS
    released.set()
    thread.join()
    assert count_parked() == 0


def test_it_stays_parked_while_a_fork_is_under_way() -> None:
    """What it waited for may come; it goes on when the fork is over."""
    released = threading.Event()
    thread, went_on = waiting(released)
    with stay_parked():
        released.set()
        assert not went_on.wait(0.05)
        assert count_parked() == 1
    thread.join()
    assert went_on.is_set()


def test_a_forked_child_can_park_anew() -> None:
    """Nothing of the parent's threads is left there."""
    script = """
import os
from autopar._model.parked import count_parked, parked, stay_parked
with stay_parked():
    child = os.fork()
if child == 0:
    with parked():
        os._exit(count_parked())
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_python("-c", script) == "1\n"


FORKED = """
from autopar._backends import processes
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job
forked, fork = [], processes._fork
processes._fork = lambda workers: forked.append(workers) or fork(workers)
pool = processes.open(Plan(backend="processes", workers=2))
assert not forked, "there is nothing to do for a worker yet"
assert pool.submit(Chunk(Job(abs), 0, [-1])).result().values == [1]
print(sum(forked))
"""

BESIDE_A_COMPILER = """
import pathlib, tempfile, threading, time
from contextlib import suppress
from autopar._compilers.native.refusal import NotCompiled
from autopar._compilers.native.toolchain import run_program
from autopar._model.parked import count_parked
def compile():
    with suppress(NotCompiled):  # it is killed when the program ends
        run_program(["sleep", "60"], pathlib.Path(tempfile.mkdtemp()), time.monotonic() + 60)
threading.Thread(target=compile, daemon=True).start()
end = time.monotonic() + 20
while not count_parked() and time.monotonic() < end:
    pass
"""

AFTER_THREADS = """
import autopar as ap
assert ap.map(abs, range(-9, 0), backend="threads", workers=4) == list(range(9, 0, -1))
"""

BESIDE_A_THREAD = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "forked"),
    [("", 2), ("import numpy", 2), (AFTER_THREADS, 2), (BESIDE_A_COMPILER, 0 if WARNS else 2), (BESIDE_A_THREAD, 0)],
    ids=["one thread", "OpenBLAS", "idle threads of its own", "a compiler at work", "a thread of the user's"],
)
def test_worker_processes_are_forked_wherever_that_is_safe(before: str, forked: int) -> None:
    """A forked worker is there in a tenth of the time that a new interpreter takes."""
    assert run_python("-c", before + FORKED if before.endswith("\n") else f"{before}\n{FORKED}") == f"{forked}\n"
