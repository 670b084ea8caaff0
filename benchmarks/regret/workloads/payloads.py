"""Large arguments, large results, large globals: what sending them costs decides."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from benchmarks.regret.workload import Workload, over

BLOCKS = 20
SCORES = {f"key {n}": n * 7 % 1_001 for n in range(200_000)}


def sample_bytes(block: bytes) -> int:
    """Look at every 64th byte of a large argument, in plain Python."""
    total = 0
    for position in range(0, len(block), 64):
        total = (total * 31 + block[position]) % 1_000_003
    return total


def roots(array: Any) -> float:
    """Compute a little on a large array; NumPy releases the GIL."""
    return float(np.sqrt(np.abs(array)).sum())


def expand(seed: int) -> list[int]:
    """Make a large result, in plain Python."""
    number, numbers = seed, []
    for _ in range(20_000):
        number = (number * 1_103_515_245 + 12_345) % 2_147_483_648
        numbers.append(number)
    return numbers


def fill(seed: int) -> Any:
    """Make a large array, quickly."""
    return np.full(500_000, seed, dtype=np.float64)


def look_up(seed: int) -> int:
    """Look 5,000 keys up in a large global dict."""
    total, number = 0, seed
    for _ in range(5_000):
        number = (number * 1_103_515_245 + 12_345) % 2_147_483_648
        total += SCORES[f"key {number % 200_000}"]
    return total


def large_blocks(count: int) -> list[bytes]:
    """Make blocks of 2 MB."""
    generator = random.Random(7)
    made = [generator.randbytes(2_000_000) for _ in range(BLOCKS)]
    return [made[number % BLOCKS] for number in range(count)]


def large_arrays(count: int) -> list[Any]:
    """Make arrays of 4 MB."""
    generator = np.random.default_rng(8)
    made = [generator.standard_normal(500_000) for _ in range(BLOCKS)]
    return [made[number % BLOCKS] for number in range(count)]


WORKLOADS = (
    Workload("large-bytes", "2 MB there, 3 ms of Python", over(sample_bytes, large_blocks), 150, 40),
    Workload("large-arrays", "4 MB there, 1 ms of NumPy", over(roots, large_arrays), 400, 100),
    Workload("large-results", "a list of 20,000 numbers back, 4 ms of Python", over(expand, range), 150, 40),
    Workload("array-results", "an array of 4 MB back, 1 ms of NumPy", over(fill, range), 200, 50),
    Workload("large-global", "5,000 look-ups in a global dict of 200,000, 5 ms", over(look_up, range), 150, 30),
)
