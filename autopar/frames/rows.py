"""The rows or columns of a frame by position: what pandas itself would give to the function, and as quickly.

pandas makes one Series for all rows and changes what is in it. So does this, over blocks of the frame that grow, since
the work of beginning a block grows with it. Where pandas does not offer its generator each row is a copy of the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from autopar.frames.packing import Packer

if TYPE_CHECKING:
    from pandas import DataFrame

FIRST_BLOCK, LARGEST_BLOCK = 64, 8192
"""Rows that are prepared together, doubling: beginning a block takes as long as 14 rows (benchmarks/frames.py), and the
largest bounds what a chunk prepares in vain."""


class Rows:
    """The lines of a frame along an axis.

    Attributes
    ----------
    shared
        All lines are one object, which changes from line to line.
    pack
        What to do to a result so that it travels lightly; None in the caller's own process.
    """

    pack: Callable[[Any], Any] | None = None

    def __init__(self, frame: DataFrame, axis: int, *, raw: bool) -> None:
        self._frame = frame
        self._axis = axis
        self._raw = raw
        self.shared = axis == 1 and not raw
        self._cursors: dict[int, tuple[int, Iterator[Any]]] = {}

    def __getstate__(self) -> tuple[Any, ...]:
        return self._frame, self._axis, self._raw

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        frame, axis, raw = state
        Rows.__init__(self, frame, axis, raw=raw)
        self.pack = Packer().pack

    def __len__(self) -> int:
        return int(self._frame.shape[1 - self._axis])

    def at(self, position: int) -> Any:
        """One line, which is that object's until this thread asks for the next."""
        thread = threading.get_ident()
        expected, lines = self._cursors.pop(thread, (-1, iter(())))
        if expected != position:
            lines = self._from(position)
        line = next(lines)
        self._cursors[thread] = position + 1, lines
        return line

    def _from(self, start: int) -> Iterator[Any]:
        if self._axis == 0:
            return self._columns(start)
        return self._blocks(start)

    def _columns(self, start: int) -> Iterator[Any]:
        if self._raw:
            yield from islice(self._frame.to_numpy().T, start, None)
            return
        for position in range(start, len(self)):
            yield self._frame.iloc[:, position]

    def _blocks(self, start: int) -> Iterator[Any]:
        size = FIRST_BLOCK
        while start < len(self):
            block = self._frame.iloc[start : start + size]
            yield from block.to_numpy() if self._raw else _series_of(block)
            start += size
            size = min(2 * size, LARGEST_BLOCK)


def _series_of(block: DataFrame) -> Iterator[Any]:
    """The rows of a frame as pandas' own loop has them."""
    try:
        from pandas.core.apply import frame_apply

        generator: Iterator[Any] = frame_apply(block, len, axis=1, args=(), kwargs={}).series_generator
    except (ImportError, AttributeError, TypeError):
        return _copies_of(block)
    return generator


def _copies_of(block: DataFrame) -> Iterator[Any]:
    rows: list[Any] = []
    block.apply(lambda row: rows.append(row.copy()), axis=1)
    return iter(rows)
