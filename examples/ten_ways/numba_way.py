"""Numba: machine code from Python, without the GIL."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import compare
import work

from autopar import parallel


@cache
def compiled() -> Any:
    """The function, compiled by hand."""
    import numba

    return numba.njit(nogil=True)(work.collatz)


def by_hand(items: Sequence[int]) -> list[int]:
    """The compiled function on two threads."""
    with ThreadPoolExecutor(2) as executor:
        return list(executor.map(compiled(), items))


WAY = compare.Way(
    "Numba",
    'compiler="numba"',
    "benchmarks/numpy_kernels: where NumPy calls are fused",
    loop=lambda items: [work.collatz(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(work.collatz, compiler="numba").map,
    items=range(9_000, 9_040),
)

if __name__ == "__main__":
    compare.main(WAY)
