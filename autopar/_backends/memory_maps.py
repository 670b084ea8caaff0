"""Memory-mapped NumPy arrays on their way to another process of this machine: by the name of their file.

A copy of what a file holds would cost reading it whole, and would not change with the file, as the caller's array does.
So a worker maps the same part of the same file, if it is sure to be the same: the kernel says which file the caller's
memory belongs to (`/proc/self/maps`), and the worker compares what it finds under the name. joblib sends memory maps by
their names alone.

Only maps that cannot be written to go this way. All others are copied, like any array.
"""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from typing import Any, NamedTuple


class Part(NamedTuple):
    """The part of a file that an array shows.

    Attributes
    ----------
    name, device, inode
        The file.
    start, size
        The bytes from the array's lowest address to its highest.
    first
        Where its first element begins, from there.
    """

    name: str
    device: int
    inode: int
    start: int
    size: int
    first: int


def reduce_memory_map(array: Any) -> Any:
    """What pickle needs for a `numpy.memmap` that is loaded on this machine."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(array) is not numpy.memmap:
        return NotImplemented
    part = _part(array)
    if part is not None:
        return _mapped, (part, array.dtype, array.shape, array.strides, array.filename, array.offset)
    return _as_memory_map, (array.view(numpy.ndarray),)


def _as_memory_map(array: Any) -> Any:
    import numpy

    return array.view(numpy.memmap)


def _part(array: Any) -> Part | None:
    """The part of its file, where that is certain."""
    mapped = array._mmap
    if array.mode != "r" or array.filename is None or mapped is None or not array.nbytes:
        return None
    name = os.fspath(array.filename)
    try:
        found = os.stat(name)
    except OSError:
        return None
    origin = _origin(mapped)
    if origin is None or (found.st_dev, found.st_ino) != origin[:2]:
        return None
    device, inode, address, offset = origin
    steps = [stride * (count - 1) for stride, count in zip(array.strides, array.shape, strict=True)]
    first = array.__array_interface__["data"][0]
    lowest, highest = first + sum(min(0, step) for step in steps), first + sum(max(0, step) for step in steps)
    size = highest + array.itemsize - lowest
    if not address <= lowest <= address + len(mapped) - size:
        return None
    return Part(os.path.abspath(name), device, inode, offset + lowest - address, size, first - lowest)


_origins: weakref.WeakKeyDictionary[mmap.mmap, tuple[int, int, int, int] | None] = weakref.WeakKeyDictionary()


def _origin(mapped: mmap.mmap) -> tuple[int, int, int, int] | None:
    """Device and inode of the file behind a memory map, its address, and where in the file it begins."""
    if mapped not in _origins:
        _origins[mapped] = _seen_by_the_kernel(mapped)
    return _origins[mapped]


def _seen_by_the_kernel(mapped: mmap.mmap) -> tuple[int, int, int, int] | None:
    import numpy

    address = numpy.frombuffer(mapped, numpy.uint8).__array_interface__["data"][0]
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            for line in maps:
                addresses, _, offset, device, inode = line.split(maxsplit=5)[:5]
                begin, end = (int(each, 16) for each in addresses.split("-"))
                if begin <= address < end:  # It may be joined with a neighbour that shows the same file.
                    major, minor = device.split(":")
                    number = os.makedev(int(major, 16), int(minor, 16))
                    return number, int(inode), address, int(offset, 16) + address - begin
    except OSError:
        pass  # Not Linux: nothing tells which file it is.
    return None


def _mapped(
    part: Part, dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], filename: Any, offset: int
) -> Any:
    """Map the part of the file anew.

    Raises
    ------
    OSError
        There is no such file any more, or another.
    """
    import numpy

    with open(part.name, "rb") as file:
        found = os.fstat(file.fileno())
        if (found.st_dev, found.st_ino) != (part.device, part.inode):
            raise OSError(f"{part.name} is another file than the one that the caller has mapped")
        begin = part.start - part.start % mmap.ALLOCATIONGRANULARITY
        whole = mmap.mmap(file.fileno(), part.start + part.size - begin, access=mmap.ACCESS_READ, offset=begin)
    array: Any = numpy.ndarray(shape, dtype, whole, part.start - begin + part.first, strides).view(numpy.memmap)
    array._mmap, array.filename, array.mode, array.offset = whole, filename, "r", offset
    return array
