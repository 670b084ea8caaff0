"""Prints the table: ``python -m benchmarks.backends``. Compare within a row; one run, second map of each."""

from __future__ import annotations

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


TEXTS = [" ".join(str(i * (n + 7) % 9_973) for i in range(60_000)) for n in range(60)]

CASES: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
    "computing": (computing, TEXTS),
    "compressing": (compressing, [text.encode() for text in TEXTS[:20]]),
    "waiting": (waiting, [0.02] * 200),
    "inherited": (inherited, range(40)),
    "shared 100 MB": (shared, range(200)),
    "tiny": (abs, range(1_000)),
}


def seconds(function: Callable[[Any], Any], items: Sequence[Any], **hints: Any) -> tuple[float, str]:
    """Seconds of the second map, and what was used; or why it cannot be."""
    mapped = parallel(function, pure=True, compiler="python", **hints)
    try:
        mapped.map(items)
        started = time.perf_counter()
        mapped.map(items)
    except (AutoparError, TypeError) as error:
        return float("inf"), type(error).__name__
    return time.perf_counter() - started, str(mapped.decisions[-1].plan)


def main() -> None:
    """Measure all cases."""
    # A process that has run threads of other libraries cannot be forked, so what forks comes first in each case.
    names = [name for name, spec in BACKENDS.items() if spec.module is not None and name not in ("asyncio", "dask")]
    names.sort(key=lambda name: name != "multiprocessing")
    print("case".ljust(16), *(name.rjust(16) for name in names), "  autopar picks")
    for case, (function, items) in CASES.items():
        found = [seconds(function, items, backend=name) for name in names]
        cells = [f"{took:.3f} s" if took < float("inf") else why[:16] for took, why in found]
        own, picked = seconds(function, items)
        print(case.ljust(16), *(cell.rjust(16) for cell in cells), f"  {picked}: {own:.3f} s")


if __name__ == "__main__":
    main()
