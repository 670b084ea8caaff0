"""The main job against the plain loop: what ``@parallel`` gains where there is something to gain, and costs where not.

Run ``python benchmarks/main_job.py [--quick] [--only NAME] [--json FILE]``. Each measurement runs several times, each
time in a fresh interpreter, so that first calls are first calls; the table shows medians. Ratios compare with the plain
loop of the same run, so they stand on a busy machine too, as long as it is evenly busy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import operator
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from autopar import parallel

CPU_ITEMS, CPU_SECONDS = 200, 0.005
PAGES = 200
COROUTINES, COROUTINE_SECONDS = 400, 0.010
TRIVIAL_ITEMS = 200_000
STREAM_ITEMS, STREAM_ITEMS_QUICK, BUFFERSIZE = 10_000_000, 300_000, 64
LATER_CALLS = 3

# -- the work ---------------------------------------------------------------------------------------------------------


def compute(rounds: int) -> int:
    """Compute in plain Python."""
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total


def fetch(address: str) -> bytes:
    """Fetch a page."""
    host, _, path = address.partition("/")
    connection = HTTPConnection(host)
    connection.request("GET", f"/{path}")
    page = connection.getresponse().read()
    connection.close()
    return page


async def wait(number: int) -> int:
    """Wait like a request."""
    await asyncio.sleep(COROUTINE_SECONDS)
    return number


def increment(number: int) -> int:
    """Do next to nothing."""
    return number + 1


# -- the measurements -------------------------------------------------------------------------------------------------


def seconds(work: Callable[[], Any], expected: Any = None) -> float:
    """Time one call, and check what it returns."""
    started = time.perf_counter()
    result = work()
    taken = time.perf_counter() - started
    if expected is not None and result != expected:
        raise AssertionError("the result is not that of the plain loop")
    return taken


def first_and_later(work: Callable[[], Any], loop: Callable[[], Any]) -> tuple[float, float, float]:
    """Time a first call, later calls (their median), and the loop between them (its median)."""
    expected = loop()
    loops = [seconds(loop)]
    first = seconds(work, expected)
    later = []
    for _ in range(LATER_CALLS):
        loops.append(seconds(loop))
        later.append(seconds(work, expected))
    return first, statistics.median(later), statistics.median(loops)


def cpu_bound(quick: bool) -> dict[str, float]:
    """Map CPU-bound Python of 5 ms an item."""
    probe = min(timeit.repeat(lambda: compute(10_000), number=10, repeat=5)) / 10
    items = [int(10_000 * CPU_SECONDS / probe)] * CPU_ITEMS
    function = parallel(compute)
    first, later, loop = first_and_later(lambda: function.map(items), lambda: [compute(item) for item in items])
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(compute, items[:2], chunksize=1)
        others = statistics.median(seconds(lambda: pool.map(compute, items)) for _ in range(LATER_CALLS))
    return {"cpu first": loop / first, "cpu later": loop / later, "cpu others": loop / others}


@contextmanager
def page_server() -> Iterator[int]:
    """Start the server, a process of its own; give its port."""
    script = Path(__file__).with_name("page_server.py")
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def http(quick: bool) -> dict[str, float]:
    """Fetch pages of 15 ms."""
    function = parallel(fetch)
    with page_server() as port:
        pages = [f"127.0.0.1:{port}/{number}" for number in range(PAGES)]
        first, later, loop = first_and_later(lambda: function.map(pages), lambda: [fetch(page) for page in pages])
        with ThreadPoolExecutor(64) as pool:
            others = statistics.median(seconds(lambda: list(pool.map(fetch, pages))) for _ in range(LATER_CALLS))
    return {"http first": loop / first, "http later": loop / later, "http others": loop / others}


async def gather() -> list[int]:
    """Run the coroutines without autopar."""
    return await asyncio.gather(*map(wait, range(COROUTINES)))


def amap(quick: bool) -> dict[str, float]:
    """Run coroutines of 10 ms inside a running event loop."""
    function = parallel(wait)

    async def timed(awaitable: Awaitable[Any]) -> float:
        started = time.perf_counter()
        await awaitable
        return time.perf_counter() - started

    async def inside() -> tuple[float, float, float]:
        await gather()
        gathers = [await timed(gather())]
        first = await timed(function.amap(range(COROUTINES)))
        later = []
        for _ in range(LATER_CALLS):
            gathers.append(await timed(gather()))
            later.append(await timed(function.amap(range(COROUTINES))))
        return first, statistics.median(later), statistics.median(gathers)

    first, later, loop = asyncio.run(inside())
    return {"amap first": first / loop, "amap later": later / loop}


def async_map(quick: bool) -> dict[str, float]:
    """Run coroutines of 10 ms from synchronous code."""
    function = parallel(wait)
    first, later, loop = first_and_later(lambda: function.map(range(COROUTINES)), lambda: asyncio.run(gather()))
    return {"async map first": first / loop, "async map later": later / loop}


def trivial(quick: bool) -> dict[str, float]:
    """Map a function that does next to nothing."""
    numbers = range(TRIVIAL_ITEMS)
    function = parallel(increment)
    first, later, loop = first_and_later(lambda: function.map(numbers), lambda: list(map(increment, numbers)))
    return {"trivial first": first / loop, "trivial later": later / loop, "trivial loop ms": loop * 1e3}


def resident_bytes() -> int:
    """Resident memory of this process now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def stream(quick: bool) -> dict[str, float]:
    """Stream a long generator through imap with a small buffer."""
    count = STREAM_ITEMS_QUICK if quick else STREAM_ITEMS
    pulled = 0

    def numbers() -> Iterator[int]:
        nonlocal pulled
        for number in range(count):
            pulled += 1
            yield number

    at_start = peak = resident_bytes()
    ahead = 0
    started = time.perf_counter()
    for consumed, result in enumerate(parallel(increment).imap(numbers(), buffersize=BUFFERSIZE)):
        ahead = max(ahead, pulled - consumed)
        if consumed % 10_000 == 0:
            peak = max(peak, resident_bytes())
        if result != consumed + 1:
            raise AssertionError("the result is not that of the plain loop")
    taken = time.perf_counter() - started
    if pulled != count:
        raise AssertionError(f"{pulled} items were taken, not {count}")
    peak = max(peak, resident_bytes())
    return {"imap growth MB": (peak - at_start) / 1e6, "imap ahead": ahead, "imap item us": taken / count * 1e6}


def overheads(quick: bool) -> dict[str, float]:
    """Price the small things: a decorated call, a sample, a look at the plan."""
    from autopar._engine.calls import take_sample
    from autopar._engine.functions import FunctionState
    from autopar._model.hints import Settings
    from autopar._model.observation import Host
    from autopar._native_api import thread_probe
    from autopar._plan import worth_planning

    function, state = parallel(increment), FunctionState(increment)
    host, settings = Host(cores=2), Settings()
    for _ in range(4096):  # past the first samples, which come at short distance
        function(1)

    def each(statement: Callable[[], Any], number: int) -> float:
        return min(timeit.repeat(statement, number=number, repeat=7)) / number

    nothing = each(lambda: None, 200_000)
    plain = each(lambda: increment(1), 200_000)
    decorated = each(lambda: function(1), 200_000)
    sample = each(lambda: take_sample(state, increment, (1,), {}, thread_probe(), thread_probe()), 20_000)
    look = each(lambda: worth_planning(1e-6, 100_000, 10_000, host, settings), 50_000)
    return {
        "plain call ns": (plain - nothing) * 1e9,
        "decorated call ns": (decorated - nothing) * 1e9,
        "sample us": (sample - nothing) * 1e6,
        "look us": (look - nothing) * 1e6,
    }


def warm_up(quick: bool) -> dict[str, float]:
    """Use every module that the measurements use, so that all are compiled, and measure nothing."""
    for backend in ("threads", "processes"):
        parallel(increment, backend=backend).map(range(10))
    parallel(wait).map(range(10))
    return {}


MEASUREMENTS = {
    function.__name__: function for function in (cpu_bound, http, amap, async_map, trivial, stream, overheads)
}


# -- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    key: str
    what: str
    unit: str = ""
    relation: str = ""
    goal: float | None = None


LINES = (
    Line("cpu first", "CPU-bound Python, 200 items of 5 ms: faster than the loop, first call", "x", ">=", 1.6),
    Line("cpu later", "... later calls", "x", ">=", 1.6),
    Line("cpu others", "... a warm multiprocessing.Pool(2), for comparison", "x"),
    Line("http first", "200 HTTP fetches of 15 ms: faster than the loop, first call", "x", ">=", 20),
    Line("http later", "... later calls", "x", ">=", 20),
    Line("http others", "... a ThreadPoolExecutor(64), for comparison", "x"),
    Line("amap first", "400 coroutines of 10 ms, amap: time over asyncio.gather's, first call", "x", "<=", 1.3),
    Line("amap later", "... later calls", "x", "<=", 1.3),
    Line("async map first", "... map from synchronous code, first call", "x", "<=", 1.3),
    Line("async map later", "... later calls", "x", "<=", 1.3),
    Line("trivial first", "200,000 trivial items: time over list(map(f, xs))'s, first call", "x", "<=", 1.3),
    Line("trivial later", "... later calls", "x", "<=", 1.3),
    Line("trivial loop ms", "... the loop itself", " ms"),
    Line("imap growth MB", "imap over a long generator, buffersize=64: memory over the start", " MB", "<=", 50),
    Line("imap ahead", "... items taken and not yet handed out, at most", "", "<=", BUFFERSIZE),
    Line("imap item us", "... time of an item", " us"),
    Line("plain call ns", "a plain call", " ns"),
    Line("decorated call ns", "a decorated call", " ns"),
    Line("sample us", "a sampled call, over a plain one", " us"),
    Line("look us", "a look whether a plan could pay", " us"),
)


def verdict(line: Line, value: float) -> str:
    """OK or MISSED, or nothing where there is no goal."""
    if line.goal is None:
        return ""
    met = {">=": operator.ge, "<=": operator.le}[line.relation](value, line.goal)
    return f"{line.relation} {line.goal:g}{line.unit}  {'OK' if met else 'MISSED'}"


def measure(name: str, rounds: int, quick: bool, scratch: str) -> dict[str, list[float]]:
    """Run one measurement several times, each in a fresh interpreter with a store of its own."""
    found: dict[str, list[float]] = {}
    command = [sys.executable, __file__, "--here", name, *(["--quick"] if quick else [])]
    for number in range(rounds):
        store = os.path.join(scratch, f"{name}-{number}", "store.sqlite")
        environment = {**os.environ, "AUTOPAR_STORE": store} | compiled(scratch)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        for key, value in json.loads(done.stdout).items():
            found.setdefault(key, []).append(value)
    return found


def compiled(scratch: str) -> dict[str, str]:
    """Environment in which modules are compiled once, as after any installation, and not anew in each process."""
    return {"PYTHONPYCACHEPREFIX": os.path.join(scratch, "compiled"), "PYTHONDONTWRITEBYTECODE": ""}


def main() -> None:
    """Measure, print the table, and write it as JSON if asked to."""
    parser = argparse.ArgumentParser(description="Measure the main job against the plain loop.")
    parser.add_argument("--quick", action="store_true", help="one round, and a shorter stream")
    parser.add_argument("--only", choices=MEASUREMENTS, help="one measurement")
    parser.add_argument("--json", metavar="FILE", help="also write the figures of all rounds to this file")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measurement = warm_up if options.here == "warm_up" else MEASUREMENTS[options.here]
        print(json.dumps(measurement(options.quick)))
        return

    rounds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        measure("warm_up", 1, options.quick, scratch)
        for name in [options.only] if options.only else MEASUREMENTS:
            # The stream is long enough to be its own median.
            times = 1 if options.quick or name == "stream" else 5
            rounds |= measure(name, times, options.quick, scratch)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores\n")
    rows = []
    for line in LINES:
        if line.key in rounds:
            value = statistics.median(rounds[line.key])
            print(f"{line.what:<76} {value:8.2f}{line.unit:<3}  {verdict(line, value)}".rstrip())
            rows.append({**asdict(line), "median": value, "rounds": rounds[line.key]})
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
