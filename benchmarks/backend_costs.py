"""What each backend costs apart from the items: the figures behind ``autopar/_plan/costs.py``.

Run ``python benchmarks/backend_costs.py [--quick] [--json FILE]`` on a quiet machine. Each figure is the median of
several rounds; cold starts are taken in fresh interpreters.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from typing import Any

from autopar._backends import processes, threads
from autopar._backends.fork import ForkedWorker
from autopar._backends.spawn import WorkerProcess
from autopar._backends.worker import main as serve
from autopar._classify import classify
from autopar._model.hints import Settings
from autopar._model.observation import Host, Profile, Sample, Traits
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job, Outcome, Pool
from autopar._observe.pickled_size import pickled_size
from autopar._plan.costs import DEFAULT_COSTS
from autopar._plan.planner import choose
from autopar._plan.situation import Situation

COLD_START = """
import time
from autopar._backends import processes
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job
workers = {workers}
processes.forkable = lambda: {forked}
job = Job(abs, reference=("builtins", "abs"), name="abs")
started = time.perf_counter()
pool = processes.open(Plan(backend="processes", workers=workers))
for future in [pool.submit(Chunk(job, n, [n])) for n in range(workers)]:
    future.result()
print(time.perf_counter() - started)
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: a field of ``Costs``, or none where the figure only helps to read the others."""

    what: str
    seconds: float
    field: str = ""
    note: str = ""

    @property
    def assumed(self) -> float | None:
        """What the planner assumes."""
        return float(getattr(DEFAULT_COSTS, self.field)) if self.field else None


def identity(value: object) -> object:
    """Cost nothing."""
    return value


def median_of(rounds: int, measure: Callable[[], float]) -> float:
    """Run a measurement several times."""
    return statistics.median(measure() for _ in range(rounds))


def thread_start(count: int = 64) -> float:
    """Seconds for starting a thread that waits, as seen by who starts it."""
    stop = threading.Event()
    fresh = [threading.Thread(target=stop.wait) for _ in range(count)]
    started = time.perf_counter()
    for thread in fresh:
        thread.start()
    seconds = (time.perf_counter() - started) / count
    stop.set()
    for thread in fresh:
        thread.join()
    return seconds


def worker_call(*, forked: bool) -> float:
    """Seconds of the caller for starting a worker process, without waiting for it."""
    ours, theirs = Pipe()
    worker = ForkedWorker(serve, theirs) if forked else WorkerProcess(target=serve, args=(theirs,))
    started = time.perf_counter()
    worker.start()
    seconds = time.perf_counter() - started
    worker.kill()
    worker.join()
    ours.close()
    theirs.close()
    return seconds


def chunks_through(pool: Pool, chunk: Chunk, chunks: int, in_flight: int = 4) -> float:
    """Seconds a chunk while a few are always under way."""
    started = time.perf_counter()
    waiting = [pool.submit(chunk) for _ in range(in_flight)]
    for _ in range(chunks - in_flight):
        ended(waiting.pop(0).result())
        waiting.append(pool.submit(chunk))
    for future in waiting:
        ended(future.result())
    return (time.perf_counter() - started) / chunks


def ended(outcome: Outcome) -> None:
    """Make sure that the measured chunks did run."""
    if outcome.error is not None:
        raise outcome.error


def item_in_chunk(pool: Pool, job: Job, items: int = 20_000) -> float:
    """Seconds that an item adds to a chunk on a backend, over what the loop takes for it."""
    values = list(range(items))
    started = time.perf_counter()
    for value in values:
        identity(value)
    alone = time.perf_counter() - started
    started = time.perf_counter()
    ended(pool.submit(Chunk(job, 0, values)).result())
    return max(0.0, time.perf_counter() - started - alone) / items


def byte_both_ways(pool: Pool, job: Job, size: int) -> float:
    """Seconds a pickled byte, for an item that goes there and comes back."""
    payload = os.urandom(size)
    started = time.perf_counter()
    ended(pool.submit(Chunk(job, 0, [payload])).result())
    return (time.perf_counter() - started) / (2 * size)


def one_object(payload: Any) -> float:
    """The caller's own seconds for an object that it pickles or takes back, without those of its bytes."""
    started = time.perf_counter()
    pickle.loads(pickle.dumps(payload, protocol=5))
    return (time.perf_counter() - started) / (2 * pickled_size(payload).objects)


def rows_of_texts() -> list[dict[str, str]]:
    """As of a table that was read in."""
    return [{f"field {number}": f"{row} {number}" for number in range(10)} for row in range(1_000)]


def cold_start(workers: int, forked: bool) -> float:
    """Seconds from nothing to one answer of each worker, in a fresh interpreter."""
    code = COLD_START.format(workers=workers, forked=forked)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def event_loop() -> float:
    """Seconds for starting and closing an event loop."""

    async def nothing() -> None:
        return None

    started = time.perf_counter()
    asyncio.run(nothing())
    return time.perf_counter() - started


def coroutine_on_loop(count: int = 5_000) -> float:
    """Seconds a coroutine that waits once, with all of them under way."""

    async def one() -> None:
        await asyncio.sleep(0)

    async def every() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        return (time.perf_counter() - started) / count

    return asyncio.run(every())


def planning(repeats: int = 50) -> float:
    """Seconds for classifying and choosing, without the analysis of the function's effects."""
    profile = Profile()
    profile.add(Sample(items=10, wall=0.05, cpu=0.049, waits=0))
    profile.bytes_in = profile.bytes_out = 100.0
    host, traits = Host(cores=2), Traits("benchmark.item")
    started = time.perf_counter()
    for _ in range(repeats):
        workload = classify(traits, profile, host)
        choose(Situation(traits, workload, profile, host, Settings(), remaining=200, seen=10))
    return (time.perf_counter() - started) / repeats


def cold_starts(rounds: int, field: str, *, forked: bool) -> list[Figure]:
    """The cold start of pools of 1, 2 and 4 workers, and the line through them."""
    name = "forked pool" if forked else "process pool"
    colds = {w: median_of(rounds, lambda w=w: cold_start(w, forked)) for w in (1, 2, 4)}  # type: ignore[misc]
    slope = max(0.0, (colds[4] - colds[1]) / 3)
    return [
        *(Figure(f"{name} cold, {workers} workers", seconds) for workers, seconds in colds.items()),
        Figure(f"{name} cold, intercept", max(0.0, colds[1] - slope), f"{field}_base", "of those above"),
        Figure(f"{name} cold, slope", slope, f"{field}_start", "a worker"),
    ]


def measure(rounds: int) -> list[Figure]:
    """All figures."""
    job = Job(identity, name="identity")
    one = Chunk(job, 0, [1])
    thread_pool = threads.open(Plan(backend="threads", workers=2))
    process_pool = processes.open(Plan(backend="processes", workers=2))
    chunks_through(process_pool, one, 50)
    return [
        *cold_starts(rounds, "process", forked=False),
        *cold_starts(rounds, "fork", forked=True),
        Figure("process call", median_of(rounds, lambda: worker_call(forked=False)), "process_call"),
        Figure("fork call", median_of(rounds, lambda: worker_call(forked=True)), "fork_call"),
        Figure("thread start", median_of(rounds, thread_start), "thread_start"),
        Figure("thread chunk", median_of(rounds, lambda: chunks_through(thread_pool, one, 2000)), "thread_dispatch"),
        Figure("thread item", median_of(rounds, lambda: item_in_chunk(thread_pool, job)), "thread_item"),
        Figure("process chunk", median_of(rounds, lambda: chunks_through(process_pool, one, 1000)), "process_dispatch"),
        Figure("process item", median_of(rounds, lambda: item_in_chunk(process_pool, job)), "process_item"),
        Figure("process byte, 1 MB items", median_of(rounds, lambda: byte_both_ways(process_pool, job, 10**6))),
        Figure(
            "process byte",
            median_of(rounds, lambda: byte_both_ways(process_pool, job, 10**7)),
            "process_byte",
            "10 MB items",
        ),
        Figure("process object, numbers", median_of(rounds, lambda: one_object([n / 7 for n in range(20_000)]))),
        Figure("process object", median_of(rounds, lambda: one_object(rows_of_texts())), "process_object", "of rows"),
        Figure("asyncio start", median_of(rounds, event_loop), "async_start"),
        Figure("asyncio item", median_of(rounds, coroutine_on_loop), "async_dispatch"),
        Figure("planning", median_of(rounds, planning), "planning", "assumed with the analysis of effects"),
    ]


def readable(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def show(figures: list[Figure]) -> None:
    """Print the table."""
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )
    print(f"{'what':30} {'measured':>10} {'assumed':>10}  field")
    for figure in figures:
        assumed = "" if figure.assumed is None else readable(figure.assumed)
        note = f" ({figure.note})" if figure.note else ""
        print(f"{figure.what:30} {readable(figure.seconds):>10} {assumed:>10}  {figure.field}{note}")


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 9")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    figures = measure(3 if options.quick else 9)
    show(figures)
    if options.json:
        rows: list[dict[str, Any]] = [asdict(figure) | {"assumed": figure.assumed} for figure in figures]
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
