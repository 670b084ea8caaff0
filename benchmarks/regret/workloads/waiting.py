"""Items that wait for time, alone or between computing."""

from __future__ import annotations

import random
import time

from benchmarks.regret.workload import Workload, over


def sleep(number: int) -> int:
    """Wait for 20 ms."""
    time.sleep(0.020)
    return number


def nap(number: int) -> int:
    """Wait for 1 ms."""
    time.sleep(0.001)
    return number


def uneven_sleep(seconds: float) -> float:
    """Wait as long as the item says."""
    time.sleep(seconds)
    return seconds


def wait_and_compute(number: int) -> int:
    """Wait for 6 ms and compute for about 2."""
    time.sleep(0.006)
    total = 0
    for n in range(30_000):
        total += n * n % 7
    return total + number


def waits(count: int) -> list[float]:
    """Make exponential waits of 10 ms in the mean."""
    generator = random.Random(2)
    return [generator.expovariate(100) for _ in range(count)]


WORKLOADS = (
    Workload("sleep", "a wait of 20 ms", over(sleep, range), 64, 16),
    Workload("nap", "a wait of 1 ms", over(nap, range), 1_000, 200),
    Workload("uneven-sleep", "waits of 10 ms in the mean", over(uneven_sleep, waits), 150, 25),
    Workload("mixed", "a wait of 6 ms and 2 ms of Python", over(wait_and_compute, range), 120, 30),
)
