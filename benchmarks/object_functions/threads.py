"""One kernel as typed Cython and as native C, on one thread and on two, in one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from autopar._compilers import cython, native
from autopar._model.compiler import Refusal

CALLS, ROUNDS = 40, 5


def collatz(n: int) -> int:
    """Steps to one, summed."""
    total = 0
    for i in range(1, n):
        k = i
        while k > 1:
            k = k // 2 if k % 2 == 0 else 3 * k + 1
            total += 1
    return total


def _seconds(call: Callable[..., Any], threads: int) -> float:
    def run() -> None:
        for _ in range(CALLS):
            call(3000)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started


def main() -> None:
    """Print the time of both, and how much more two threads do than one."""
    for name, compiler in (("cython", cython), ("native", native)):
        types = compiler.signature(collatz, (3000,), {})
        form = types if isinstance(types, Refusal) else compiler.compile_for(collatz, types)
        if isinstance(form, Refusal):
            raise SystemExit(f"{name}: {form}")
        if form.call(3000) != collatz(3000):
            raise SystemExit(f"{name}: another answer")
        pairs = [(_seconds(form.call, 1), _seconds(form.call, 2)) for _ in range(ROUNDS)]
        one, two = (min(column) for column in zip(*pairs, strict=True))
        print(f"{name}: one thread {one * 1e3:.1f} ms; two threads do {2 * one / two:.2f} times as much")


if __name__ == "__main__":
    main()
