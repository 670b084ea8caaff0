"""Plain values as bytes and back, exactly, and without anything being executed when they are read.

A value is a byte that says what it is, and its content; a container counts what it holds. What a value holds twice is
one object again when it is read, as with pickle, and so may hold itself. Nothing but the types listed in :data:`TYPES`
is written, exact types only, and NumPy's arrays and scalars of numbers, texts, bytes, dates and durations.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

from autopar._model.work import FLAT_KINDS

TYPES = "None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset and NumPy arrays"

_FLOAT = struct.Struct("<d")
_COMPLEX = struct.Struct("<dd")
_SIZE = struct.Struct("<Q")
_SHORT = struct.Struct("<q")


class NotPlainError(TypeError):
    """A value is of another type; the message names it, and where it is in the value."""


class DamagedError(ValueError):
    """Bytes that are not a plain value."""


def dump(value: object) -> bytes:
    """A value as bytes.

    Raises
    ------
    NotPlainError
        It is, or holds, something else.

    Examples
    --------
    >>> load(dump({"a": (1, -0.0), "b": [b"c", None]}))
    {'a': (1, -0.0), 'b': [b'c', None]}
    """
    writer = _Writer()
    try:
        writer.write(value, "")
    except RecursionError:
        raise NotPlainError("it is nested too deep") from None
    return bytes(writer.out)


def load(data: bytes) -> Any:
    """The value.

    Raises
    ------
    DamagedError
        The bytes are not what :func:`dump` has written.
    """
    reader = _Reader(data)
    try:
        value = reader.read()
    except DamagedError:
        raise
    except (
        struct.error,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as error:
        raise DamagedError(f"not a plain value: {type(error).__name__}: {error}") from error
    if reader.place != len(data):
        raise DamagedError(f"{len(data) - reader.place} bytes follow the value")
    return value


class _Writer:
    def __init__(self) -> None:
        self.out = bytearray()
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []  # alive, so that no other object gets the identity of one that was seen
        self._open: set[int] = set()

    def write(self, value: Any, where: str) -> None:
        kind = type(value)
        write = _WRITERS.get(kind)
        if write is not None:
            write(self, value, where)
        elif not self._numpy(value, kind, where):
            name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
            raise NotPlainError(f"{f'its part {where}' if where else 'it'} is of type {name}")

    def sized(self, tag: bytes, data: bytes | bytearray) -> None:
        self.out += tag + _SIZE.pack(len(data)) + data

    def before(self, value: object) -> bool:
        """Whether the object was written before, to which a reference is written then; if not, it is numbered."""
        number = self._seen.get(id(value))
        if number is None:
            self._seen[id(value)] = len(self._kept)
            self._kept.append(value)
            return False
        self.out += b"@" + _SIZE.pack(number)
        return True

    def write_integer(self, value: int, where: str) -> None:
        if -(1 << 63) <= value < 1 << 63:
            self.out += b"i" + _SHORT.pack(value)
        else:
            self.sized(b"I", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))

    def write_buffer(self, value: bytearray, where: str) -> None:
        if not self.before(value):
            self.sized(b"B", value)

    def write_list(self, value: list[Any], where: str) -> None:
        if not self.before(value):
            self.out += b"l" + _SIZE.pack(len(value))
            for place, each in enumerate(value):
                self.write(each, f"{where}[{place}]")

    def write_tuple(self, value: tuple[Any, ...], where: str) -> None:
        # One that is read must have its elements first, so it cannot be among them.
        if id(value) in self._seen:
            self.out += b"@" + _SIZE.pack(self._seen[id(value)])
            return
        if id(value) in self._open:
            raise NotPlainError(f"its part {where} is a tuple that holds itself")
        self._open.add(id(value))
        self.out += b"t" + _SIZE.pack(len(value))
        for place, each in enumerate(value):
            self.write(each, f"{where}[{place}]")
        self._open.discard(id(value))
        self.before(value)

    def write_dict(self, value: dict[Any, Any], where: str) -> None:
        if not self.before(value):
            self.out += b"d" + _SIZE.pack(len(value))
            for key, each in value.items():
                self.write(key, f"{where} key")
                self.write(each, f"{where}[{key!r:.40}]")

    def write_set(self, value: set[Any], where: str) -> None:
        if not self.before(value):
            self.out += b"s" + _SIZE.pack(len(value))
            for each in value:
                self.write(each, f"{where} element")

    def write_frozenset(self, value: frozenset[Any], where: str) -> None:
        if id(value) in self._seen:
            self.out += b"@" + _SIZE.pack(self._seen[id(value)])
            return
        self.out += b"z" + _SIZE.pack(len(value))
        for each in value:
            self.write(each, f"{where} element")
        self.before(value)

    def _numpy(self, value: Any, kind: type, where: str) -> bool:
        numpy = sys.modules.get("numpy")
        if numpy is None or not (kind is numpy.ndarray or issubclass(kind, numpy.generic)):
            return False
        dtype = value.dtype
        plain = dtype.kind in FLAT_KINDS and dtype.metadata is None and (kind is numpy.ndarray or dtype.type is kind)
        if not plain:
            return False
        name = f"{dtype.str}/{dtype.char}".encode()
        if kind is not numpy.ndarray:
            self.sized(b"g", name)
            self.sized(b"", value.tobytes())
            return True
        if self.before(value):
            return True
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        self.sized(b"a", name)
        self.out += order.encode() + (b"w" if value.flags.writeable else b"r") + _SIZE.pack(value.ndim)
        for length in value.shape:
            self.out += _SIZE.pack(length)
        self.sized(b"", value.tobytes(order))
        return True


_Write = Callable[[_Writer, Any, str], None]

_WRITERS: dict[type, _Write] = {
    type(None): lambda writer, value, _: writer.out.extend(b"n"),
    bool: lambda writer, value, _: writer.out.extend(b"1" if value else b"0"),
    int: _Writer.write_integer,
    float: lambda writer, value, _: writer.out.extend(b"f" + _FLOAT.pack(value)),
    complex: lambda writer, value, _: writer.out.extend(b"c" + _COMPLEX.pack(value.real, value.imag)),
    str: lambda writer, value, _: writer.sized(b"u", value.encode("utf-8", "surrogatepass")),
    bytes: lambda writer, value, _: writer.sized(b"b", value),
    bytearray: _Writer.write_buffer,
    list: _Writer.write_list,
    tuple: _Writer.write_tuple,
    dict: _Writer.write_dict,
    set: _Writer.write_set,
    frozenset: _Writer.write_frozenset,
}


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0
        self._seen: list[Any] = []

    def read(self) -> Any:
        tag = self._take(1)
        read = _READERS.get(tag)
        if read is None:
            raise DamagedError(f"no value begins with {tag!r}")
        return read(self)

    def _take(self, count: int) -> bytes:
        taken = self._data[self.place : self.place + count]
        if len(taken) != count:
            raise DamagedError("the value is cut off")
        self.place += count
        return taken

    def size(self) -> int:
        found: int = _SIZE.unpack(self._take(_SIZE.size))[0]
        if found > len(self._data) - self.place:  # each element has a byte at least
            raise DamagedError("the value is cut off")
        return found

    def sized(self) -> bytes:
        return self._take(self.size())

    def keep(self, value: Any) -> Any:
        self._seen.append(value)
        return value

    def read_reference(self) -> Any:
        return self._seen[_SIZE.unpack(self._take(_SIZE.size))[0]]

    def read_short(self) -> int:
        found: int = _SHORT.unpack(self._take(_SHORT.size))[0]
        return found

    def read_float(self) -> float:
        found: float = _FLOAT.unpack(self._take(_FLOAT.size))[0]
        return found

    def read_complex(self) -> complex:
        return complex(*_COMPLEX.unpack(self._take(_COMPLEX.size)))

    def read_list(self) -> list[Any]:
        count, found = self.size(), list[Any]()
        self.keep(found)
        found.extend(self.read() for _ in range(count))
        return found

    def read_tuple(self) -> Any:
        return self.keep(tuple([self.read() for _ in range(self.size())]))

    def read_dict(self) -> dict[Any, Any]:
        count, found = self.size(), dict[Any, Any]()
        self.keep(found)
        for _ in range(count):
            key = self.read()
            found[key] = self.read()
        return found

    def read_set(self) -> set[Any]:
        count, found = self.size(), set[Any]()
        self.keep(found)
        found.update([self.read() for _ in range(count)])
        return found

    def read_frozenset(self) -> Any:
        return self.keep(frozenset([self.read() for _ in range(self.size())]))

    def _dtype(self) -> Any:
        import numpy

        text, _, char = self.sized().decode("ascii").partition("/")
        dtype = numpy.dtype(text)
        if dtype.char != char and dtype.isnative:  # two names of one size, such as of C's long and long long
            other = numpy.dtype(char)
            dtype = other if other.itemsize == dtype.itemsize else dtype
        if dtype.kind not in FLAT_KINDS:
            raise DamagedError(f"{text!r} is no plain data type")
        return dtype

    def read_scalar(self) -> Any:
        import numpy

        dtype, data = self._dtype(), self.sized()
        return numpy.frombuffer(data, dtype)[0] if dtype.itemsize else dtype.type()  # an empty text has no bytes

    def read_array(self) -> Any:
        import numpy

        dtype = self._dtype()
        order, writeable = self._take(1).decode("ascii"), self._take(1) == b"w"
        shape = tuple(_SIZE.unpack(self._take(_SIZE.size))[0] for _ in range(self.size()))
        data = self.sized()
        found = numpy.ndarray(shape, dtype, bytearray(data), order="F" if order == "F" else "C")
        found = found.copy(order="K")
        found.flags.writeable = writeable
        return self.keep(found)


_READERS: dict[bytes, Callable[[_Reader], Any]] = {
    b"n": lambda reader: None,
    b"0": lambda reader: False,
    b"1": lambda reader: True,
    b"i": _Reader.read_short,
    b"I": lambda reader: int.from_bytes(reader.sized(), "little", signed=True),
    b"f": _Reader.read_float,
    b"c": _Reader.read_complex,
    b"u": lambda reader: reader.sized().decode("utf-8", "surrogatepass"),
    b"b": _Reader.sized,
    b"B": lambda reader: reader.keep(bytearray(reader.sized())),
    b"@": _Reader.read_reference,
    b"l": _Reader.read_list,
    b"t": _Reader.read_tuple,
    b"d": _Reader.read_dict,
    b"s": _Reader.read_set,
    b"z": _Reader.read_frozenset,
    b"g": _Reader.read_scalar,
    b"a": _Reader.read_array,
}
