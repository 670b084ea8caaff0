"""joblib: large arrays, written to a memory map once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import compare
import numpy
import work

from autopar import parallel


def by_hand(items: Sequence[Any]) -> list[float]:
    """The loop of joblib."""
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=2)(delayed(work.spread)(item) for item in items))


WAY = compare.Way(
    "joblib",
    'backend="joblib"',
    "none: processes share arrays as well (backends/large_arrays)",
    loop=lambda items: [work.spread(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(work.spread, backend="joblib").map,
    items=[numpy.arange(2_000_000.0)] * 40,
)

if __name__ == "__main__":
    compare.main(WAY)
