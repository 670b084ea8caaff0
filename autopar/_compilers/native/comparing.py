"""Whether two results are the same: type, value, sign of zero, not-a-number, element by element."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any


def difference(ours: Any, python: Any, *, rtol: float = 0.0, where: str = "result") -> str:
    """Say where and how two results differ, by types and positions; empty where they are the same.

    Parameters
    ----------
    ours, python
        What compiled code gave, and what Python gave.
    rtol
        Relative difference of floats that is allowed.
    where
        What is compared, in words.

    Notes
    -----
    Any two NaNs are the same: Python programs do not see their bits, and C compilers do not promise them.

    Examples
    --------
    >>> difference((1, 2.0), (1, 2.0))
    ''
    >>> difference((1, 0.0), (1, -0.0))
    'result[1]: a float and a float of another value'
    >>> difference(1, True)
    'result: int, where Python gives bool'
    """
    if type(ours) is not type(python):
        return f"{where}: {_name(ours)}, where Python gives {_name(python)}"
    if isinstance(python, float) and type(python) is float:
        return "" if _same_float(ours, python, rtol) else f"{where}: a float and a float of another value"
    if type(python) in (tuple, list):
        return _of_sequences(ours, python, rtol, where)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(python, (numpy.ndarray, numpy.generic)):
        return _of_arrays(numpy, ours, python, rtol, where)
    return "" if ours == python else f"{where}: {_a(python)} and {_a(python)} of another value"


def _same_float(ours: float, python: float, rtol: float) -> bool:
    if ours == python:
        return ours != 0 or math.copysign(1.0, ours) == math.copysign(1.0, python)
    if ours != ours or python != python:
        return ours != ours and python != python
    return rtol > 0 and math.isclose(ours, python, rel_tol=rtol)


def _of_sequences(ours: Sequence[Any], python: Sequence[Any], rtol: float, where: str) -> str:
    if len(ours) != len(python):
        return f"{where}: {len(ours)} elements, where Python gives {len(python)}"
    for place, (own, other) in enumerate(zip(ours, python, strict=True)):
        if found := difference(own, other, rtol=rtol, where=f"{where}[{place}]"):
            return found
    return ""


def _of_arrays(numpy: Any, ours: Any, python: Any, rtol: float, where: str) -> str:
    if ours.dtype != python.dtype:
        return f"{where}: {ours.dtype}, where Python gives {python.dtype}"
    if ours.shape != python.shape:
        return f"{where}: shape {ours.shape}, where Python gives {python.shape}"
    if ours.tobytes() == python.tobytes():
        return ""
    unequal = numpy.asarray(_unequal(numpy, ours, python, rtol))
    if not unequal.any():
        return ""
    place = tuple(map(int, numpy.argwhere(unequal)[0]))
    at = f"[{', '.join(map(str, place))}]" if place else ""
    return f"{where}{at}: {_a(python.dtype)} and {_a(python.dtype)} of another value"


def _unequal(numpy: Any, ours: Any, python: Any, rtol: float) -> Any:
    """Mask of the elements that differ."""
    if python.dtype.kind not in "fc":
        return ours != python
    with numpy.errstate(all="ignore"):
        same = (ours == python) & _same_signs(numpy, ours, python)
        same |= numpy.isnan(ours) & numpy.isnan(python)
        if rtol > 0:
            same |= numpy.isclose(ours, python, rtol=rtol, atol=0.0)
    return ~same


def _same_signs(numpy: Any, ours: Any, python: Any) -> Any:
    if python.dtype.kind == "c":
        real = numpy.signbit(ours.real) == numpy.signbit(python.real)
        return real & (numpy.signbit(ours.imag) == numpy.signbit(python.imag))
    return numpy.signbit(ours) == numpy.signbit(python)


def _name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _a(value: Any) -> str:
    name = str(value) if type(value).__name__.endswith("DType") else _name(value)
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"
