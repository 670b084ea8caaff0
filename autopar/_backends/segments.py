"""Large buffers on their way to worker processes: in memory that has no name, mapped by whoever needs it.

Pickle protocol 5 hands large buffers over apart from the bytes of a pickle (PEP 574). They are written once into an
anonymous file in memory; a worker gets its descriptor through its pipe and maps it privately, so all workers share one
copy, pages that a worker writes to become its own, and what the caller holds never changes. The system frees the
memory with the last descriptor and mapping, however the processes that had them ended: no name is left that somebody
would have to remove.

Where the system has no such files, or no room for one, buffers stay inside the pickle.
"""

from __future__ import annotations

import errno
import itertools
import mmap
import os
import pickle
import socket
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Protocol, TypeVar

from autopar._backends.written import Range, range_of

LARGE = 128 * 1024
"""Bytes from which a buffer goes apart: there the pipe and a segment cost the same, 0.2 ms (benchmarks/backends)."""

LASTING = 1 << 20
"""Bytes from which a buffer has a segment of its own, which the following chunks may use again."""

RECENT = 4
"""Segments that a job's caller and each of its workers keep at hand, however large they are. Chosen, not measured."""

MOST_RECENT, BYTES_RECENT = 32, 256 << 20
"""Segments that they keep where all together have at most so many bytes: with only four, twelve arrays of 10 MB that
came in turn were written anew for each item, in three times the seconds (benchmarks/backends/large_arrays.py)."""

MOST_LASTING = 8
"""Such buffers of one chunk; where more are told apart, hardly any will come again, and descriptors are few."""

K = TypeVar("K")

_ALIGNED = 64
"""Buffers begin at multiples of a cache line."""


class Ref(NamedTuple):
    """One buffer of a pickle: where it is."""

    segment: int
    start: int
    size: int
    readonly: bool


class Segment:
    """Anonymous memory that holds buffers, on the caller's side.

    Attributes
    ----------
    number
        Its name among the segments of this process.
    size
        In bytes.
    fd
        Its descriptor, closed with this object.
    """

    def __init__(self, views: Sequence[memoryview]) -> None:
        self.number = next(numbers)
        self.starts: list[int] = []
        self.size = 0
        self.fd = _anonymous_file()
        try:
            for view in views:
                self.size += -self.size % _ALIGNED
                self.starts.append(self.size)
                os.lseek(self.fd, self.size, os.SEEK_SET)
                self._write(view)
        except BaseException:
            self._close()
            raise

    def _write(self, view: memoryview) -> None:
        self.size += view.nbytes
        while view.nbytes:
            view = view[os.write(self.fd, view) :]

    def _close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            with suppress(OSError):
                os.close(fd)

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            self._close()


numbers = itertools.count(1)
"""Of segments, and of whatever else takes their place, in this process."""


class Packed(NamedTuple):
    """A pickle whose large buffers are in segments; ``lasting`` has number and size of those that may come again.

    ``items`` is how many are in it, where those of a worker are counted.
    """

    data: bytes
    refs: tuple[Ref, ...] = ()
    segments: tuple[Any, ...] = ()
    lasting: tuple[tuple[int, int], ...] = ()
    items: int = 0


class Apart(Protocol):
    """A way for large buffers."""

    def pack(self, data: bytes, buffers: Sequence[pickle.PickleBuffer]) -> Packed | None:
        """A pickle with its buffers; None where there is no room for them."""


class HasBuffers(Protocol):
    """The other end of it."""

    def buffers(self, refs: Sequence[Ref]) -> list[memoryview]:
        """The buffers of a pickle, private to this process."""

    def handed_out(self) -> list[Range]:
        """Where the buffers are that were handed out since this was last asked."""


def outgoing(recent: Sequence[tuple[K, int]]) -> list[K]:
    """Of names and sizes, the oldest first, the names of those that are kept no longer."""
    size, gone = 0, []
    for place, (name, each) in enumerate(reversed(recent)):
        size += each
        if place >= RECENT and (place >= MOST_RECENT or size > BYTES_RECENT):
            gone.append(name)
    return gone


class Sharing:
    """Puts the large buffers of pickles into segments, for the worker processes of one job.

    Parameters
    ----------
    stays
        Nobody changes the items while the map runs: a buffer that comes again need not be written again.
    """

    def __init__(self, *, stays: bool) -> None:
        self._stays = stays
        self._lock = threading.RLock()
        self._recent: OrderedDict[tuple[int, int], tuple[memoryview, Segment]] = OrderedDict()

    def pack(self, data: bytes, buffers: Sequence[pickle.PickleBuffer]) -> Packed | None:
        """The pickle with its buffers in segments; None where the system has no room for them."""
        views = [buffer.raw() for buffer in buffers]
        if not views:
            return Packed(data)
        try:
            return self._pack(data, views)
        except OSError:
            return None

    def _pack(self, data: bytes, views: list[memoryview]) -> Packed:
        refs: list[Ref | None] = [None] * len(views)
        segments: dict[int, Segment] = {}
        others = []
        for place, view in enumerate(views):
            if self._stays and view.nbytes >= LASTING and len(segments) < MOST_LASTING:
                segment = self._lasting(view)
                segments[segment.number] = segment
                refs[place] = Ref(segment.number, 0, view.nbytes, view.readonly)
            else:
                others.append(place)
        lasting = tuple((number, segment.size) for number, segment in segments.items())
        if others:
            segment = Segment([views[place] for place in others])
            segments[segment.number] = segment
            for place, start in zip(others, segment.starts, strict=True):
                refs[place] = Ref(segment.number, start, views[place].nbytes, views[place].readonly)
        return Packed(data, tuple(ref for ref in refs if ref is not None), tuple(segments.values()), lasting)

    def _lasting(self, view: memoryview) -> Segment:
        """A segment for this buffer; the view is kept with it, so that no other buffer gets its address."""
        key = address_of(view), view.nbytes
        with self._lock:
            known = self._recent.get(key)
            if known is None:
                known = self._recent[key] = view, Segment([view])
            else:
                self._recent.move_to_end(key)
            for key in outgoing([(key, key[1]) for key in self._recent]):
                del self._recent[key]
        return known[1]


def address_of(view: memoryview) -> int:
    """Where a buffer begins."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return id(view.obj)
    address: int = numpy.frombuffer(view, numpy.uint8).__array_interface__["data"][0]
    return address


def goes_apart(buffer: pickle.PickleBuffer) -> bool:
    """The buffer is contiguous, and large enough for a segment."""
    try:
        with buffer.raw() as view:
            return view.nbytes >= LARGE
    except BufferError:
        return False


def available() -> bool:
    """Segments can be made here and their descriptors sent."""
    return hasattr(socket, "send_fds") and sys.platform != "win32"


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("autopar", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:  # It has no name any more when we get it.
        return os.dup(file.fileno())


# -- through the pipe ----------------------------------------------------------------------------------------------


def send(pipe: Connection, segments: Sequence[Segment]) -> None:
    """Send segments, after the message that announces them."""
    send_fds(pipe, [segment.fd for segment in segments])


def send_fds(pipe: Connection, fds: Sequence[int]) -> None:
    """Send descriptors."""
    with _line(pipe) as line:
        for fd in fds:
            socket.send_fds(line, [b"s"], [fd])


def receive(pipe: Connection, count: int) -> list[int]:
    """Receive so many descriptors.

    One that this process may not have, since it has too many, is :data:`MISSING`.

    Raises
    ------
    EOFError
        The other side is gone.
    """
    found: list[int] = []
    with _line(pipe) as line:
        for _ in range(count):
            data, fds, _, _ = socket.recv_fds(line, 1, 1)
            if not data:
                raise EOFError
            found += fds or [MISSING]
    return found


def _line(pipe: Connection) -> socket.socket:
    line = socket.socket(fileno=os.dup(pipe.fileno()))
    line.setblocking(True)  # Whatever the user's default time-out for sockets is, it would be the pipe's, too.
    return line


def at_hand(held: Mapping[int, int], used: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The segments, number and size, that a worker keeps after a chunk, of those it held and those used.

    The caller counts alike.
    """
    found = {**held}
    for number, size in used:
        found.pop(number, None)
        found[number] = size
    for number in outgoing([*found.items()]):
        del found[number]
    return found


MISSING = -1


class Arrived:
    """The segments that a worker has at hand for one job, each a descriptor.

    Parameters
    ----------
    once
        A segment is mapped once for all chunks, since nothing writes to it; otherwise each chunk gets a fresh one.
    """

    def __init__(self, *, once: bool) -> None:
        self._once = once
        self._kept: dict[int, int] = {}
        self._fds: dict[int, tuple[int, int]] = {}
        self._maps: dict[int, mmap.mmap] = {}
        self._handed_out: list[Range] = []

    def take(self, arrivals: Mapping[int, tuple[int, int]]) -> None:
        """Note segments that have come: number -> descriptor and size."""
        self._fds.update(arrivals)

    def buffers(self, refs: Sequence[Ref]) -> list[memoryview]:
        """The buffers of a pickle, private to this process."""
        maps: dict[int, mmap.mmap] = {}
        found = []
        for ref in refs:
            mapped = maps.get(ref.segment)
            if mapped is None:
                mapped = maps[ref.segment] = self._map(ref.segment)
                self._handed_out += range_of(memoryview(mapped))
            view = memoryview(mapped)[ref.start : ref.start + ref.size]
            found.append(view.toreadonly() if ref.readonly else view)
        return found

    def handed_out(self) -> list[Range]:
        """Where the buffers are that were handed out since this was last asked."""
        found, self._handed_out = self._handed_out, []
        return found

    def _map(self, number: int) -> mmap.mmap:
        known = self._maps.get(number)
        if known is None:
            fd, size = self._fds[number]
            if fd == MISSING:  # To mmap it means memory full of zeros.
                raise OSError(errno.EMFILE, "the worker process has too many open files to be sent large data")
            known = mmap.mmap(fd, size, access=mmap.ACCESS_COPY)
            if self._once:
                self._maps[number] = known
        return known

    def keep(self, used: Sequence[tuple[int, int]]) -> None:
        """After a chunk: keep what may come again, of what it used and of what was kept before."""
        self._kept = at_hand(self._kept, used)
        self._let_go([number for number in self._fds if number not in self._kept])

    def _let_go(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            fd, _ = self._fds.pop(number)
            self._maps.pop(number, None)
            if fd != MISSING:
                os.close(fd)

    def __del__(self) -> None:
        self._let_go(list(self._fds))
