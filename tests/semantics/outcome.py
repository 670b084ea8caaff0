"""What a call does, as data that compares bit by bit: value, exception, warnings, output, and arguments afterwards."""

from __future__ import annotations

import contextlib
import io
import linecache
import math
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_DEEP = 100
"""Frames of a recursion without end that are told; how many fit is up to the depth at which the call is made."""

_LATE_LINES = sys.version_info < (3, 12)
"""There a warm function's UnboundLocalError may name the line before: from the eighth call on Python runs a load and
what comes before it as one instruction, and places the error at the first."""

PRELUDE: dict[str, Any] = {}
"""Names that sources and arguments may use: see `prelude`."""


def prelude(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give argument expressions a helper by its name."""
    PRELUDE[function.__name__] = function
    return function


@prelude
def every_second(values: Any, dtype: str = "float64") -> Any:
    """Lay the values out with gaps: a strided array."""
    room = np.zeros(2 * len(values), dtype)
    room[::2] = values
    return room[::2]


@prelude
def backwards(values: Any, dtype: str = "float64") -> Any:
    """Lay the values out from the end: an array of negative stride."""
    return np.array(values[::-1], dtype)[::-1]


@prelude
def misaligned(values: Any, dtype: str = "float64") -> Any:
    """Lay the values out one byte past a boundary."""
    packed = np.array(values, dtype)
    room = np.zeros(packed.nbytes + 1, np.uint8)
    view = room[1:].view(packed.dtype)
    view[:] = packed
    return view


@prelude
def read_only(values: Any, dtype: str = "float64") -> Any:
    """Make an array that refuses writes."""
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


@prelude
def overlapping(values: Any, dtype: str = "float64", shift: int = 1) -> tuple[Any, Any]:
    """Make two arrays of the same memory, the second `shift` elements behind the first."""
    room = np.array(values, dtype)
    return room[: len(room) - shift], room[shift:]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call went.

    Attributes
    ----------
    value
        What was returned, down to types and bits, or None.
    shared
        For each array or list in the result: the arguments that it is, or shares memory with.
    error
        Type, arguments and text of the exception and its traceback in the source, or None.
    warned, printed
        Warnings in order, and the output.
    arguments, names
        The arguments and the data of the module afterwards.
    """

    value: Any
    shared: Any
    error: Any
    warned: Any
    printed: str
    arguments: Any
    names: Any


def described(value: Any, one_nan: bool = False) -> Any:
    """Give a value as nested tuples of types and bits; without those that tell two NaNs apart, if `one_nan`."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind is float:
        return name, struct.pack("<d", math.nan if one_nan and math.isnan(value) else value).hex(), repr(value)
    if isinstance(value, np.ndarray):
        bits = _bits(value, one_nan)
        layout = value.strides, value.flags.writeable, value.flags.owndata
        return name, value.dtype.str, value.shape, layout, bits, str(value.tolist())
    if isinstance(value, np.generic):
        return name, _bits(value, one_nan), str(value.tolist())
    if isinstance(value, tuple | list):
        return name, tuple(described(one, one_nan) for one in value)
    if isinstance(value, dict):
        return name, tuple((described(key, one_nan), described(one, one_nan)) for key, one in value.items())
    if isinstance(value, memoryview):
        return name, value.tobytes().hex()
    return name, repr(value)


def _bits(value: Any, one_nan: bool) -> str:
    if one_nan and value.dtype.kind == "f":
        value = np.where(np.isnan(value), value.dtype.type(np.nan), value)
    bits: bytes = value.tobytes()
    return bits.hex()


def memory_of(value: Any) -> Any:
    """The array that owns an array's memory."""
    while isinstance(value.base, np.ndarray):
        value = value.base
    return value


def _state(value: Any, one_nan: bool) -> Any:
    """An argument afterwards, with the memory around it."""
    if isinstance(value, np.ndarray):
        return described(value, one_nan), described(memory_of(value), one_nan)
    if isinstance(value, tuple | list):
        return type(value).__name__, tuple(_state(one, one_nan) for one in value)
    return described(value, one_nan)


def _objects(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [value, *(inner for one in value for inner in _objects(one))]
    return [value] if isinstance(value, np.ndarray) else []


def _shared(result: Any, arguments: tuple[Any, ...]) -> Any:
    """For each object in the result, what it has to do with each object among the arguments."""
    given = _objects(arguments)[1:]
    return tuple(tuple(_relation(made, one) for one in given) for made in _objects(result))


def _relation(made: Any, given: Any) -> str:
    if made is given:
        return "is"
    if isinstance(made, np.ndarray) and isinstance(given, np.ndarray) and np.may_share_memory(made, given):
        return f"shares at {made.__array_interface__['data'][0] - given.__array_interface__['data'][0]}"
    return ""


def _error(error: BaseException, file: str) -> Any:
    frames: list[tuple[str, int | None]] = [
        (one.name, one.lineno) for one in traceback.extract_tb(error.__traceback__) if one.filename == file
    ]
    if isinstance(error, RecursionError):
        del frames[_DEEP:]
    if isinstance(error, UnboundLocalError) and _LATE_LINES:
        frames = [(name, None) for name, _ in frames]
    return type(error), described(list(error.args)), str(error), tuple(frames)


def module(source: str, file: str) -> dict[str, Any]:
    """Run the source as a module of its own, whose lines `inspect` can find."""
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    names: dict[str, Any] = {"__name__": "a_module_under_test", "np": np, "math": math}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of `return` in `finally`, from Python 3.14 on
        code = compile(source, file, "exec")
    exec(code, names)
    return names


def arguments_of(expression: str, names: dict[str, Any]) -> tuple[Any, ...]:
    """Make arguments anew from the expression of a tuple, which may use the module's names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # np.matrix asks not to be used
        made: tuple[Any, ...] = eval(expression, {**names, "np": np, "math": math, **PRELUDE})
    return made


def outcome(
    call: Callable[..., Any], arguments: tuple[Any, ...], names: dict[str, Any], file: str, *, one_nan: bool = False
) -> Outcome:
    """Call, and describe all that can be seen of it.

    Which NaN an operation of two NaNs gives is up to the processor and to the compiler that built CPython; with
    `one_nan` they are all alike.
    """
    value = shared = error = None
    with (
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        warnings.simplefilter("always")
        try:
            result = call(*arguments)
            value, shared = described(result, one_nan), _shared(result, arguments)
        except Exception as raised:
            error = _error(raised, file)
    return Outcome(
        value,
        shared,
        error,
        tuple((one.category, str(one.message)) for one in warned),
        printed.getvalue(),
        tuple(_state(one, one_nan) for one in arguments),
        tuple((name, described(one, one_nan)) for name, one in names.items() if _is_data(name, one)),
    )


def _is_data(name: str, value: Any) -> bool:
    return not name.startswith("__") and not callable(value) and value is not np and value is not math
