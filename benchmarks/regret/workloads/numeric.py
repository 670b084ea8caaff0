"""Numeric loops, over scalars and over arrays, that ``numba.njit`` takes as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.regret.workload import Workload, over


def collatz(start: int) -> int:
    """Count the steps to 1."""
    number, steps = start, 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


def logistic(rate: float) -> float:
    """Iterate the logistic map."""
    x = 0.5
    for _ in range(50_000):
        x = rate * x * (1.0 - x)
    return x


def clipped_sum(values: Any) -> float:
    """Sum the values of an array within bounds."""
    total = 0.0
    for i in range(values.shape[0]):
        value = values[i]
        if -1.0 < value < 1.0:
            total += value * value
    return float(total)


def smooth(image: Any) -> Any:
    """Average each inner pixel with its neighbours."""
    result = image.copy()
    for row in range(1, image.shape[0] - 1):
        for column in range(1, image.shape[1] - 1):
            result[row, column] = (
                image[row, column]
                + image[row - 1, column]
                + image[row + 1, column]
                + image[row, column - 1]
                + image[row, column + 1]
            ) / 5.0
    return result


def arrays(count: int, *shape: int) -> list[Any]:
    """Make arrays of random numbers."""
    generator = np.random.default_rng(1)
    return [generator.standard_normal(shape) for _ in range(count)]


def rates(count: int) -> list[float]:
    """Make parameters between 3 and 4."""
    return [3.0 + n / count for n in range(count)]


WORKLOADS = (
    Workload(
        "collatz",
        "an integer loop, 8 us",
        over(collatz, lambda count: range(1, count + 1)),
        60_000,
        15_000,
        compiles=True,
    ),
    Workload("logistic", "a float loop, 3 ms", over(logistic, rates), 300, 40, compiles=True),
    Workload(
        "array-loop",
        "a loop over an array, 3 ms",
        over(clipped_sum, lambda count: arrays(count, 10_000)),
        300,
        40,
        compiles=True,
    ),
    Workload(
        "stencil",
        "a loop over an image, 3 ms",
        over(smooth, lambda count: arrays(count, 64, 64)),
        200,
        25,
        compiles=True,
    ),
)
