"""The types that native code is specialised for: exact Python scalars, NumPy scalars, arrays, packed lists, tuples.

A type is a small hashable value with a short text form, as cache keys and logs want it:

>>> print(Tuple((Int(), Array("float64", 2))))
(int, float64[:,:])
"""

from __future__ import annotations

import sys
from typing import Any

from autopar._model.light_dataclass import dataclass

__all__ = [
    "DTYPES",
    "INT64_MAX",
    "INT64_MIN",
    "Argument",
    "Array",
    "Bool",
    "Float",
    "Int",
    "List",
    "Nothing",
    "NpScalar",
    "Tuple",
    "Type",
    "is_float",
    "is_scalar",
    "item_size",
    "type_of",
]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# The element types that compiled code reads and writes, with the size of each in bytes.
DTYPES: dict[str, int] = {
    "bool": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "float32": 4,
    "float64": 8,
}


@dataclass(frozen=True)
class Type:
    """What all types have in common: equality, hashing and a text form."""


@dataclass(frozen=True)
class Int(Type):
    """An exact `int` that fits 64 bits, signed."""

    def __str__(self) -> str:
        return "int"


@dataclass(frozen=True)
class Float(Type):
    """An exact `float`."""

    def __str__(self) -> str:
        return "float"


@dataclass(frozen=True)
class Bool(Type):
    """`True` or `False`."""

    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True)
class Nothing(Type):
    """`None`."""

    def __str__(self) -> str:
        return "None"


@dataclass(frozen=True)
class NpScalar(Type):
    """A NumPy scalar of one of `DTYPES`, as an array's element is."""

    dtype: str

    def __str__(self) -> str:
        return f"np.{self.dtype}"


@dataclass(frozen=True)
class Array(Type):
    """An exact `numpy.ndarray`, aligned and in native byte order; layout "C" is C-contiguous, "strided" is any."""

    dtype: str
    ndim: int
    layout: str = "C"

    def __str__(self) -> str:
        dims = ",".join(":" * self.ndim)
        return f"{self.dtype}[{dims}]" + ("" if self.layout == "C" else " strided")


@dataclass(frozen=True)
class List(Type):
    """An exact `list` whose items are all exactly `item`; with ndim 2, a list of such lists, all of one length."""

    item: Type
    ndim: int = 1

    def __str__(self) -> str:
        return "list[" * self.ndim + str(self.item) + "]" * self.ndim


@dataclass(frozen=True)
class Tuple(Type):
    """An exact `tuple` of items of these types."""

    items: tuple[Type, ...]

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.items)) + ("," if len(self.items) == 1 else "") + ")"


@dataclass(frozen=True)
class Argument(Type):
    """As a result only: the very object that was passed as parameter number `index`."""

    index: int

    def __str__(self) -> str:
        return f"argument {self.index}"


def is_scalar(kind: Type) -> bool:
    """Whether a value of this type is one number or truth value."""
    return isinstance(kind, (Int, Float, Bool, NpScalar))


def is_float(kind: Type) -> bool:
    """Whether a value of this type is a binary floating-point number."""
    return isinstance(kind, Float) or (isinstance(kind, NpScalar) and kind.dtype.startswith("float"))


def item_size(kind: Type) -> int:
    """Bytes of one element in the memory of an array or a packed list."""
    if isinstance(kind, Array):
        return DTYPES[kind.dtype]
    if isinstance(kind, List):
        return 1 if isinstance(kind.item, Bool) else 8
    raise TypeError(f"{kind} has no elements in memory")


def type_of(value: Any) -> Type | None:
    """Return the type of an argument, or None if native code does not take such a value.

    >>> print(type_of((1, 2.5, [True, False])))
    (int, float, list[bool])
    >>> print(type_of({}))
    None
    """
    cls = type(value)
    if cls is int:
        return Int() if INT64_MIN <= value <= INT64_MAX else None
    if cls in _PLAIN:
        return _PLAIN[cls]
    if cls is tuple:
        items = tuple(type_of(item) for item in value)
        return None if None in items else Tuple(items)  # type: ignore[arg-type]
    if cls is list:
        return _list_type(value)
    return _numpy_type(value)


_PLAIN: dict[type, Type] = {float: Float(), bool: Bool(), type(None): Nothing()}


def _list_type(value: list[Any]) -> Type | None:
    kinds = {type(item) for item in value}
    if len(kinds) != 1:
        return None
    (cls,) = kinds
    if cls is int:
        return List(Int()) if min(value) >= INT64_MIN and max(value) <= INT64_MAX else None
    if cls in (float, bool):
        return List(_PLAIN[cls])
    if cls is list and len({len(row) for row in value}) == 1 and len({id(row) for row in value}) == len(value):
        rows = {_list_type(row) for row in value}
        row = rows.pop()
        if not rows and isinstance(row, List) and row.ndim == 1:
            return List(row.item, 2)
    return None


def _numpy_type(value: Any) -> Type | None:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if type(value) is numpy.ndarray:
        flags, dtype = value.flags, value.dtype
        if dtype.name not in DTYPES or not dtype.isnative or not flags.aligned or not 1 <= value.ndim <= 4:
            return None
        return Array(dtype.name, value.ndim, "C" if flags.c_contiguous else "strided")
    if isinstance(value, numpy.generic) and value.dtype.name in DTYPES and type(value) is value.dtype.type:
        return NpScalar(value.dtype.name)
    return None
