"""Memory of a kernel's own: kept from one call to the next, and never seen by it."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.kernel.running import Running


def marked(n: int, at: int) -> Any:
    """A zeroed array with a mark, made by way of another one that is full of numbers."""
    full = np.empty(n)
    for i in range(n):
        full[i] = 1.0 + i
    made = np.zeros(n)
    made[at] = full[at]
    return made


def grown(n: int, last: int) -> list[int]:
    """A list that is made longer step by step."""
    found = []
    for i in range(n):
        found.append(last + i)  # noqa: PERF401 - that it grows is what is tested
    return found


SIZES = [1, 100, 16_383, 16_384, 20_000, 70_000, 2_097_152, 2_200_000]
"""Numbers of eight bytes: a buffer is kept from 16,384 of them on to 2,097,152."""


@pytest.mark.parametrize("order", ["up", "down", "mixed"])
def test_zeros_are_zeros_whatever_was_there(order: str) -> None:
    """A buffer that is used again has nothing of the call before, whichever of them was the larger one."""
    running = Running(marked, 1, 0)
    sizes = sorted(SIZES * 3, reverse=order == "down")
    if order == "mixed":
        random.Random(3).shuffle(sizes)
    for n in sizes:
        found = running(n, n // 2)
        assert np.flatnonzero(found).tolist() == [n // 2]
        assert found[n // 2] == 1.0 + n // 2


@pytest.mark.parametrize("function", [marked, grown])
def test_threads_do_not_share_a_buffer(function: Callable[[int, int], Any]) -> None:
    """Two calls at the same time have buffers of their own, and each result is its own."""
    running, sizes = Running(function, 1, 0), [20_000 + 500 * i for i in range(40)]
    expected = [function(n, 5) for n in sizes]
    with ThreadPoolExecutor(4) as pool:
        for found, right in zip(pool.map(lambda n: running(n, 5), sizes), expected, strict=True):
            assert np.array_equal(found, right)
