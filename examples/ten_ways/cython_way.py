"""Cython: Python through C, objects included."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import compare
import work

from autopar import parallel


@cache
def compiled() -> Any:
    """The function, compiled by hand; nothing is left in the user's home, where Cython would put it."""
    import inspect
    from tempfile import TemporaryDirectory

    import cython  # type: ignore[import-untyped]

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return cython.inline(inspect.getsource(work.words), lib_dir=folder, language_level=3, quiet=True)["words"]


def by_hand(items: Sequence[str]) -> list[int]:
    """The compiled function in a loop."""
    function = compiled()
    return [function(item) for item in items]


WAY = compare.Way(
    "Cython",
    'compiler="cython"',
    "benchmarks/object_functions",
    loop=lambda items: [work.words(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(work.words, compiler="cython").map,
    items=work.texts(20),
)

if __name__ == "__main__":
    compare.main(WAY)
