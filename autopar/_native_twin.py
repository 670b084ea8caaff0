"""The pure-Python twin of the extension ``autopar._native``: same names, same meaning, slower.

It is the reference of the native code: both pass the tests of ``tests/test_native.py``.
"""

from __future__ import annotations

import array
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

if sys.platform == "linux":
    import resource

    def _context_switches() -> tuple[int, int]:
        usage = resource.getrusage(resource.RUSAGE_THREAD)
        return usage.ru_nvcsw, usage.ru_nivcsw

else:

    def _context_switches() -> tuple[int, int]:
        """Only Linux counts the switches of each thread."""
        return 0, 0


def thread_probe() -> tuple[int, int, int, int, int]:
    """Read the clocks and the context switches of the calling thread.

    Only the difference of two readings by the same thread means something.

    Returns
    -------
    tuple of int
        Monotonic wall clock (ns, that of `time.perf_counter_ns`), CPU time of the thread (ns), CPU time of the
        process (ns), and the thread's voluntary and involuntary context switches, zero where the system does not
        count them for each thread (everywhere but on Linux).

    Examples
    --------
    >>> before = thread_probe()
    >>> total = sum(range(1000))
    >>> all(after >= start for start, after in zip(before, thread_probe()))
    True
    """
    wall, thread, process = time.perf_counter_ns(), time.thread_time_ns(), time.process_time_ns()
    return wall, thread, process, *_context_switches()


def pack_numbers(kind: str, items: list[Any] | tuple[Any, ...] | range, /) -> bytearray | None:
    """Pack a list, tuple or range of exact ints (kind "i") or floats ("f") into 64-bit words.

    Returns
    -------
    bytearray or None
        None where an item has another type or does not fit.

    Examples
    --------
    >>> pack_numbers("i", [1, 2.0]) is None
    True
    """
    if kind not in ("i", "f"):
        raise ValueError("kind must be 'i' or 'f'")
    if type(items) not in (list, tuple, range):
        raise TypeError(f"items must be a list, a tuple or a range, not {type(items).__name__}")
    if not set(map(type, items)) <= {int if kind == "i" else float}:
        return None
    try:
        return bytearray(array.array("q" if kind == "i" else "d", items).tobytes())
    except OverflowError:
        return None


def exact_types(values: Iterable[Any], /) -> list[type]:
    """Find the exact types of some objects, each once, in the order of their first objects.

    Types are told apart by identity, so that no metaclass is asked.

    Examples
    --------
    >>> exact_types([1, "a", 2, True])
    [<class 'int'>, <class 'str'>, <class 'bool'>]
    """
    found: dict[int, type] = {}
    last = None
    for kind in map(type, values):
        if kind is not last:
            found[id(kind)] = last = kind
    return list(found.values())


def shared_dtype(items: list[Any], ndarray: type, /) -> Any:
    """Find the dtype that all items of a list share, where each is exactly of NumPy's class `ndarray`; else None.

    Examples
    --------
    >>> import numpy
    >>> shared_dtype([numpy.zeros(2), numpy.ones(3)], numpy.ndarray)
    dtype('float64')
    """
    if type(items) is not list:
        raise TypeError(f"items must be a list, not {type(items).__name__}")
    if set(map(id, map(type, items))) != {id(ndarray)}:
        return None
    dtypes = {id(item.dtype): item.dtype for item in items}
    return None if len(dtypes) > 1 else items[0].dtype


def call_each(
    function: Callable[..., Any], iterator: Iterator[Any], count: int, out: list[Any], star: bool = False, /
) -> bool | BaseException:
    """Call a function with up to `count` items of an iterator and append the results to `out`.

    Parameters
    ----------
    function
        Takes an item, or with `star` the item's elements.
    iterator
        Is not asked for an item before the call with the one before has returned.
    count
        Most items to take.
    out
        Exactly a list; whatever happens it holds the results so far.
    star
        Items are sequences of positional arguments.

    Returns
    -------
    bool or BaseException
        True if all ran, False if the iterator ended before, or the exception that the iterator raised.

    Examples
    --------
    >>> results = []
    >>> call_each(abs, iter([-1, -2]), 5, results), results
    (False, [1, 2])
    """
    if not hasattr(type(iterator), "__next__"):
        raise TypeError(f"iterator must be an iterator, not {type(iterator).__name__}")
    if type(out) is not list:
        raise TypeError(f"out must be a list, not {type(out).__name__}")
    before, append = len(out), out.append
    calling = False
    try:
        for item in islice(iterator, count):
            calling = True
            append(function(*item) if star else function(item))
            calling = False
    except BaseException as error:
        if calling:
            raise
        return error
    return len(out) - before == count
