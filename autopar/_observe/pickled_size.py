"""How many bytes an object is on its way to a worker process, counted without making them."""

from __future__ import annotations

import io
import pickle
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from types import FunctionType
from typing import Any, NamedTuple


class PickledSize(NamedTuple):
    """Size of an object on its way to a worker.

    Attributes
    ----------
    bytes
        How many, or None if the object cannot be pickled.
    why_not
        What cannot be pickled and with which error, by types and names only; empty if it can.
    complete
        False where counting stopped at a limit: there are at least so many bytes, and what was not seen may not pickle.
    objects
        How many objects pickle came by, each of which takes time besides its bytes; a number counts a third of one.
    """

    bytes: int | None
    why_not: str = ""
    complete: bool = True
    objects: float = 0.0


# Chosen, not measured: a map that is worth another process takes tenths of seconds, and its probe should be a small
# part of it. Large data is counted without being read, so only many small objects reach either limit.
_SECONDS = 0.02
_BYTES = 32 << 20

# From here on strings and arrays are counted instead of pickled. It is the size from which pickle itself hands bytes
# over as they are (_FRAME_SIZE_TARGET in Lib/pickle.py).
_LARGE = 64 * 1024
_SMALL = frozenset({int, float, complex, bool, type(None)})
_SAMPLED = frozenset({list, tuple, set, frozenset, dict})
_LOOK_EVERY = 64
_NUMBER = 1 / 3
"""What a number takes beside a text or a small container (benchmarks/backend_costs.py: process object)."""


def pickled_size(obj: object, *, limit: int = _BYTES, seconds: float = _SECONDS) -> PickledSize:
    """Count the bytes that a worker process would be sent for an object.

    Pickle protocol 5 (PEP 574) with buffers out of band. Large strings, byte strings and arrays are counted by their
    length, so that an argument of 1 GB costs microseconds. What plain pickle refuses is tried with cloudpickle, where
    it is installed. Pickling runs the object's own ``__reduce__`` or ``__getstate__``, and one that takes long is not
    interrupted.

    Parameters
    ----------
    obj
        An argument or a result.
    limit
        Bytes of small objects after which counting stops.
    seconds
        Time after which counting stops, looked at every few objects.

    Returns
    -------
    PickledSize
        Whatever the object's own code raises, ``SystemExit`` included, becomes the reason; only ``KeyboardInterrupt``
        passes.

    Examples
    --------
    >>> pickled_size(bytes(10_000_000))
    PickledSize(bytes=100000..., why_not='', complete=True, objects=1.0)
    >>> import threading
    >>> pickled_size({"lock": threading.Lock()}).why_not
    'an object of type _thread.lock cannot be pickled (TypeError)'
    """
    plain = _count(pickle.Pickler, obj, limit, seconds)
    if plain.bytes is not None:
        return plain
    try:
        from cloudpickle import Pickler
    except Exception:  # missing or broken: then plain pickle's answer is the answer
        return plain
    return _count(Pickler, obj, limit, seconds)


_SAMPLE = 256
_FEW = 16
_SHARED_SECONDS = 5e-3
"""For each object that is counted. Chosen, not measured, as above: a sample takes a tenth of it."""


def shared_size(objects: Iterable[object]) -> float:
    """Estimate the bytes of what travels to each worker with a function; what does not pickle counts nothing.

    Parameters
    ----------
    objects
        Captured variables, globals, defaults. Of a large built-in container the first 256 members stand for all.

    Examples
    --------
    >>> 2e6 < shared_size([range(3), list(range(1_000_000))]) < 4e6
    True
    """
    return sum(map(_estimate, objects), 0.0)


def _estimate(obj: object, deep: int = 3) -> float:
    kind = type(obj)
    if kind in _SAMPLED and len(obj) <= _FEW and deep:  # type: ignore[arg-type]
        parts = [*obj, *obj.values()] if isinstance(obj, dict) else [*obj]  # type: ignore[misc]
        return sum(_estimate(part, deep - 1) for part in parts)
    if kind in _SAMPLED and len(obj) > 2 * _SAMPLE:  # type: ignore[arg-type]
        members: Iterable[Any] = dict.items(obj) if kind is dict else obj  # type: ignore[arg-type, assignment]
        with suppress(RuntimeError):  # another thread adds members
            sample = list(islice(members, _SAMPLE))
            size = pickled_size(sample, seconds=_SHARED_SECONDS).bytes or 0
            return size * len(obj) / _SAMPLE  # type: ignore[arg-type]
    return float(pickled_size(obj, seconds=_SHARED_SECONDS).bytes or 0)


class _LimitReachedError(Exception):
    """Counting has cost enough."""


class _Counter(io.RawIOBase):
    """A file that keeps nothing of what is written to it but the number of bytes."""

    def __init__(self, limit: int) -> None:
        self.bytes = 0
        self._limit = limit

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.bytes += size
        if self.bytes > self._limit:
            raise _LimitReachedError
        return size


def _count(base: type[Any], obj: object, limit: int, seconds: float) -> PickledSize:
    deadline = time.perf_counter() + seconds
    counter = _Counter(limit)
    large_size = _sizer()
    latest, visits, numbers = obj, 0, 0
    apart: dict[int, tuple[object, int]] = {}  # the objects are kept so that no id is used again

    class Pickler(base):  # type: ignore[misc]  # the base is chosen at run time
        def persistent_id(self, part: object) -> int | None:
            """Pickle asks this of every object it meets: the place to count large ones and to watch the time."""
            nonlocal latest, visits, numbers
            visits += 1
            if visits % _LOOK_EVERY == 0 and time.perf_counter() > deadline:
                raise _LimitReachedError
            kind = type(part)
            if kind in _SMALL:
                numbers += 1
                return None
            latest = part
            if kind is io.TextIOWrapper:
                raise pickle.PicklingError("cloudpickle would send a copy of the whole file")
            size = large_size(part)
            if size < _LARGE:
                return None
            apart[id(part)] = (part, size)
            return 0

    def take_buffer(buffer: pickle.PickleBuffer) -> None:
        with memoryview(buffer) as view:
            apart[id(buffer)] = (buffer, view.nbytes)

    why_not, complete = "", True
    try:
        Pickler(counter, protocol=5, buffer_callback=take_buffer).dump(obj)
    except KeyboardInterrupt:
        raise
    except _LimitReachedError:
        complete = False
    except BaseException as error:  # SystemExit and GeneratorExit too: the object's own code may raise anything
        _, _, name = _type_name(type(error)).rpartition(".")
        why_not = f"{_describe(latest)} cannot be pickled ({name})"
    size = counter.bytes + sum(size for _, size in apart.values())
    return PickledSize(None if why_not else size, why_not, complete, visits - numbers * (1 - _NUMBER))


def _sizer() -> Callable[[object], int]:
    """Return a function that gives the bytes of strings and arrays, and 0 for everything else."""
    ndarray: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    array: Any = getattr(sys.modules.get("array"), "array", None)

    def size(part: Any) -> int:
        kind = type(part)
        if kind is bytes or kind is bytearray:
            return len(part)
        if kind is str:
            return _text_size(part)
        if kind is array:
            return len(part) * int(part.itemsize)
        if ndarray is not None and issubclass(kind, ndarray) and _pickles_like(kind, ndarray):
            return 0 if part.dtype.hasobject else int(part.nbytes)
        return 0

    return size


def _pickles_like(kind: Any, base: Any) -> bool:
    return kind.__reduce_ex__ is base.__reduce_ex__ and kind.__reduce__ is base.__reduce__


def _text_size(text: str) -> int:
    """Return the length of a text in UTF-8; a long one's from its beginning, since encoding it all would copy it."""
    if text.isascii() or len(text) < _LARGE:
        return len(text)
    beginning = text[:_LARGE].encode("utf-8", "surrogatepass")
    return len(beginning) * len(text) // _LARGE


def _describe(part: object) -> str:
    """Name an object by what is in the program's text, never by its value."""
    kind = type(part)  # isinstance() would ask the object, which may say anything
    if kind is FunctionType:
        return f"the function {part.__qualname__}"  # type: ignore[attr-defined]
    if issubclass(kind, type):
        return f"the class {_type_name(part)}"  # type: ignore[arg-type]
    return f"an object of type {_type_name(kind)}"


def _type_name(kind: type) -> str:
    """Return ``module.qualname`` as `type` itself has it, whatever a metaclass says: ``<class 'module.qualname'>``."""
    return type.__repr__(kind)[8:-2]
