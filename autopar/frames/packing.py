"""Series on their way back from a worker: their values, with one index for all of them that have the same.

A pickle of a Series is mostly that of its index and of what holds its values together, several times the work of a
short function that made it (benchmarks/frames.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pandas import Index, Series


class Packed(NamedTuple):
    """A plain Series in parts."""

    values: Any
    index: Any
    name: Any


class Packer:
    """Takes series apart, on one worker."""

    def __init__(self) -> None:
        self._index: Index | None = None

    def pack(self, result: Any) -> Any:
        """The parts of a plain Series; everything else as it is."""
        import pandas

        if type(result) is not pandas.Series or result.attrs or not result.flags.allows_duplicate_labels:
            return result
        index = result.index
        if self._index is not None and type(index) is type(self._index) and index.identical(self._index):
            index = self._index
        self._index = index
        return Packed(result.array if _extension(result) else result.to_numpy(), index, result.name)


def unpacked(results: Iterator[Any]) -> Iterator[Any]:
    """The results with series in the place of their parts."""
    from pandas import Series

    for result in results:
        yield _series(Series, result) if type(result) is Packed else result


def _series(kind: type[Series], parts: Packed) -> Series:
    return kind(parts.values, index=parts.index, name=parts.name, dtype=parts.values.dtype, copy=False)


def _extension(series: Series) -> bool:
    from numpy import dtype

    return not isinstance(series.dtype, dtype)
