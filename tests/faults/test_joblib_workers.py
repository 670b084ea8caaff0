"""Workers of joblib's executor: what loky leaves open, autopar closes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil  # type: ignore[import-untyped]
import pytest

from autopar._backends.loky import LokyPool
from autopar._model.work import Chunk, Job
from tests.scripts import ROOT, environment, run_python

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes"),
]

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"


PROGRAM = """
import sys, threading
import autopar, psutil

def forever(x, told=[]):
    threading.Event().wait()

def tell():
    while len(psutil.Process().children()) < 2:
        pass
    print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)

autopar.map(abs, range(8), backend="joblib", workers=2)
threading.Thread(target=tell, daemon=True).start()
autopar.map(forever, range(4), backend="joblib", workers=2, pure=True)
"""


@pytest.mark.parametrize("how", ["SIGKILL", pytest.param("SIGTERM", marks=pytest.mark.skipif(not LONG, reason="long"))])
def test_workers_end_with_their_program(how: str) -> None:
    """However a program ends, the workers that joblib has started for it end too."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
    )
    with program:
        assert program.stdout is not None
        pids = [int(pid) for pid in program.stdout.readline().split()]
        workers = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
        assert workers
        program.send_signal(getattr(signal, how))
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def test_an_executor_with_cancelled_chunks_ends_all_the_same() -> None:
    """Its own thread neither trips over what was cancelled, which would be a warning here, nor leaves a worker."""
    # More than an executor that earlier maps have left with many workers hands to them ahead.
    chunks = [Chunk(Job(time.sleep, cores=1), place, [3600]) for place in range(100)]
    pool = LokyPool(1)
    pending = [pool.submit(chunk) for chunk in chunks]
    executor = pending[0].executor  # type: ignore[attr-defined]
    try:
        cancelled = pending[-1].cancel()
        workers = [psutil.Process(each.pid) for each in executor.executor._processes.values()]
    finally:
        executor.end()
        pool.close()
    assert cancelled
    assert not psutil.wait_procs(workers, timeout=20)[1]
    assert [each.done() for each in pending] == [True] * len(chunks)


KEEPS = """
import sys
import numpy
from autopar import parallel
from autopar._backends import loky

def item(array, what):
    kept = sys.__dict__.setdefault("kept", [])
    {"keep": kept.append, "let go": lambda _: kept.clear(), "look": len}[what](array)
    return float(array[0])

def files():
    return sum(len(found) for _, found in loky._shared._folders._files())

function = parallel(item, pure=True, backend="joblib", workers=1, chunksize=1)
array, another = numpy.ones(1 << 19), numpy.ones(1 << 19)
for what in ("keep", "look", "look", "let go", "look", "keep"):
    assert function.starmap([(each, what) for each in (array, another)]) == [1.0, 1.0]
print(len(loky._shared._folders._of_joblib._cached_temp_folders) < 6)
for _ in range(20):
    parallel(abs, backend="joblib", workers=1).map([-1, -2])
print(len(loky._shared._folders._of_joblib._cached_temp_folders) < 6)
loky._shared.end()
print(files())
"""


def test_the_tracker_of_memory_maps_hears_nothing_twice() -> None:
    """Arrays that an item keeps in its worker stay there over many maps, and nobody complains when they go.

    The tracker has the program's standard error, and ends when nobody can tell it anything more.
    """
    assert run_python("-c", KEEPS) == "True\nTrue\n0\n"
