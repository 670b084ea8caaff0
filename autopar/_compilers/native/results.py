"""Results that live in memory of the kernel's own, copied into Python objects of exactly their types."""

from __future__ import annotations

import array
import ctypes
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from autopar._kernel import types as t
from autopar._kernel.abi import decode_scalar
from autopar._native_api import NATIVE

if TYPE_CHECKING:
    from autopar._native_twin_entry import copied_arrays
elif NATIVE:
    from autopar._native import copied_arrays
else:
    from autopar._native_twin_entry import copied_arrays

_CODES: dict[type[t.Type], str] = {t.Int: "q", t.Float: "d", t.Bool: "b"}

_Words = Iterator[int]
_Make = Callable[[_Words, tuple[Any, ...]], Any]


def array_maker(kind: t.Array, release: int) -> Callable[[array.array[int], int, int], list[Any]]:
    """What makes arrays out of rows of words, from a row on and so many; ``release`` is the address of ``ap_free``."""
    import numpy

    empty, dtype, ndim = numpy.empty, numpy.dtype(kind.dtype), kind.ndim
    return lambda rows, first, count: copied_arrays(empty, dtype, release, rows, ndim, first, count)


def finisher(kind: t.Type, release: int) -> Callable[[tuple[int, ...], tuple[Any, ...]], Any]:
    """What makes a result out of its words and the arguments; ``release`` is the address of ``ap_free``."""
    make = _maker(kind, release)
    return lambda words, arguments: make(iter(words), arguments)


def _maker(kind: t.Type, release: int) -> _Make:
    if t.is_scalar(kind):
        return lambda words, arguments: decode_scalar(kind, next(words))
    if isinstance(kind, t.Tuple):
        parts = [_maker(item, release) for item in kind.items]
        return lambda words, arguments: tuple([make(words, arguments) for make in parts])
    if isinstance(kind, t.Argument):
        return lambda words, arguments: arguments[kind.index]
    if isinstance(kind, t.Array):
        arrays, width = array_maker(kind, release), 2 + kind.ndim
        return lambda words, arguments: arrays(array.array("q", islice(words, width)), 0, 1)[0]
    if isinstance(kind, t.List):
        return _list_maker(kind, release)
    return lambda words, arguments: None


def _list_maker(kind: t.List, release: int) -> _Make:
    # With the GIL held: to let others have it takes longer than to let go of a list's memory.
    free = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(release)

    def make(words: _Words, arguments: tuple[Any, ...]) -> list[Any]:
        owner, address = next(words), next(words)
        try:
            return _list(kind, address, tuple(islice(words, kind.ndim)))
        finally:
            free(owner)

    return make


def _list(kind: t.List, address: int, shape: tuple[int, ...]) -> list[Any]:
    count = 1
    for extent in shape:
        count *= extent
    packed = array.array(_CODES[type(kind.item)])
    packed.frombytes(ctypes.string_at(address, count * packed.itemsize) if count else b"")
    items: list[Any] = packed.tolist()
    if isinstance(kind.item, t.Bool):
        items = list(map(bool, items))
    if kind.ndim == 1:
        return items
    width = shape[1]
    return [items[row * width : (row + 1) * width] for row in range(shape[0])]
