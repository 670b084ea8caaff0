"""Times the start of worker processes: forked ones here, spawned ones in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from autopar._backends import load
from autopar._backends.forkable import why_not_forkable_without
from autopar._engine.machine import warm_workers
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job

OCCUPIED = 20e-3
"""Seconds for which a worker is kept from taking what is meant for the next: many times a thread's start."""

PATIENCE = 10.0
"""Seconds after which a trial in another process is given up."""

SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
from autopar._engine.cold import print_spawn_times
print_spawn_times()
"""


def fork_pool() -> float | None:
    """Seconds until two forked workers have answered; None where none can be forked, or there are workers already."""
    if warm_workers().get("processes", 0) or why_not_forkable_without("threads"):
        return None
    return _start(2)


def spawn_pool() -> dict[str, float]:
    """Both prices of spawned workers; empty where they cannot be had.

    A process that has workers keeps them, so another one is asked.
    """
    if not sys.executable:
        return {}
    package = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", SCRIPT, package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603
        first, second = map(float, done.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    start = min(first, second)
    return {"process_base": max(first - start, 1e-3), "process_start": start}


def print_spawn_times() -> None:
    """In the other process: print what the first worker took, and what the second took after it."""
    import threading

    # With a second thread no worker is forked.
    leave = threading.Event()
    threading.Thread(target=leave.wait, daemon=True).start()
    first = _start(1)
    print(first, _start(1, beside=1))  # noqa: T201 - the answer to the process that asked
    leave.set()


def _start(workers: int, *, beside: int = 0) -> float:
    """Seconds until so many new workers have answered, beside some that are there."""
    job = Job(time.sleep, reference=("time", "sleep"), name="sleep")
    began = time.perf_counter()
    pool = load("processes").open(Plan(backend="processes", workers=workers + beside))
    # Each chunk needs a worker of its own, because those before it are still at theirs.
    futures = [pool.submit(Chunk(job, n, [OCCUPIED])) for n in range(workers + beside)]
    for future in futures[beside:]:
        future.result()
    seconds = max(0.0, time.perf_counter() - began - OCCUPIED)
    for future in futures[:beside]:
        future.result()
    return seconds
