"""Items of unlike durations, in plain Python: the order of long and short decides about the tail."""

from __future__ import annotations

import random

from benchmarks.regret.workload import Workload, over

MILLISECOND = 14_000
"""Rounds of :func:`compute` that take about a millisecond; no result depends on how well that fits a machine."""


def compute(rounds: int) -> int:
    """Compute in plain Python for as many rounds."""
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total


def skewed(count: int) -> list[int]:
    """Make durations of a heavy tail: most below 2 ms, a few of 100."""
    generator = random.Random(9)
    return [int(min(100.0, generator.paretovariate(1.2)) * MILLISECOND) for _ in range(count)]


def bimodal(count: int) -> list[int]:
    """Make nine items of 0.2 ms to each one of 20."""
    generator = random.Random(10)
    return [20 * MILLISECOND if generator.random() < 0.1 else MILLISECOND // 5 for _ in range(count)]


def slow_first(count: int) -> list[int]:
    """Make one item of 200 ms, then short ones."""
    return [200 * MILLISECOND] + [2 * MILLISECOND] * (count - 1)


def slow_last(count: int) -> list[int]:
    """Make short items, then one of 200 ms."""
    return slow_first(count)[::-1]


def heavy(count: int) -> list[int]:
    """Make items of 150 ms."""
    return [150 * MILLISECOND] * count


WORKLOADS = (
    Workload("skewed", "a heavy tail, 1 to 100 ms", over(compute, skewed), 200, 60),
    Workload("bimodal", "0.2 or 20 ms", over(compute, bimodal), 300, 80),
    Workload("slow-first", "one of 200 ms, then 2 ms", over(compute, slow_first), 300, 30),
    Workload("slow-last", "2 ms, one of 200 ms at the end", over(compute, slow_last), 300, 30),
    Workload("heavy-four", "4 items of 150 ms", over(compute, heavy), 4, 4),
)
