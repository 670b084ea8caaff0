"""Results that live in memory of the kernel's own, copied into Python objects of exactly their types."""

from __future__ import annotations

import array
import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from autopar._kernel import types as t
from autopar._kernel.abi import decode_scalar

_CODES: dict[type[t.Type], str] = {t.Int: "q", t.Float: "d", t.Bool: "b"}


def finisher(kind: t.Type, free: Callable[[int], object]) -> Callable[[tuple[int, ...], tuple[Any, ...]], Any]:
    """What makes the result out of its words and the arguments; ``free`` lets go of the kernel's memory."""

    def finish(words: tuple[int, ...], arguments: tuple[Any, ...]) -> Any:
        owners: list[int] = []
        try:
            return _made(kind, iter(words), arguments, owners)
        finally:
            for owner in owners:
                free(owner)

    return finish


def _made(kind: t.Type, words: Iterator[int], arguments: tuple[Any, ...], owners: list[int]) -> Any:
    if t.is_scalar(kind):
        return decode_scalar(kind, next(words))
    if isinstance(kind, t.Tuple):
        return tuple([_made(item, words, arguments, owners) for item in kind.items])
    if isinstance(kind, t.Argument):
        return arguments[kind.index]
    if isinstance(kind, (t.Array, t.List)):
        owners.append(next(words))
        address = next(words)
        shape = tuple([next(words) for _ in range(kind.ndim)])
        return _array(kind, address, shape) if isinstance(kind, t.Array) else _list(kind, address, shape)
    return None


def _array(kind: t.Array, address: int, shape: tuple[int, ...]) -> Any:
    import numpy

    made = numpy.empty(shape, kind.dtype)
    ctypes.memmove(made.ctypes.data, address, made.nbytes)
    return made


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
