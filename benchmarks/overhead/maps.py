"""What a map costs over the loop, and a chunk over its items."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import repeat
from typing import Any

from autopar import parallel
from benchmarks.overhead.timing import Row, compare

ITEMS = 20_000


def increment(x: int) -> int:
    """Compute next to nothing."""
    return x + 1


def maps() -> list[Row]:
    """Compare short maps in microseconds each; the long one is of 20,000 tiny items."""
    import joblib

    decorated = parallel(increment, compiler="python")
    long, one = list(range(ITEMS)), [1]

    def each(statement: Callable[[], object]) -> Callable[[int], object]:
        def run(number: int) -> None:
            for _ in repeat(None, number):
                statement()

        return run

    for _ in range(200):
        decorated.map(one)
        decorated.map(long[:100])
    rivals = {
        "list(map(f, one item))": each(lambda: list(map(increment, one))),
        "f.map(one item)": each(lambda: decorated.map(one)),
        "joblib, one item": each(lambda: joblib.Parallel()([joblib.delayed(increment)(1)])),
    }
    rows = compare(rivals, 500, "us")
    longer = {
        "list(map(f, 20,000 items))": each(lambda: list(map(increment, long))),
        "f.map(20,000 items)": each(lambda: decorated.map(long)),
    }
    return rows + compare(longer, 3, "us")


def chunks() -> list[Row]:
    """Compare what sending one item alone to a warm worker and back costs, in microseconds."""
    threads: Any = parallel(increment, compiler="python", backend="threads", workers=2, chunksize=1, thread_safe=True)
    processes = threads.options(backend="processes", workers=2, chunksize=1)
    items = range(500)
    with ThreadPoolExecutor(2) as thread_pool, ProcessPoolExecutor(2) as process_pool:
        rivals: dict[str, Callable[[int], object]] = {
            "ThreadPoolExecutor.map": lambda number: list(thread_pool.map(increment, items[:number])),
            'backend="threads"': lambda number: threads.map(items[:number]),
            "ProcessPoolExecutor.map": lambda number: list(process_pool.map(increment, items[:number])),
            'backend="processes"': lambda number: processes.map(items[:number]),
        }
        for work in rivals.values():
            work(len(items))
        return compare(rivals, len(items), "us")
