"""Tells whether items have written to memory that worker processes share, and have got private copies of its pages.

The kernel says it of each page of a private mapping: one that is still the shared file's has bit 61 set in
`/proc/self/pagemap`, and a copy of the process's own has not (``Documentation/admin-guide/mm/pagemap.rst`` of the Linux
kernel). Elsewhere nothing tells, and nothing is said.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Sequence
from typing import TypeAlias

from autopar._model.work import NOTE, Outcome

Range: TypeAlias = tuple[int, int]
"""An address and a size."""

PRIVATE_COPY = "an item wrote to a large argument that workers share: its worker has a private copy of what it wrote to"

COST_AT_MOST = 0.02
"""Share of the items' time that looking may take, apart from the first look at a job. Chosen: too little to be seen."""

ENTRY = 8
"""Bytes of `pagemap` for a page; the last of them has the bits 56 to 63."""

PRESENT, SWAPPED, OF_A_FILE = 0x80, 0x40, 0x20

_NOT_OWN = bytes(bits for bits in range(256) if bits & OF_A_FILE or not bits & (PRESENT | SWAPPED))


def range_of(view: memoryview) -> list[Range]:
    """Where a writable buffer is in memory; nothing where this Python cannot tell."""
    try:
        import ctypes
    except ImportError:
        return []
    return [(ctypes.addressof(ctypes.c_char.from_buffer(view)), view.nbytes)]


def any_written(ranges: Sequence[Range]) -> bool:
    """Whether one of the ranges has pages that are this process's own; it takes about 10 us for each megabyte."""
    if not ranges:
        return False
    try:
        with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
            return any(_own_pages(pagemap.fileno(), address, size) for address, size in ranges)
    except OSError:
        return False


def _own_pages(pagemap: int, address: int, size: int) -> bool:
    first = address // mmap.PAGESIZE
    pages = -(-(address + size) // mmap.PAGESIZE) - first
    entries = os.pread(pagemap, pages * ENTRY, first * ENTRY)
    return bool(entries[ENTRY - 1 :: ENTRY].translate(None, _NOT_OWN))


class Watch:
    """Looks after the chunks of a job whether they have written to what they share, until one has.

    Parameters
    ----------
    ranges
        The shared memory that came with the job.
    """

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = ranges
        self._allowed = 0.0
        self._seen = False

    def look(self, ranges: Sequence[Range], outcome: Outcome) -> None:
        """Note a first writing in the outcome of a chunk, to whose items the ranges belong."""
        self._allowed += COST_AT_MOST * outcome.wall
        if self._seen or self._allowed < 0 or not (self._ranges or ranges):
            return
        began = time.perf_counter()
        self._seen = any_written([*self._ranges, *ranges])
        self._allowed -= time.perf_counter() - began
        if self._seen:
            outcome.emitted = [*outcome.emitted, (len(outcome.values), NOTE, (PRIVATE_COPY,))]
