"""The native route against Numba's njit: steady state, time to the first result, and scaling on threads.

Run ``python -m benchmarks.native.against_numba [--quick] [--only NAME] [--json FILE]`` from a checkout.

Every function is plain Python (`kernels.py`). Its results are compared with CPython's first. Timings of two compilers
are taken in turns in one process, so that a busy machine slows both; a time to the first result is that of a fresh
process with its own empty cache folders.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from benchmarks.native.kernels import KERNELS

Function = Callable[..., Any]

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
COLD = ("collatz", "mandelbrot", "matmul", "n_body", "levenshtein")
"""Functions whose first result is timed: short and long ones, with and without arrays."""

SCALED = ("collatz_steps", "escape", "integral", "roughness", "smoothed")
"""Functions that are mapped on threads: of a number, and of an array."""

STEADY_SECONDS = 3.0
"""At least so long are two compilers timed in turns: what else runs on a shared core comes in spells of a second."""

GOALS: dict[str, tuple[str, str, float | None]] = {
    "steady": ("geometric mean of Numba's time over native's", ">=", 1.0),
    "median": ("their median, which no single function moves far", "", None),
    "worst": ("the least of them", ">=", 0.8),
    "cold": ("time to the first result, cold: native's over Numba's, the largest", "<=", 0.2),
    "warm": ("time to the first result from a warm cache, the largest, in ms", "<=", 30.0),
    "scaling": ("map on two threads: speedup over one, the least", ">=", 1.8),
    "share": ("the least of it as a share of that of the bare C code", ">=", 0.9),
}


class RefusedError(Exception):
    """The native route does not take a function."""


# -- the compilers ----------------------------------------------------------------------------------------------------


def native(function: Function, arguments: tuple[Any, ...]) -> Function:
    """Compile for the types of these arguments, or say why not."""
    from autopar._compilers.native import Refusal, compile_function

    compiled = compile_function(function, arguments, {})
    if isinstance(compiled, Refusal):
        raise RefusedError(str(compiled))
    return compiled


def numba_jit(function: Function, *, cache: bool = False) -> Function:
    """Decorate with ``njit``, and the functions that it calls too."""
    import numba

    assert isinstance(function, FunctionType)
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        called = names.get(name)
        if isinstance(called, FunctionType):
            names[name] = numba.njit(called, cache=cache)
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    jitted: Function = numba.njit(copy, cache=cache)
    return jitted


# -- the measurements, each in a process of its own -------------------------------------------------------------------


def same(left: Any, right: Any) -> bool:
    """Whether results are equal to the bit; a NumPy scalar may stand for a Python one, as it does under Numba."""
    return np.asarray(left).tobytes() == np.asarray(right).tobytes() and np.shape(left) == np.shape(right)


def check(name: str, function: Function, compiled: Function, make: Callable[[], tuple[Any, ...]]) -> None:
    """Compare the result and the arguments afterwards with CPython's."""
    theirs, ours = make(), make()
    expected, found = function(*theirs), compiled(*ours)
    if not same(expected, found) or not all(map(same, theirs, ours)):
        raise SystemExit(f"{function.__name__}: the result of {name} is not CPython's")


def seconds(call: Function, arguments: tuple[Any, ...]) -> float:
    """CPU time of one call: what else the machine does leaves it nearly as it is."""
    started = time.thread_time()
    call(*arguments)
    return time.thread_time() - started


def steady(name: str, quick: bool) -> dict[str, Any]:
    """Time calls of compiled functions in turns; the least time of each counts."""
    kernel = BY_NAME[name]
    compilers = {"native": native(kernel.function, kernel.large()), "numba": numba_jit(kernel.function)}
    check("native", kernel.function, compilers["native"], kernel.small)
    numba_exact = True
    try:
        check("numba", kernel.function, compilers["numba"], kernel.small)
    except SystemExit:
        numba_exact = False
    # Neither is asked to compare, specialise or warm up while it is timed.
    for _ in range(2):
        for compiled in compilers.values():
            compiled(*kernel.large())
    times: dict[str, list[float]] = {which: [] for which in compilers}
    until = time.perf_counter() + (0 if quick else STEADY_SECONDS)
    while len(times["numba"]) < (3 if quick else 15) or time.perf_counter() < until:
        for which, compiled in compilers.items():
            times[which].append(seconds(compiled, kernel.large()))
    python, small = (
        min(seconds(call, kernel.small()) for _ in range(5)) for call in (kernel.function, compilers["native"])
    )
    best = {which: min(each) for which, each in times.items()}
    return {
        "native ms": best["native"] * 1e3,
        "numba ms": best["numba"] * 1e3,
        "ratio": best["numba"] / best["native"],
        "numba exact": numba_exact,
        "speedup over CPython": python / small,
    }


def first_result(name: str, compiler: str) -> dict[str, Any]:
    """Time from before the compiler's import to the first result; NumPy and the function are there already."""
    kernel = BY_NAME[name]
    arguments = kernel.small()
    started = time.perf_counter()
    compiled = native(kernel.function, arguments) if compiler == "native" else numba_jit(kernel.function, cache=True)
    result = compiled(*arguments)
    taken = time.perf_counter() - started
    if not same(result, kernel.function(*kernel.small())):
        raise SystemExit(f"{name}: the first result of {compiler} is not CPython's")
    return {"ms": taken * 1e3}


def collatz_steps(n: int) -> int:
    """Length of a Collatz chain."""
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def escape(x: float) -> int:
    """Escape times along a line of the Mandelbrot set."""
    total = 0
    for row in range(100):
        a = b = 0.0
        y = row / 100.0
        count = 0
        while a * a + b * b <= 4.0 and count < 100:
            a, b = a * a - b * b + x, 2.0 * a * b + y
            count += 1
        total += count
    return total


def integral(x: float) -> float:
    """A small integral."""
    total = 0.0
    for i in range(500):
        total += math.exp(-x * i) * math.sin(x + i)
    return total


def roughness(a: Any) -> float:
    """How much neighbours differ, in a plain loop."""
    total = 0.0
    for i in range(1, len(a)):
        total += abs(a[i] - a[i - 1])
    return float(total)


def smoothed(a: Any) -> Any:
    """A new array, by operations on whole arrays."""
    b = a * 1.0
    for _ in range(10):
        b[1:-1] = 0.25 * b[:-2] + 0.5 * b[1:-1] + 0.25 * b[2:]
    return b


def scaling(name: str, quick: bool) -> dict[str, Any]:
    """Map a compiled function over many numbers on one thread and on two, in turns."""
    import autopar

    function: Function = {one.__name__: one for one in (collatz_steps, escape, integral, roughness, smoothed)}[name]
    counts = {"collatz_steps": 200_000, "escape": 20_000, "integral": 10_000, "roughness": 20_000, "smoothed": 10_000}
    count = counts[name] // (2 if quick else 1)
    items: Any = range(10**9, 10**9 + count) if name == "collatz_steps" else [i / count for i in range(count)]
    if name in ("roughness", "smoothed"):
        # Fewer arrays than the cache holds, again and again: not the memory is what is measured.
        items = list(np.random.default_rng(7).random((200, 2000))) * (count // 200)
    expected = [function(item) for item in items[:100]]

    def mapped(workers: int) -> float:
        started = time.perf_counter()
        found = autopar.map(function, items, backend="threads", workers=workers, compiler="native")
        taken = time.perf_counter() - started
        if not all(map(same, found[:100], expected)):
            raise SystemExit(f"{name}: the map is not CPython's")
        return taken

    for workers in (1, 2):
        mapped(workers)
    times: dict[int, list[float]] = {1: [], 2: []}
    bare, machine = Bare(function, items), {1: list[float](), 2: list[float]()}
    for _ in range(5 if quick else 15):
        for workers, taken in times.items():
            taken.append(mapped(workers))
            machine[workers].append(bare.seconds(workers))
    one, two = min(times[1]), min(times[2])
    return {
        "one thread ms": one * 1e3,
        "two threads ms": two * 1e3,
        "speedup": one / two,
        "bare C ms": min(machine[2]) * 1e3,
        "machine": min(machine[1]) / min(machine[2]),
    }


class Bare:
    """The C code of a map called with nothing around it: what the machine has to give for this very work.

    The items are packed beforehand, and the threads are there; a thread makes one call, in which it needs no GIL.
    """

    def __init__(self, function: Function, items: Any) -> None:
        self._compiled: Any = native(function, (items[0],))
        self._parts = {1: [items], 2: [items[::2], items[1::2]]}  # by turns: they may get longer towards the end
        self._pools = {workers: ThreadPoolExecutor(workers) for workers in self._parts}

    def seconds(self, workers: int) -> float:
        """Of the items on so many threads."""
        from autopar._compilers.native.blocks import _Block

        blocks: list[Any] = [_Block.of(self._compiled, part, False, {}) for part in self._parts[workers]]
        pool = self._pools[workers]
        list(pool.map(time.sleep, [0.001] * workers))  # so that none starts while it is timed
        started = time.perf_counter()
        list(pool.map(lambda block: block._part(0, len(block.items)), blocks))
        taken = time.perf_counter() - started
        for block in blocks:
            block.read(0, len(block.items))  # lets go of the memory of results
        return taken


# -- running them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Runner:
    """Starts measurements in fresh interpreters."""

    scratch: str
    quick: bool

    def run(self, *words: str, caches: str) -> dict[str, Any]:
        """Run one, with cache folders of this name."""
        folder = Path(self.scratch, caches)
        environment = {
            **os.environ,
            "AUTOPAR_STORE": str(folder / "autopar" / "store.sqlite"),
            "NUMBA_CACHE_DIR": str(folder / "numba"),
            "PYTHONPYCACHEPREFIX": str(Path(self.scratch, "compiled")),  # modules are compiled, as once installed
            "PYTHONDONTWRITEBYTECODE": "",
        }
        command = [sys.executable, "-m", "benchmarks.native.against_numba", "--here", *words]
        if self.quick:
            command.append("--quick")
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def measure_steady(runner: Runner, names: list[str]) -> list[dict[str, Any]]:
    """The ratio of each function."""
    rows = []
    print(f"{'steady state, a call':<24}{'native':>12}{'numba':>12}{'numba/native':>14}{'x CPython':>11}")
    for name in names:
        row = {"name": name, **runner.run("steady", name, caches="steady")}
        rows.append(row)
        if "refused" in row:
            print(f"  {name:<22}refused: {row['refused']}")
            continue
        inexact = "" if row["numba exact"] else "  numba differs from CPython"
        print(
            f"  {name:<22}{row['native ms']:>9.2f} ms{row['numba ms']:>9.2f} ms{row['ratio']:>14.2f}"
            f"{row['speedup over CPython']:>11.0f}{inexact}"
        )
    return rows


def measure_first(runner: Runner, names: list[str]) -> list[dict[str, Any]]:
    """Times to the first result: cold, then from the cache that the cold run has left."""
    rows = []
    heads = ("native", "numba", "native/numba", "native warm", "numba warm")
    print(f"\n{'time to the first result':<24}" + "".join(f"{head:>14}" for head in heads))
    runner.run("first", "collatz", "native", caches="compile the modules")
    runner.run("first", "collatz", "numba", caches="compile the modules")
    for name in names:
        found: dict[str, list[float]] = {}
        for turn in range(1 if runner.quick else 5):
            for compiler in ("native", "numba"):
                for state in ("cold", "warm"):
                    ms = runner.run("first", name, compiler, caches=f"{name}-{turn}")["ms"]
                    found.setdefault(f"{compiler} {state} ms", []).append(ms)
        row: dict[str, Any] = {"name": name} | {key: statistics.median(all_) for key, all_ in found.items()}
        row["ratio"] = row["native cold ms"] / row["numba cold ms"]
        rows.append(row)
        print(
            f"  {name:<22}{row['native cold ms']:>11.0f} ms{row['numba cold ms']:>11.0f} ms{row['ratio']:>14.3f}"
            f"{row['native warm ms']:>11.1f} ms{row['numba warm ms']:>11.0f} ms"
        )
    return rows


def measure_scaling(runner: Runner) -> list[dict[str, Any]]:
    """Maps on one thread and two."""
    rows = []
    print(f"\n{'map on threads':<24}{'one':>12}{'two':>12}{'speedup':>14}{'bare C':>14}")
    for name in SCALED:
        row = {"name": name, **runner.run("scaling", name, caches="scaling")}
        rows.append(row)
        times = "".join(f"{row[f'{which} ms']:>9.1f} ms" for which in ("one thread", "two threads"))
        print(f"  {name:<22}{times}{row['speedup']:>14.2f}{row['machine']:>14.2f}")
    return rows


def summary(found: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """The figures that have goals."""
    figures: dict[str, float] = {}
    if rows := found.get("steady"):
        ratios = [row.get("ratio", 1e-3) for row in rows]  # a function that is refused is as slow as Python
        figures |= {"steady": statistics.geometric_mean(ratios), "median": statistics.median(ratios)}
        figures["worst"] = min(ratios)
    if rows := found.get("first"):
        figures |= {"cold": max(row["ratio"] for row in rows), "warm": max(row["native warm ms"] for row in rows)}
    if rows := found.get("scaling"):
        figures["scaling"] = min(row["speedup"] for row in rows)
        figures["share"] = min(row["speedup"] / row["machine"] for row in rows)
    return figures


def print_summary(figures: dict[str, float]) -> None:
    """Each figure with its goal."""
    print()
    for key, value in figures.items():
        what, relation, goal = GOALS[key]
        verdict = ""
        if goal is not None:
            met = value >= goal if relation == ">=" else value <= goal
            verdict = f"  {relation} {goal:g}  {'OK' if met else 'MISSED'}"
        print(f"{what:<72}{value:>8.2f}{verdict}")


def here(words: list[str], quick: bool) -> dict[str, Any]:
    """One measurement, in this process."""
    if words[0] == "steady":
        try:
            return steady(words[1], quick)
        except RefusedError as refused:
            return {"refused": str(refused)}
    if words[0] == "first":
        return first_result(words[1], words[2])
    return scaling(words[1], quick)


def main() -> None:
    """Measure, print the tables, and write them as JSON if asked to."""
    parser = argparse.ArgumentParser(description="Measure the native route against Numba.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer functions for the first result")
    parser.add_argument(
        "--only", choices=("steady", "first", "scaling", *BY_NAME), help="one measurement, or one function"
    )
    parser.add_argument("--json", metavar="FILE", help="also write all figures to this file")
    parser.add_argument("--here", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(here(options.here, options.quick)))
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores\n")
    one = [options.only] if options.only in BY_NAME else None
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(scratch, options.quick)
        if options.only in (None, "steady") or one:
            found["steady"] = measure_steady(runner, one or list(BY_NAME))
        if options.only in (None, "first") or one:
            found["first"] = measure_first(runner, one or list(COLD[:2] if options.quick else COLD))
        if options.only in (None, "scaling"):
            found["scaling"] = measure_scaling(runner)
    figures = summary(found)
    print_summary(figures)
    if options.json:
        Path(options.json).write_text(json.dumps({**found, "summary": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
