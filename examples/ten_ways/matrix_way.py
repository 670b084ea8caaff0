"""Matrix multiplication: blocks of rows on threads, for BLAS holds no GIL."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import compare
import numpy
from threadpoolctl import threadpool_limits

from autopar import parallel

RIGHT = numpy.random.default_rng(1).random((1_000, 1_000))


def times_right(block: Any) -> Any:
    """A block of rows of the product."""
    return block @ RIGHT


def one_core(function: Any, items: Sequence[Any]) -> list[Any]:
    """With BLAS on one thread, so that the blocks are what runs side by side."""
    with threadpool_limits(1, "blas"):
        results: list[Any] = function(times_right, items)
    return results


def by_hand(items: Sequence[Any]) -> list[Any]:
    """Blocks on two threads."""
    with ThreadPoolExecutor(2) as executor:
        return one_core(lambda function, blocks: list(executor.map(function, blocks)), items)


WAY = compare.Way(
    "matrix multiplication",
    'backend="threads"',
    "benchmarks/backends: matrices",
    loop=lambda items: one_core(lambda function, blocks: [function(block) for block in blocks], items),
    by_hand=by_hand,
    by_autopar=lambda items: one_core(
        lambda function, blocks: parallel(function, backend="threads").map(blocks), items
    ),
    items=list(numpy.random.default_rng(2).random((40, 200, 1_000))),
)

if __name__ == "__main__":
    compare.main(WAY)
