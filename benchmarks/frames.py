"""`ap.apply` and `ap.vectorize` beside pandas' and NumPy's own loops, and beside what is picked by hand.

Run ``python -m benchmarks.frames [--quick] [--only NAME ...]``. Each way runs in turn in one process, so that they
meet the same machine; the first call of autopar's is told apart, since it measures, plans and starts workers. Results
are compared with pandas' own. By hand the frame is cut into a piece for each core, as pandarallel does, and the pieces
go to a pool of `concurrent.futures` or to joblib, both warm.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import pickle
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import joblib
import numpy as np
import pandas as pd

import autopar as ap
from autopar.frames.packing import Packer, unpacked
from autopar.frames.rows import Rows

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def short(row: Any) -> Any:
    """One line of arithmetic, some microseconds."""
    return row["a"] * row["b"]


def distance(row: Any) -> Any:
    """A great circle, some ten microseconds."""
    north, east = math.radians(row["a"] % 90), math.radians(row["b"] % 180)
    angle = math.sin(north) ** 2 + math.cos(north) * math.cos(1.0) * math.sin(east) ** 2
    return 2 * 6371 * math.asin(min(1.0, math.sqrt(abs(angle))))


def long(row: Any) -> Any:
    """A loop, some hundred microseconds."""
    total, start = 0.0, row["a"]
    for step in range(2000):
        total += (start * step) % 7
    return total


def parts(row: Any) -> Any:
    """A new Series for each row."""
    return pd.Series({"sum": row["a"] + row["b"], "text": row["c"]})


def trend(group: Any) -> Any:
    """A straight line through a group."""
    return np.polyfit(group["b"], group["a"], 1)[0]


def words(text: Any) -> Any:
    """Letters of a text, counted."""
    return len({letter for letter in text * 20 if letter.isalpha()})


def clipped(a: Any, b: Any) -> Any:
    """A branch, which no expression over arrays has."""
    return math.log(a + 1.0) if a > b else math.exp(-a)


class Case:
    """One apply, with the ways to do it."""

    def __init__(self, own: Callable[[], Any], ours: Callable[[], Any], pieces: Sequence[Any], piece: Any) -> None:
        self.own, self.ours, self.pieces, self.piece = own, ours, pieces, piece


def rows_of(frame: pd.DataFrame, function: Any) -> Case:
    bounds = np.linspace(0, len(frame), CORES + 1).astype(int)
    pieces = [(frame.iloc[start:end], function) for start, end in itertools.pairwise(bounds)]
    return Case(
        lambda: frame.apply(function, axis=1), lambda: ap.apply(frame, function, axis=1), pieces, apply_to_piece
    )


def apply_to_piece(piece: Any) -> Any:
    frame, function = piece
    return frame.apply(function, axis=1)


def elements_of(series: Any, function: Any) -> Case:
    bounds = np.linspace(0, len(series), CORES + 1).astype(int)
    pieces = [(series.iloc[start:end], function) for start, end in itertools.pairwise(bounds)]
    return Case(lambda: series.apply(function), lambda: ap.apply(series, function), pieces, apply_to_series)


def apply_to_series(piece: Any) -> Any:
    series, function = piece
    return series.apply(function)


def groups_of(frame: pd.DataFrame, function: Any) -> Case:
    numbers = frame["a"] % 400
    pieces = [(frame[numbers % CORES == core], function) for core in range(CORES)]
    return Case(
        lambda: frame.groupby(numbers).apply(function),
        lambda: ap.apply(frame.groupby(numbers), function),
        pieces,
        apply_to_groups,
    )


def apply_to_groups(piece: Any) -> Any:
    frame, function = piece
    return frame.groupby(frame["a"] % 400).apply(function)


def vectors(values: Any, function: Any) -> Case:
    own, ours = np.vectorize(function), ap.vectorize(function)
    pieces = [(part, function) for part in np.array_split(values, CORES)]
    return Case(lambda: own(values, 3.0), lambda: ours(values, 3.0), pieces, vectorize_piece)


def vectorize_piece(piece: Any) -> Any:
    values, function = piece
    return np.vectorize(function)(values, 3.0)


def cases(quick: bool) -> dict[str, Callable[[], Case]]:
    """What is measured, by name."""
    size = 1 if quick else 5
    numbers = np.random.default_rng(0)

    def frame(rows: int) -> pd.DataFrame:
        texts = [f"text {place % 97}" for place in range(rows)]
        return pd.DataFrame({"a": np.arange(rows), "b": numbers.normal(size=rows), "c": texts})

    return {
        "100 short rows": lambda: rows_of(frame(100), short),
        "short rows": lambda: rows_of(frame(20_000 * size), short),
        "distances": lambda: rows_of(frame(10_000 * size), distance),
        "long rows": lambda: rows_of(frame(2_000 * size), long),
        "rows to series": lambda: rows_of(frame(2_000 * size), parts),
        "groups": lambda: groups_of(frame(20_000 * size), trend),
        "elements": lambda: elements_of(frame(40_000 * size)["c"], words),
        "vectorize": lambda: vectors(numbers.random(100_000 * size) * 6, clipped),
    }


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and bool(np.array_equal(one, other))
    return bool(one.equals(other)) and type(one) is type(other)


def by_hand(run: Callable[[Any, Sequence[Any]], list[Any]], case: Case, expected: Any) -> float:
    """Seconds for all pieces by some pool, put together."""
    together: Any = np.concatenate if isinstance(expected, np.ndarray) else pd.concat
    return seconds(lambda: together(run(case.piece, case.pieces)))[0]


def by_joblib(function: Any, pieces: Sequence[Any]) -> list[Any]:
    return list(joblib.Parallel(n_jobs=CORES)(joblib.delayed(function)(piece) for piece in pieces))


def measure(case: Case, pool: ProcessPoolExecutor, rounds: int) -> dict[str, Any]:
    """Seconds of each way, the median of some rounds, and whether the results were the same."""
    first, expected = seconds(case.ours)[0], case.own()
    times: dict[str, list[float]] = {"pandas": [], "autopar": [], "pool": [], "joblib": []}
    equal = True
    for _ in range(rounds):
        times["pandas"].append(seconds(case.own)[0])
        taken, result = seconds(case.ours)
        times["autopar"].append(taken)
        equal = equal and same(expected, result)
        times["pool"].append(by_hand(lambda function, pieces: list(pool.map(function, pieces)), case, expected))
        times["joblib"].append(by_hand(by_joblib, case, expected))
    medians = {way: statistics.median(found) for way, found in times.items()}
    return {**medians, "first": first, "equal": equal, "plan": ap.decisions()[-1].plan}


def small_costs() -> None:
    """What the module's constants rest on: beginning a block of rows, and a Series on its way back."""
    rows = Rows(pd.DataFrame({"a": range(9000), "b": 1.5, "c": "text"}), 1, raw=False)
    begins = statistics.median(seconds(lambda place=place: rows.at(place))[0] for place in range(0, 9000, 300))  # type: ignore[misc]
    rows.at(0)
    each = seconds(lambda: [rows.at(place) for place in range(1, 8000)])[0] / 7999
    print(
        f"beginning a block takes {begins * 1e6:.0f} us, a row {each * 1e6:.1f} us: as long as {begins / each:.0f} rows"
    )
    made = [pd.Series({"x": place, "y": "text"}) for place in range(2000)]
    whole = seconds(lambda: pickle.loads(pickle.dumps(made, 5)))[0]
    packer = Packer()
    packed = seconds(lambda: list(unpacked(iter(pickle.loads(pickle.dumps([packer.pack(one) for one in made], 5))))))[0]
    made_in = seconds(lambda: [pd.Series({"x": place, "y": "text"}) for place in range(2000)])[0]
    print(f"a Series there and back takes {whole / 2000 * 1e6:.0f} us, packed {packed / 2000 * 1e6:.0f} us; "
          f"to make it takes {made_in / 2000 * 1e6:.0f} us")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the sizes, one round")
    parser.add_argument("--only", nargs="*", help="names of cases")
    chosen = parser.parse_args()
    small_costs()
    print(f"\nseconds, and times as fast as the plain loop; {CORES} cores")
    print(f"{'case':16} {'loop':>8} {'autopar':>16} {'first':>16} {'pool':>16} {'joblib':>16}  same  plan")
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(abs, range(CORES)))
        for name, make in cases(chosen.quick).items():
            if chosen.only and name not in chosen.only:
                continue
            found = measure(make(), pool, 1 if chosen.quick else 5)
            loop = found["pandas"]
            ways = [f"{found[way]:8.3f} ({loop / found[way]:4.2f}x)" for way in ("autopar", "first", "pool", "joblib")]
            print(f"{name:16} {loop:8.3f} {' '.join(ways)}  {'yes' if found['equal'] else 'NO '}   {found['plan']}")


if __name__ == "__main__":
    main()
