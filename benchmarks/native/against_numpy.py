"""Operations on whole arrays: compiled to one loop each, against NumPy's, which makes an array for every step.

Run ``python -m benchmarks.native.against_numpy`` from a checkout. Results are compared with NumPy's first, to the bit.
Both are timed in turns in one process, by the thread's CPU time; the least time of each counts.
"""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.against_numba import native, same, seconds

Array = Any
ROUNDS = 15


def heat(u: Array) -> None:
    """Fifty steps of the heat equation on a rod, in place."""
    v = u.copy()
    for _ in range(50):
        v[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        u[:] = v


def plate(u: Array, v: Array) -> None:
    """Ten Jacobi steps on a plate, in place."""
    for _ in range(10):
        v[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
        u[1:-1, 1:-1] = v[1:-1, 1:-1]


def polynomial(a: Array, b: Array) -> Array:
    """An expression of two arrays."""
    return a * a + 2 * a * b - b * 0.5


def thresholded(a: Array) -> Array:
    """A choice, element by element."""
    return np.where((a > 0.25) & (a < 0.75), a * a, 0.0)


def root_mean_square(a: Array) -> float:
    """A sum, in NumPy's own order."""
    return float(np.sqrt((a * a).mean()))


def wrapped(a: Array) -> Array:
    """Integers that wrap around."""
    return (a * 1664525 + 1013904223) % 65537


def _random(*shape: int) -> Array:
    return np.random.default_rng(7).random(shape)


CASES: tuple[tuple[Callable[..., Any], Callable[[], tuple[Any, ...]]], ...] = (
    (heat, lambda: (_random(100_000),)),
    (plate, lambda: (_random(400, 400), _random(400, 400))),
    (polynomial, lambda: (_random(100_000), _random(100_000))),
    (thresholded, lambda: (_random(100_000),)),
    (root_mean_square, lambda: (_random(100_000),)),
    (wrapped, lambda: (np.arange(100_000),)),
)


def main() -> None:
    """Measure and print."""
    print(f"CPython {platform.python_version()}, NumPy {np.__version__}\n")
    print(f"{'a call':<24}{'native':>12}{'numpy':>12}{'numpy/native':>14}")
    ratios = []
    for function, make in CASES:
        compiled = native(function, make())
        ours, theirs = make(), make()
        found, expected = compiled(*ours), function(*theirs)
        if not same(found, expected) or not all(map(same, ours, theirs)):
            raise SystemExit(f"{function.__name__}: the result is not NumPy's")
        times: dict[str, list[float]] = {"native": [], "numpy": []}
        for _ in range(ROUNDS):
            times["native"].append(seconds(compiled, make()))
            times["numpy"].append(seconds(function, make()))
        one, other = min(times["native"]), min(times["numpy"])
        ratios.append(other / one)
        print(f"  {function.__name__:<22}{one * 1e3:>9.3f} ms{other * 1e3:>9.3f} ms{other / one:>14.2f}")
    print(f"\ngeometric mean {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()
