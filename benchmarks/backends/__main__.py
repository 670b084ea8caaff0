"""Prints the table: ``python -m benchmarks.backends``. Compare within a row; one run, second map of each.

``python -m benchmarks.backends inherited computing`` measures these cases only.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autopar import parallel
from autopar._model.plan import BACKENDS
from autopar.errors import AutoparError

SHARED = np.random.default_rng(0).random(100 << 17)


class Inherited:
    """A large table that refuses to be pickled."""

    def __init__(self) -> None:
        self.table = {number: number * 7 % 1_000 for number in range(1_000_000)}

    def __reduce__(self) -> str:
        raise TypeError("it stays here")


held = Inherited()


def inherited(start: int) -> int:
    table = held.table
    return sum(table[(start * 7_919 + step) % 1_000_000] for step in range(200_000))


def computing(text: str) -> int:
    seen: dict[str, int] = {}
    for word in text.split():
        seen[word] = seen.get(word, 0) + len(word)
    return len(seen)


def compressing(data: bytes) -> int:
    return len(zlib.compress(data, 9))


def waiting(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def shared(part: int) -> float:
    return float(np.sqrt(SHARED[part * 50_000 : (part + 1) * 50_000]).sum())


def integers(seed: int) -> int:
    state = seed
    for _ in range(100_000):
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state


def matrices(matrix: Any) -> Any:
    return matrix @ matrix


async def coroutines(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


TEXTS = [" ".join(str(i * (n + 7) % 9_973) for i in range(60_000)) for n in range(60)]

CASES: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
    "computing": (computing, TEXTS),
    "compressing": (compressing, [text.encode() for text in TEXTS[:20]]),
    "waiting": (waiting, [0.02] * 200),
    "inherited": (inherited, range(40)),
    "shared 100 MB": (shared, range(200)),
    "matrices": (matrices, [np.random.default_rng(n).random((200, 200)) for n in range(60)]),
    "integers": (integers, range(60)),
    "coroutines": (coroutines, [0.02] * 200),
    "tiny": (abs, range(1_000)),
}
COMPILED = {"integers"}
"""Cases in which autopar may compile the function by itself, as it may everywhere; the backends run it in Python."""


def seconds(function: Callable[[Any], Any], items: Sequence[Any], **hints: Any) -> tuple[float, str]:
    """Seconds of the second map, and what was used; or why it cannot be."""
    mapped = parallel(function, pure=True, **hints)
    try:
        mapped.map(items)
        started = time.perf_counter()
        mapped.map(items)
    except (AutoparError, TypeError) as error:
        return float("inf"), type(error).__name__
    return time.perf_counter() - started, str(mapped.decisions[-1].plan)


def backends() -> list[str]:
    """Those that run here; what forks comes first, since nothing can be forked beside the threads of the others."""
    names = [name for name, spec in BACKENDS.items() if spec.module is not None and name != "dask"]
    return sorted(names, key=lambda name: name != "multiprocessing")


def measure(case: str) -> None:
    """Measure one case and print its row."""
    function, items = CASES[case]
    found = [seconds(function, items, backend=name, compiler="python") for name in backends()]
    cells = [f"{took:.3f} s" if took < float("inf") else why[:16] for took, why in found]
    own, picked = seconds(function, items, **({} if case in COMPILED else {"compiler": "python"}))
    print(case.ljust(16), *(cell.rjust(16) for cell in cells), f"  {picked}: {own:.3f} s")


def main() -> None:
    """Measure the named cases, or all, each in an interpreter of its own."""
    if len(sys.argv) == 3 and sys.argv[1] == "--here":
        measure(sys.argv[2])
        return
    print("case".ljust(16), *(name.rjust(16) for name in backends()), "  autopar picks", flush=True)
    for case in sys.argv[1:] or CASES:
        subprocess.run([sys.executable, "-m", "benchmarks.backends", "--here", case], check=True)


if __name__ == "__main__":
    main()
