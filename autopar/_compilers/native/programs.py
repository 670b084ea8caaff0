"""A kernel's types as the short programs by which :class:`KernelEntry` packs arguments and unpacks results."""

from __future__ import annotations

from typing import Any

from autopar._compilers.native.refusal import NotCompiled
from autopar._kernel import types as t
from autopar._kernel.kernel import Kernel

_CONTIGUOUS, _WRITTEN, _UNDO = 1, 2, 4
_NUMBERS = {name: number for number, name in enumerate(t.DTYPES)}
_PLAIN: dict[type[t.Type], bytes] = {t.Int: b"i", t.Float: b"f", t.Bool: b"b", t.Nothing: b"n"}
_LARGEST = 255
RAW = b"w"
"""The result program that leaves making the result to Python."""


def parameter_program(kernel: Kernel, *, warnings_raise: bool = True) -> bytes:
    """How the arguments are packed; what is only written is kept for undoing if NumPy's warnings may raise."""
    pieces, undo = [], kernel.undo if warnings_raise else kernel.undo_if_warnings_pass
    for index, (_, kind) in enumerate(kernel.parameters):
        flags = _WRITTEN if index in kernel.written else 0
        if index in undo:
            flags |= _UNDO
        pieces.append(_parameter(kind, flags))
    return b"".join(pieces)


def parameter_program_of(kind: t.Type) -> bytes:
    """How one argument that is only read is packed."""
    return _parameter(kind, 0)


def result_program(kernel: Kernel) -> bytes:
    """How the result is unpacked."""
    return RAW if _has_memory(kernel.result) else _result(kernel.result)


def classes_of(kernel: Kernel) -> tuple[Any, ...]:
    """The NumPy classes that the guard compares with, or None in the place of each that it does not need."""
    kinds = list(_flat([kind for _, kind in kernel.parameters] + [kernel.result]))
    scalars = {kind.dtype for kind in kinds if isinstance(kind, t.NpScalar)}
    arrays = any(isinstance(kind, t.Array) for kind in kinds)
    if not scalars and not arrays:
        return (None,) * (len(t.DTYPES) + 1)
    import numpy

    classes = [numpy.dtype(name).type if name in scalars else None for name in t.DTYPES]
    return (*classes, numpy.ndarray if arrays else None)


def _parameter(kind: t.Type, flags: int) -> bytes:
    if isinstance(kind, t.Array):
        layout = _CONTIGUOUS if kind.layout == "C" else 0
        return b"a" + bytes([_NUMBERS[kind.dtype], kind.ndim, layout | flags])
    if isinstance(kind, t.List):
        return b"l" + _PLAIN[type(kind.item)] + bytes([kind.ndim, flags & _WRITTEN])
    if isinstance(kind, t.Tuple):
        return b"(" + _small(len(kind.items)) + b"".join(_parameter(item, flags) for item in kind.items)
    return _scalar(kind)


def _result(kind: t.Type) -> bytes:
    if isinstance(kind, t.Tuple):
        return b"(" + _small(len(kind.items)) + b"".join(map(_result, kind.items))
    if isinstance(kind, t.Argument):
        return b"g" + _small(kind.index)
    return _scalar(kind)


def _scalar(kind: t.Type) -> bytes:
    if isinstance(kind, t.NpScalar):
        return b"s" + bytes([_NUMBERS[kind.dtype]])
    return _PLAIN[type(kind)]


def _small(number: int) -> bytes:
    if number > _LARGEST:
        raise NotCompiled(f"a tuple or a call of more than {_LARGEST} items is not in the native fragment")
    return bytes([number])


def _has_memory(kind: t.Type) -> bool:
    return any(isinstance(each, (t.Array, t.List)) for each in _flat([kind]))


def _flat(kinds: list[t.Type]) -> list[t.Type]:
    """Types and the types that they are made of."""
    found: list[t.Type] = []
    for kind in kinds:
        found.append(kind)
        if isinstance(kind, t.Tuple):
            found += _flat(list(kind.items))
    return found
