"""Kernels compiled and called with nothing in between: the calling convention as `autopar/_kernel/abi.py` states it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from autopar._compilers.native.emit import FLAGS, emit
from autopar._compilers.native.loader import load
from autopar._kernel import abi
from autopar._kernel import types as t
from autopar._kernel.ir import Kernel
from autopar._kernel.lower import lower
from autopar._kernel.types import type_of

_PACKED = {t.Int(): "int64", t.Float(): "float64", t.Bool(): "bool"}


class Left(Exception):  # noqa: N818 - no error
    """The kernel left through a side exit."""


def kernel_for(function: Any, *arguments: Any) -> Kernel:
    """Lower a function for the types of arguments."""
    types = [type_of(argument) for argument in arguments]
    assert None not in types, types
    return lower(function, types)  # type: ignore[arg-type]


class Running:
    """A kernel that can be called."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.kernel = kernel_for(function, *arguments)
        handle = load(emit(self.kernel), flags=FLAGS).handle
        self._call, self._free = handle.ap_call, handle.ap_free
        self._call.argtypes, self._call.restype = [ctypes.c_void_p], ctypes.c_int64
        self._free.argtypes, self._free.restype = [ctypes.c_void_p], None

    def __call__(self, *arguments: Any) -> Any:
        """Call it; raise `Left` with line and reason if it takes a side exit."""
        kept: list[Any] = []
        words: list[int] = []
        for (_, kind), argument in zip(self.kernel.parameters, arguments, strict=True):
            words += _words(kind, argument, kept)
        layout = self.kernel.layout
        slots = np.zeros(layout.words + 1, dtype=np.int64)
        slots[: len(words)] = words
        code = self._call(slots.ctypes.data)
        if code:
            raise Left(*self.kernel.exits[code])
        for i in self.kernel.written:
            if isinstance(arguments[i], list):
                arguments[i][:] = next(packed for packed, of in kept if of is arguments[i]).tolist()
        return self._result(self.kernel.result, iter(slots[layout.result :].tolist()), arguments)

    def _result(self, kind: t.Type, words: Any, arguments: tuple[Any, ...]) -> Any:
        if isinstance(kind, t.Nothing):
            return None
        if isinstance(kind, t.Argument):
            return arguments[kind.index]
        if isinstance(kind, t.Tuple):
            return tuple(self._result(item, words, arguments) for item in kind.items)
        if not isinstance(kind, (t.Array, t.List)):
            return abi.decode_scalar(kind, next(words))
        owner, address = next(words), next(words)
        shape = [next(words) for _ in range(kind.ndim)]
        made = np.empty(shape, kind.dtype if isinstance(kind, t.Array) else _PACKED[kind.item])
        ctypes.memmove(made.ctypes.data, address, made.nbytes)
        self._free(owner)
        return made if isinstance(kind, t.Array) else made.tolist()


def _words(kind: t.Type, value: Any, kept: list[Any]) -> list[int]:
    if t.is_scalar(kind):
        return [abi.encode_scalar(kind, value)]
    if isinstance(kind, t.Tuple):
        return [word for item, part in zip(kind.items, value, strict=True) for word in _words(item, part, kept)]
    if isinstance(kind, t.Array):
        return [value.ctypes.data, *value.shape, *value.strides]
    if isinstance(kind, t.List):
        packed = np.array(value, dtype=_PACKED[kind.item])
        kept.append((packed, value))
        return [packed.ctypes.data, *packed.shape]
    return []


def same(one: Any, other: Any) -> bool:
    """Whether two results are the same, in type and in every bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return repr(one) == repr(other)
