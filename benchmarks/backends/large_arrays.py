"""Large NumPy arguments on worker processes, by autopar's ways, by joblib and by the standard library.

``python -m benchmarks.backends.large_arrays`` prints seconds for each case and way: the first map of an interpreter
whose workers are there, and the mean of the following ones. Ways take turns; compare within a row.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from autopar import parallel

MB = 1 << 17  # float64 numbers
ROUNDS = 4


def part(array: Any, start: int) -> float:
    """Read two megabytes of an array, however large it is."""
    piece = np.asarray(array[start : start + 2 * MB])
    return float(np.sqrt(piece).sum())


def whole(array: Any, start: int) -> float:
    """Read all of it."""
    return float(np.asarray(array).sum()) + start


Items = list[tuple[Any, int]]
Case = tuple[Callable[[Any, int], float], Items]


def starts(array: Any, count: int) -> Items:
    """So many parts of one array."""
    return [(array, place * MB % (len(array) - 2 * MB)) for place in range(count)]


@contextmanager
def cases(size: int) -> Iterator[dict[str, Case]]:
    """Name -> function and items; ``size`` is that of the largest array in MB."""
    array = np.random.default_rng(0).random(size * MB)
    several = [np.random.default_rng(n).random(size * MB // 10) for n in range(12)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "array.npy"
        np.save(path, array)
        yield {
            f"one array of {size} MB in 40 items": (part, starts(array, 40)),
            f"one array of {size} MB in 4 items": (whole, starts(array, 4)),
            f"12 arrays of {size // 10} MB in turn": (part, [(several[n % 12], 0) for n in range(48)]),
            f"{size} MB that a file holds (np.load, mmap_mode='r')": (part, starts(np.load(path, mmap_mode="r"), 40)),
        }


def by_autopar(backend: str) -> Callable[[Case], list[float]]:
    """A map on one backend."""
    known: dict[Any, Any] = {}

    def run(case: Case) -> list[float]:
        function, items = case
        mapped = known.setdefault(
            function, parallel(function, pure=True, compiler="python", backend=backend, workers=2)
        )
        results: list[float] = mapped.starmap(items)
        return results

    return run


def by_joblib(case: Case) -> list[float]:
    """What one writes with joblib."""
    from joblib import Parallel, delayed

    function, items = case
    return list(Parallel(n_jobs=2)(delayed(function)(*item) for item in items))


def by_the_standard_library() -> Callable[[Case], list[float]]:
    """Its executor pickles every argument."""
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(2)

    def run(case: Case) -> list[float]:
        function, items = case
        return list(pool.map(function, *zip(*items, strict=True)))

    return run


def measured(case: Case, ways: dict[str, Callable[[Case], list[float]]]) -> dict[str, tuple[float, float]]:
    """Way -> seconds of its first map, and mean of the others."""
    function, items = case
    expected = [function(*item) for item in items]
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            results = way(case)
            took[name].append(time.perf_counter() - began)
            assert results == expected, name
    return {name: (times[0], statistics.median(times[1:])) for name, times in took.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100, help="MB of the largest array")
    parser.add_argument(
        "--without-standard", action="store_true", help="leave out concurrent.futures, which takes long"
    )
    chosen = parser.parse_args(arguments)
    ways: dict[str, Callable[[Case], list[float]]] = {
        "processes": by_autopar("processes"),
        "backend=joblib": by_autopar("joblib"),
        "joblib by hand": by_joblib,
    }
    if not chosen.without_standard:
        ways["concurrent.futures"] = by_the_standard_library()
    for way in ways.values():
        way((whole, [(np.ones(3), 0)] * 4))
    print("seconds, first / later".ljust(58), *(name.rjust(20) for name in ways))
    with cases(chosen.size) as found:
        for name, case in found.items():
            times = measured(case, ways)
            print(name.ljust(58), *(f"{first:.3f} / {later:.3f}".rjust(20) for first, later in times.values()))


if __name__ == "__main__":
    main()
