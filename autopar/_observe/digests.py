"""Digests of values: the same for equal values in every process, and hardly ever for others.

A value of a plain type is described by its content, an array by its bytes, code by its instructions and what it
captures, and any other object as pickle takes it apart (``__reduce_ex__``), but by what is in it, so that neither
addresses nor shared parts nor the order of a set matter. Nothing is loaded from a digest, so what is pickled by name is
described by its name.
"""

from __future__ import annotations

import copyreg
import functools
import struct
import sys
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from autopar._model.blake2 import blake2b
from autopar._model.work import FLAT_KINDS
from autopar._observe.identity import code_digest

SIZE = 16


class NoDigestError(TypeError):
    """A value has no digest; the message names its type."""


def digest(value: object) -> bytes:
    """The digest of a value.

    Raises
    ------
    NoDigestError
        It, or something in it, cannot be pickled either: a lock, a file, a generator.

    Examples
    --------
    >>> digest({"a", "b"}) == digest({"b", "a"}), digest(1) == digest(1.0)
    (True, False)
    """
    try:
        return _Digester().of(value)
    except RecursionError:
        raise NoDigestError(f"a {type(value).__qualname__} that is nested too deep") from None


def digest_of_all(values: Iterable[object]) -> bytes:
    """The digest of several values in this order."""
    return digest(tuple(values))


def _hash(tag: bytes, *parts: bytes) -> bytes:
    found = blake2b(tag, digest_size=SIZE)
    for part in parts:
        found.update(struct.pack("<Q", len(part)))
        found.update(part)
    digested: bytes = found.digest()
    return digested


class _Digester:
    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}
        self._kept: list[object] = []  # alive, so that no other object gets the identity of one that was seen
        self._open: dict[int, int] = {}

    def of(self, value: Any) -> bytes:
        kind = type(value)
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            return _hash(kind.__name__.encode(), leaf(value))
        known = self._known.get(id(value))
        if known is not None:
            return known
        depth = self._open.get(id(value))
        if depth is not None:  # it holds itself
            return _hash(b"cycle", b"%d" % (len(self._open) - depth))
        self._open[id(value)] = len(self._open)
        try:
            found = self._of_object(value, kind)
        finally:
            del self._open[id(value)]
        self._known[id(value)] = found
        self._kept.append(value)
        return found

    def _of_object(self, value: Any, kind: type) -> bytes:
        if kind is list or kind is tuple:
            return _hash(kind.__name__.encode(), *map(self.of, value))
        if kind is dict:
            return _hash(b"dict", *(self.of(each) for pair in value.items() for each in pair))
        if kind is set or kind is frozenset:
            return _hash(kind.__name__.encode(), *sorted(map(self.of, value)))
        if isinstance(value, (type, ModuleType, BuiltinFunctionType)):
            return _hash(b"name", _name_of(value))
        if kind is FunctionType:
            return self._of_function(value)
        if kind is MethodType:
            return _hash(b"method", self.of(value.__func__), self.of(value.__self__))
        numpy = sys.modules.get("numpy")
        if numpy is not None and kind is numpy.ndarray and value.dtype.kind in FLAT_KINDS:
            return _hash(b"array", value.dtype.str.encode(), repr(value.shape).encode(), value.tobytes())
        unwrap = getattr(kind, "__autopar_unwrap__", None)
        return self.of(unwrap(value)) if unwrap is not None else self._taken_apart(value, kind)

    def _of_function(self, function: FunctionType) -> bytes:
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append(self.of(cell.cell_contents))
            except ValueError:  # nothing was assigned to the variable yet
                cells.append(b"")
        defaults = self.of((function.__defaults__, function.__kwdefaults__))
        return _hash(b"function", code_digest(function).encode(), defaults, *cells)

    def _taken_apart(self, value: Any, kind: type) -> bytes:
        try:
            reduce = copyreg.dispatch_table.get(kind)
            parts = value.__reduce_ex__(4) if reduce is None else reduce(value)
        except RecursionError:
            raise
        except Exception as error:
            raise NoDigestError(f"a {_name_of(kind).decode()}: {error}") from error
        if isinstance(parts, str):
            return _hash(b"global", _name_of(kind), parts.encode())
        call, arguments, state, listed, mapped = (*parts, None, None, None)[:5]
        rows = [b""] if listed is None else [self.of(each) for each in listed]
        pairs = [] if mapped is None else [self.of(each) for pair in mapped for each in pair]
        return _hash(b"object", self.of(call), self.of(arguments), self.of(state), *rows, b"", *pairs)


def _name_of(value: Any) -> bytes:
    if isinstance(value, ModuleType):
        return value.__name__.encode()
    owner = getattr(value, "__self__", None)
    module = getattr(value, "__module__", None) or getattr(owner, "__name__", "")
    return f"{module}.{value.__qualname__}".encode("utf-8", "backslashreplace")


_LEAVES: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"",
    type(Ellipsis): lambda value: b"",
    type(NotImplemented): lambda value: b"",
    bool: lambda value: b"1" if value else b"0",
    int: lambda value: value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True),
    float: struct.Struct("<d").pack,
    complex: lambda value: struct.pack("<dd", value.real, value.imag),
    str: lambda value: value.encode("utf-8", "surrogatepass"),
    bytes: bytes,
    bytearray: bytes,
    range: lambda value: repr(value).encode(),
}


@functools.cache
def library_folders() -> tuple[str, ...]:
    """Where the standard library and installed packages are."""
    import sysconfig

    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})
