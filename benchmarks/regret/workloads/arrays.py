"""NumPy: on one thread without the GIL, on threads of its own, and at the speed of memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.regret.workload import Workload, over

LARGE = np.arange(4_000_000, dtype=np.float64)


def sort_array(seed: int) -> float:
    """Sort random numbers; the GIL is released."""
    values = np.random.default_rng(seed).standard_normal(60_000)
    values.sort()
    return float(values[30_000])


def multiply(matrix: Any) -> float:
    """Multiply a matrix by itself; BLAS runs threads of its own."""
    return float((matrix @ matrix)[0, 0])


def stream_through(offset: int) -> float:
    """Add to 32 MB and look for the largest: memory is the bottleneck."""
    return float((LARGE + offset).max())


def small_arrays(seed: int) -> float:
    """Many calls on arrays so small that Python's share dominates."""
    values = np.arange(50, dtype=np.float64) + seed
    for _ in range(300):
        values = values * 0.5 + 1.0
    return float(values.sum())


def matrices(count: int) -> list[Any]:
    """Make matrices of 300 by 300."""
    generator = np.random.default_rng(6)
    return [generator.standard_normal((300, 300)) for _ in range(count)]


WORKLOADS = (
    Workload("numpy-sort", "sort 60,000 numbers, 5 ms", over(sort_array, range), 150, 40),
    Workload("numpy-blas", "multiply matrices of 300 by 300 on all cores", over(multiply, matrices), 100, 20),
    Workload("numpy-small", "600 calls on arrays of 50 numbers, 0.5 ms", over(small_arrays, range), 1_000, 200),
    Workload("memory-bound", "stream through 32 MB, 5 ms", over(stream_through, range), 120, 30),
)
