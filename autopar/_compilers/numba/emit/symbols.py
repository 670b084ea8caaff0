"""Functions of the C library by address: LLVM, which knows some of them by their names, leaves them as they are."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache
from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit.machine import ADDRESS, DOUBLE, INT32, INT64, Value, number
from autopar._model.compiler import NotCompiled

ONE = frozenset(
    (
        *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh"),
        *("erf", "erfc", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "cbrt"),
    )
)
"""Of one double."""

TWO = frozenset(("atan2", "pow", "fmod"))
"""Of two."""

_VOID = ll.VoidType()
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    **dict.fromkeys(ONE, (DOUBLE, (DOUBLE,))),
    **dict.fromkeys(TWO, (DOUBLE, (DOUBLE, DOUBLE))),
    "malloc": (ADDRESS, (INT64,)),
    "calloc": (ADDRESS, (INT64, INT64)),
    "realloc": (ADDRESS, (ADDRESS, INT64)),
    "free": (_VOID, (ADDRESS,)),
    "feclearexcept": (INT32, (INT32,)),
    "fetestexcept": (INT32, (INT32,)),
}


@cache
def address_of(name: str) -> int:
    """Where a function of the C library is, which CPython's own calls of it reach too.

    Raises
    ------
    NotCompiled
        The C library has none.
    """
    for library in _libraries():
        found = getattr(library, name, None)
        if found is not None:
            return ctypes.cast(found, ctypes.c_void_p).value or 0
    raise NotCompiled(f"the C library of this system has no {name}()")


@cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    if sys.platform == "win32":
        return (ctypes.CDLL("ucrtbase"),)
    found = [ctypes.CDLL(None)]
    if sys.platform.startswith("linux"):
        with suppress(OSError):  # of another C library, which holds its mathematics itself
            found.append(ctypes.CDLL("libm.so.6"))
    return tuple(found)


def call(builder: Any, name: str, *args: Value) -> Value:
    """Call a function of the C library."""
    result, parameters = _SIGNATURES[name]
    kind = ll.FunctionType(result, parameters)
    return builder.call(builder.inttoptr(number(address_of(name)), kind.as_pointer()), args)
