"""How far a worker process has come in its chunk, in case it dies: which item was on it, and which never began.

The caller and one worker share eight bytes of anonymous memory, in which the worker counts the items that it has begun.
They are used for chunks whose items may not run twice: of these a dead worker takes the item it was at, and the results
of the items before, but none that it had not begun.
"""

from __future__ import annotations

import functools
import itertools
import mmap
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autopar._backends.segments import MISSING, Segment, available

NUMBER = 0
"""In the place of a segment's number, which counts from 1."""

_COUNT = struct.Struct("<q")
_UNKNOWN = -1


class Marks:
    """The caller's side, one for each worker process."""

    def __init__(self) -> None:
        self.segment = Segment([memoryview(_COUNT.pack(_UNKNOWN))])
        self._map = mmap.mmap(self.segment.fd, _COUNT.size)

    @property
    def announced(self) -> tuple[int, int]:
        """What is said of it before its descriptor is sent."""
        return NUMBER, _COUNT.size

    def reset(self) -> None:
        """A chunk is about to be sent."""
        _COUNT.pack_into(self._map, 0, _UNKNOWN)

    def begun(self) -> int | None:
        """Items of the chunk that the worker has begun, one more if all have ended; None if it does not tell."""
        count: int = _COUNT.unpack_from(self._map)[0]
        return None if count == _UNKNOWN else count


def new_marks() -> Marks | None:
    """Marks for a new worker; None where the system has none, or no room for them."""
    try:
        return Marks() if available() else None
    except OSError:
        return None


class Marking:
    """The worker's side; without a descriptor nothing is shared."""

    def __init__(self, fd: int = MISSING) -> None:
        self._map = None if fd == MISSING else mmap.mmap(fd, _COUNT.size)
        if fd != MISSING:
            os.close(fd)

    def each(self, items: Sequence[Any]) -> Iterator[Any]:
        """The items of a chunk, each marked as begun when it is taken."""
        if self._map is None:
            return iter(items)
        _COUNT.pack_into(self._map, 0, 0)
        return map(functools.partial(_marked, self._map), items, itertools.count(1))

    def end(self, items: int) -> None:
        """All of them have ended."""
        if self._map is not None:
            _COUNT.pack_into(self._map, 0, items + 1)


def _marked(marks: mmap.mmap, item: Any, number: int) -> Any:
    _COUNT.pack_into(marks, 0, number)
    return item


Each = Callable[[Sequence[Any]], Iterator[Any]]
"""How the items of a chunk are gone through."""
