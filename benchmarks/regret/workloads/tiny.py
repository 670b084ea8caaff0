"""Items that are hardly worth a thought, many of them."""

from __future__ import annotations

from benchmarks.regret.workload import Workload, over


def increment(number: int) -> int:
    """Do next to nothing."""
    return number + 1


def label(number: int) -> str:
    """Make a short string."""
    return f"{number:06d}" if number % 3 else "fizz"


WORKLOADS = (
    Workload("tiny", "an addition, thousands of times", over(increment, range), 50_000, 20_000),
    Workload("tiny-million", "an addition, a million times", over(increment, range), 1_000_000, 100_000),
    Workload("small-strings", "a short formatted string", over(label, range), 1_000_000, 30_000),
)
