"""CPU-bound Python on threads of a free-threaded CPython: a map of autopar's against the plain loop.

    python3.13t -m benchmarks.free_threaded [TURNS]

Each turn times the loop, two threads by hand, and the map, which plans for itself. Printed are the plan, the medians,
the speedup turn by turn, and that of the best loop over the best of each way, which a busy machine disturbs least.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import autopar as ap

TURNS = 25
ITEMS = 60


def count_primes(limit: int) -> int:
    """Primes below a limit, by trial division: some milliseconds of Python."""
    found = 0
    for number in range(2, limit):
        divisor = 2
        while divisor * divisor <= number and number % divisor:
            divisor += 1
        found += divisor * divisor > number
    return found


def seconds(run: Callable[[], object]) -> float:
    """What a call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main(turns: int) -> None:
    """Measure and print."""
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)
    before = enabled()
    items = [4000 + number for number in range(ITEMS)]
    mapped = ap.parallel(count_primes, compiler="python")
    expected = [count_primes(item) for item in items]
    threads = ThreadPoolExecutor(2)
    ways: dict[str, Callable[[], object]] = {
        "loop": lambda: [count_primes(item) for item in items],
        "by hand": lambda: [*threads.map(count_primes, items)],
        "map": lambda: mapped.map(items),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, run in ways.items():
            taken[name].append(seconds(run))
    assert mapped.map(items) == expected
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; GIL before {before}, after {enabled()}")
    print(f"plan: {ap.decisions()[-1].plan}")
    for name, times in taken.items():
        ratios = [loop / each for loop, each in zip(taken["loop"], times, strict=True)]
        print(
            f"{name:8} median of {turns} turns {statistics.median(times):.3f} s, best {min(times):.3f} s; speedup: "
            f"median {statistics.median(ratios):.2f}, best over best {min(taken['loop']) / min(times):.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TURNS)
