"""The pure-Python twin of ``autopar._native.KernelEntry``; ``native/entry_impl.h`` says what both do."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import array

CHANGED, COMPARE, UNBOUND, DONE, UNFIT = -3, -2, -1, 0, 1 << 20
"""Why a call leaves the compiled way: numbers between `DONE` and `UNFIT` are side exits."""

CONTIGUOUS, WRITTEN, UNDO = 1, 2, 4
"""Flags of arrays and lists."""

DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
)
"""In the order of their numbers in programs."""

_BOOL, _UINT64, _FLOAT32 = DTYPES.index("bool"), DTYPES.index("uint64"), DTYPES.index("float32")
_LEAST, _GREATEST = -(2**63), 2**63 - 1
_ITEMS = {ord("i"): ("q", int), ord("f"): ("d", float), ord("b"): ("b", bool)}


class Unfit(Exception):  # noqa: N818 - it is no error: the call runs in Python
    """An argument does not have the type or range that the kernel was compiled for."""


class Packing:
    """The words of one call, what they point to, and how it is put back."""

    def __init__(self, classes: tuple[Any, ...]) -> None:
        self.classes = classes
        self.words: list[int] = []
        self.alive: list[Any] = []
        self.arrays: list[tuple[Any, Any]] = []
        self.lists: list[tuple[list[Any], int, Any, list[Any]]] = []
        self.rows: list[list[Any]] = []

    def pack(self, program: bytes, at: int, value: Any) -> int:
        """Add one value; return where the program goes on."""
        kind = program[at]
        if kind in _ITEMS:
            self.words.append(_word(kind, value))
            return at + 1
        if kind == ord("n"):
            _require(value is None)
            return at + 1
        if kind == ord("s"):
            self._numpy_scalar(program[at + 1], value)
            return at + 2
        if kind == ord("a"):
            self._array(program[at + 1], program[at + 2], program[at + 3], value)
            return at + 4
        if kind == ord("l"):
            self._list(program[at + 1], program[at + 2], program[at + 3], value)
            return at + 4
        _require(type(value) is tuple and len(value) == program[at + 1])
        at += 2
        for item in value:
            at = self.pack(program, at, item)
        return at

    def _numpy_scalar(self, dtype: int, value: Any) -> None:
        _require(type(value) is self.classes[dtype])
        if dtype >= _FLOAT32:
            self.words.append(_bits(float(value)))
        else:
            word = int(value)
            self.words.append(word - 2**64 if word > _GREATEST else word)

    def _array(self, dtype: int, ndim: int, flags: int, value: Any) -> None:
        _require(type(value) is self.classes[len(DTYPES)])
        own, made = value.flags, value.dtype
        _require(value.ndim == ndim and made.name == DTYPES[dtype] and made.isnative and own.aligned)
        _require(own.c_contiguous or not flags & CONTIGUOUS)
        _require(own.writeable or not flags & WRITTEN)
        self.alive.append(value)
        if flags & UNDO:
            self.arrays.append((value, value.copy()))
        self.words += [value.ctypes.data, *value.shape, *value.strides]

    def _list(self, kind: int, ndim: int, flags: int, value: Any) -> None:
        _require(type(value) is list and bool(value))
        rows = [value] if ndim == 1 else value
        _require(all(type(row) is list and len(row) == len(rows[0]) > 0 for row in rows))
        code, cls = _ITEMS[kind]
        items = [item for row in rows for item in row]
        _require(set(map(type, items)) == {cls})
        try:
            packed = (ctypes.c_char * (len(items) * struct.calcsize(code))).from_buffer_copy(
                struct.pack(f"{len(items)}{code}", *items)
            )
        except struct.error:
            raise Unfit from None
        self.alive.append(packed)
        self.rows += rows
        if flags & WRITTEN:
            self.lists += [
                (row, kind, packed, list(range(number * len(row), (number + 1) * len(row))))
                for number, row in enumerate(rows)
            ]
        self.words += [ctypes.addressof(packed), len(value), *([len(rows[0])] if ndim == 2 else [])]

    def check_lists_are_apart(self) -> None:
        """A list that is written must be packed once only, or the copies would part."""
        _require(not self.lists or len({id(row) for row in self.rows}) == len(self.rows))

    def undo(self) -> None:
        """Put back what the kernel has written to arrays; lists have not seen it."""
        for written, before in self.arrays:
            written[...] = before

    def write_lists(self) -> None:
        """Put the items that the kernel has changed into their lists."""
        for row, kind, packed, places in self.lists:
            code, cls = _ITEMS[kind]
            size = struct.calcsize(code)
            for column, place in enumerate(places):
                piece = packed.raw[place * size : (place + 1) * size]
                if piece != struct.pack(code, row[column]):
                    row[column] = cls(struct.unpack(code, piece)[0])


class KernelEntry:
    """A compiled kernel as a callable: guard, pack, call without the GIL, undo or unpack."""

    def __init__(
        self,
        address: int,
        parameters: bytes,
        result: bytes,
        count: int,
        words: int,
        result_at: int,
        classes: tuple[Any, ...],
        facts: tuple[tuple[Any, ...], ...],
        miss: Callable[[int, tuple[Any, ...], dict[str, Any]], Any],
        finish: Callable[[tuple[int, ...], tuple[Any, ...]], Any] | None,
        library: object,
    ) -> None:
        if address == 0 or count < 0 or result_at < 0 or words < result_at:
            raise ValueError("address must not be 0, and 0 <= result_at <= words")
        if len(classes) != len(DTYPES) + 1 or any(len(fact) != 8 for fact in facts):
            raise ValueError(f"classes must have {len(DTYPES) + 1} items, and each fact eight")
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
        self._parameters, self._result = parameters, result
        self._count, self._words, self._result_at = count, words, result_at
        self._classes, self._facts = classes, facts
        self._miss, self._finish, self._library = miss, finish, library
        self.countdown = 0
        self.calls = 0

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if len(arguments) != self._count or keywords:
            return self._miss(UNBOUND, arguments, keywords)
        if self.countdown > 0:
            self.countdown -= 1
            if self.countdown == 0:
                return self._miss(COMPARE, arguments, keywords)
        why, result = self.enter(arguments)
        return result if why == DONE else self._miss(why, arguments, keywords)

    def enter(self, arguments: tuple[Any, ...], /) -> tuple[int, Any]:
        """Run the kernel for a tuple of arguments; why it left, or 0, and the result."""
        if type(arguments) is not tuple:
            raise TypeError(f"arguments must be a tuple, not {type(arguments).__name__}")
        if len(arguments) != self._count:
            return UNBOUND, None
        if not facts_hold(self._facts):
            return CHANGED, None
        packing, at = Packing(self._classes), 0
        try:
            for value in arguments:
                at = packing.pack(self._parameters, at, value)
            packing.check_lists_are_apart()
        except Unfit:
            return UNFIT, None
        slots = (ctypes.c_int64 * max(1, self._words))(*packing.words)
        left = self._function(ctypes.addressof(slots))
        if left:
            packing.undo()
            return (left if 0 < left < UNFIT else UNFIT), None
        packing.write_lists()
        words = tuple(slots[self._result_at : self._words])
        if self._finish is not None:
            result = self._finish(words, arguments)
        else:
            result = self._unpacked(iter(self._result), iter(words), arguments)
        self.calls += 1
        return DONE, result

    def pack_rows(self, items: list[Any] | tuple[Any, ...], star: bool, tail: tuple[Any, ...], /) -> bytearray | None:
        """The words of many calls, one after the other, or None where an item does not fit."""
        if type(items) not in (list, tuple):
            raise TypeError(f"items must be a list or tuple, not {type(items).__name__}")
        words: list[int] = []
        for item in items:
            given = (*item, *tail) if star and type(item) is tuple else (item, *tail)
            packing, at = Packing(self._classes), 0
            try:
                _require(len(given) == self._count and (not star or type(item) is tuple))
                for value in given:
                    at = packing.pack(self._parameters, at, value)
                _require(not packing.rows)  # the packed form of a list would not outlive this
            except Unfit:
                return None
            words += packing.words
        return bytearray(struct.pack(f"{len(words)}q", *words))

    def _unpacked(self, program: Any, words: Any, arguments: tuple[Any, ...]) -> Any:
        kind = next(program)
        if kind in _ITEMS:
            return _object(kind, next(words))
        if kind == ord("n"):
            return None
        if kind == ord("s"):
            dtype, word = next(program), next(words)
            number: Any = _float(word) if dtype >= _FLOAT32 else word % 2**64 if dtype == _UINT64 else word
            return self._classes[dtype](bool(number) if dtype == _BOOL else number)
        if kind == ord("g"):
            return arguments[next(program)]
        if kind == ord("w"):
            return tuple(words)
        return tuple([self._unpacked(program, words, arguments) for _ in range(next(program))])


def copied_arrays(
    empty: Callable[[tuple[int, ...], Any], Any],
    dtype: object,
    release: int,
    rows: array.array[int] | bytearray,
    ndim: int,
    first: int,
    count: int,
    /,
) -> list[Any]:
    """Make a list of arrays out of memory that is then let go of: each by ``empty(shape, dtype)``, filled and released.

    Parameters
    ----------
    release
        Address of a C function that takes an owner. Of all owners none is left, also if an array cannot be made.
    rows
        Rows of ``2 + ndim`` words of 64 bits: owner, address of the first item, and the extents; items in C order.
    first, count
        Which of the rows.
    """
    width = 2 + ndim
    words = memoryview(rows).cast("B").cast("q")
    if not release or not 0 <= ndim <= 64 or first < 0 or count < 0 or len(words) // width < first + count:
        raise ValueError("rows do not have so many words")
    let_go = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(release)
    arrays: list[Any] = []
    owners = [words[width * row] for row in range(first, first + count)]
    try:
        for row in range(first, first + count):
            _, address, *shape = words[width * row : width * (row + 1)]
            made = empty(tuple(shape), dtype)
            ctypes.memmove(made.ctypes.data, address, made.nbytes)
            arrays.append(made)
    finally:
        for owner in owners:
            let_go(owner)
    return arrays


def _require(fits: bool) -> None:
    if not fits:
        raise Unfit


def _word(kind: int, value: Any) -> int:
    _require(type(value) is _ITEMS[kind][1])
    if kind == ord("f"):
        return _bits(value)
    _require(_LEAST <= value <= _GREATEST)
    return int(value)


def _object(kind: int, word: int) -> Any:
    return _float(word) if kind == ord("f") else word if kind == ord("i") else bool(word)


def _bits(value: float) -> int:
    return int(struct.unpack("q", struct.pack("d", value))[0])


def _float(word: int) -> float:
    return float(struct.unpack("d", struct.pack("q", word))[0])


_MISSING = object()


def facts_hold(facts: tuple[tuple[Any, ...], ...]) -> bool:
    """Whether everything that a kernel rests on is as it was."""
    return all(map(_holds, facts))


def _holds(fact: tuple[Any, ...]) -> bool:
    """Whether one thing that the kernel rests on is as it was."""
    namespace, name, builtins, now, value, code, defaults, kwdefaults = fact
    if namespace is None:
        try:
            current = now()
        except Exception:
            return False
    elif builtins is not None and name in namespace:
        return False
    else:
        current = (namespace if builtins is None else builtins).get(name, _MISSING)
    if current is not value or code is None:
        return current is value
    return (
        isinstance(value, FunctionType)
        and value.__code__ is code
        and value.__defaults__ is defaults
        and value.__kwdefaults__ is kwdefaults
    )
