"""``multiprocessing``: an object that does not pickle, inherited by forked workers."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Sequence

import compare

from autopar import parallel


class Index:
    """A large table behind a lock, which no pickle takes along."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lengths = {number: bin(number * 2_654_435_761).count("1") for number in range(200_000)}


index = Index()


def total(start: int) -> int:
    """Sum over a part of the table."""
    lengths = index.lengths
    return sum(lengths[(start * 7_919 + step) % 200_000] * step for step in range(250_000))


def by_hand(items: Sequence[int]) -> list[int]:
    """A pool of forked processes."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map(total, items)
        pool.close()
        pool.join()
    return results


WAY = compare.Way(
    "multiprocessing",
    'backend="multiprocessing"',
    "benchmarks/backends: inherited",
    loop=lambda items: [total(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(total, backend="multiprocessing", pure=True).map,
    items=range(24),
)

if __name__ == "__main__":
    compare.main(WAY)
