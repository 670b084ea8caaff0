"""``concurrent.futures``: pure Python on worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import compare
import work

from autopar import parallel


def by_hand(items: Sequence[str]) -> list[int]:
    """An executor of processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        return list(executor.map(work.words, items))


WAY = compare.Way(
    "concurrent.futures",
    'backend="processes"',
    "benchmarks/backends: computing",
    loop=lambda items: [work.words(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(work.words, backend="processes").map,
    items=work.texts(60),
)

if __name__ == "__main__":
    compare.main(WAY)
