"""NumPy's functions of elements: which are exact on single elements, and which with a tolerance only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autopar._compilers.arrays.desk import PREFIX, Desk
from autopar._compilers.arrays.values import Elements, Known, Scalar, sample_of, tried

MATH = f"{PREFIX}math"
_ROUNDED = {
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log2": "log2",
    "log10": "log10",
    "log1p": "log1p",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "hypot": "hypot",
    "cbrt": "cbrt",
    "power": "pow",
    "float_power": "pow",
}
"""NumPy's functions of floats that differ from the C library's in the last places: its own vector code."""

_OPERATORS = {
    "add": "({} + {})",
    "subtract": "({} - {})",
    "multiply": "({} * {})",
    "divide": "({} / {})",
    "true_divide": "({} / {})",
    "negative": "(-{})",
    "less": "({} < {})",
    "greater": "({} > {})",
    "less_equal": "({} <= {})",
    "greater_equal": "({} >= {})",
    "equal": "({} == {})",
    "not_equal": "({} != {})",
    "logical_not": "(not {})",
    "logical_and": "({} and {})",
    "logical_or": "({} or {})",
    "isnan": "({0} != {0})",
}
_OWN = ("sqrt", "abs", "absolute", "fabs", "floor", "ceil", "trunc")
"""Functions that the kernel's front end takes of single elements."""


def of_elements(desk: Desk, function: Any, values: list[Known]) -> Known | None:
    """A function of NumPy's on arrays, element by element; None if it is not one of those here."""
    import numpy as np

    name = getattr(function, "__name__", "")
    if function is abs:
        name, function = "abs", np.abs
    if getattr(np, name, None) is not function and name != "abs":
        return None
    if name in _OPERATORS and len(values) == function.nin:
        return desk.elementwise(function, _OPERATORS[name], *values)
    if name == "square" and len(values) == 1:
        return squared(desk, values[0])
    if name in _OWN and len(values) == 1:
        own = "abs" if name in ("absolute", "fabs") else name
        desk.kind("float64")
        return desk.elementwise(function, f"{PREFIX}np.{own}({{}})", *values)
    if name in _ROUNDED:
        return rounded(desk, function, name, values)
    if name == "where" and len(values) == 3:
        return _where(desk, values)
    if name in ("maximum", "minimum") and len(values) == 2:
        return extreme(desk, function, ">" if name == "maximum" else "<", values)
    if name == "clip" and len(values) == 3:
        lower = extreme(desk, np.maximum, ">", values[:2])
        return extreme(desk, np.minimum, "<", [lower, values[2]])
    return None


def named(desk: Desk, value: Known, statements: Callable[[str], str], dtype: str) -> Elements:
    """An array whose elements are worked out from the named elements of another."""
    assert isinstance(value, Elements)

    def at(indexes: tuple[str, ...], out: list[str]) -> str:
        name = desk.fresh("e")
        out.append(f"{name} = {value.at(indexes, out)}")
        return statements(name)

    return Elements(value.dims, dtype, at, ordered=value.ordered)


def squared(desk: Desk, value: Known) -> Known:
    """The product with itself, which is how NumPy squares arrays."""
    if isinstance(value, Scalar):
        held = desk.hold(value)
        return Scalar(f"({held.text} * {held.text})", tried(lambda x: x * x, held.sample))
    return named(desk, value, lambda name: f"({name} * {name})", value.dtype)


def rounded(desk: Desk, function: Any, name: str, values: list[Known]) -> Known:
    """A function that is the C library's but for the last places."""
    import numpy as np

    if not desk.rtol:
        desk.refuse(f"np.{name}() rounds otherwise than the C library; rtol= would admit it")
    samples = [sample_of(value) for value in values]
    result = tried(function, *samples)
    if getattr(result, "dtype", None) != np.float64:
        desk.refuse(f"np.{name}() is made into loops for float64 only")
    desk.given[MATH] = math
    form = f"{MATH}.{_ROUNDED[name]}({', '.join(['{}'] * len(values))})"
    if all(isinstance(value, Scalar) for value in values):
        desk.kind("float64")
        form = f"{PREFIX}np.float64({form})"
    return desk.elementwise(function, form, *values)


def _where(desk: Desk, values: list[Known]) -> Known:
    """Both values are worked out for all elements, as NumPy does, which may warn of either."""
    import numpy as np

    samples = [sample_of(value) for value in values]
    values = [values[0], *(_stored(desk, value) for value in values[1:])]
    dtype = getattr(tried(np.where, *samples), "dtype", None)
    if dtype is None or dtype.name == "float32":
        desk.refuse("the dtype of np.where() is not known, or float32")
    kind = desk.kind(dtype.name)

    def chosen(test: str, yes: str, no: str) -> str:
        return f"({kind}({yes}) if {test} else {kind}({no}))"

    return _with_names(desk, np.where, values, lambda names: chosen(*names))


def _stored(desk: Desk, value: Known) -> Known:
    """Worked out for all elements, which what is chosen only later might not be."""
    if isinstance(value, Scalar) or value.name:
        return value
    return replace(desk.whole(desk.made(value)), ordered=value.ordered)


def extreme(desk: Desk, function: Any, relation: str, values: list[Known]) -> Known:
    """The larger or smaller of two; of floats which zero that is, and which NaN, is not certain."""
    result = tried(function, *[sample_of(value) for value in values])
    kind = getattr(result, "dtype", None)
    if kind is None:
        desk.refuse(f"the dtype of np.{function.__name__}() is not known")
    if kind.kind == "f" and not desk.rtol:
        desk.refuse(f"np.{function.__name__}() of floats may differ in the sign of zero; rtol= would admit it")
    if kind.name == "float32":
        desk.refuse(f"np.{function.__name__}() of float32 is not made into loops")
    wrap = desk.kind(kind.name)

    def chosen(names: list[str]) -> str:
        a, b = names
        nan = f" or {a} != {a}" if kind.kind == "f" else ""
        return f"({wrap}({a}) if {a} {relation} {b}{nan} else {wrap}({b}))"

    return _with_names(desk, function, values, chosen)


def _with_names(desk: Desk, function: Any, values: list[Known], form: Callable[[list[str]], str]) -> Known:
    """As `Desk.elementwise`, for texts that use a value more than once."""
    places = "".join("\0{}" for _ in values)
    found = desk.elementwise(function, places, *values)
    if isinstance(found, Scalar):
        names = [desk.hold(Scalar(text)).text for text in found.text.split("\0")[1:]]
        return Scalar(form(names), found.sample)

    def at(indexes: tuple[str, ...], out: list[str]) -> str:
        names = []
        for text in found.at(indexes, out).split("\0")[1:]:
            if text.isidentifier():
                names.append(text)
                continue
            names.append(desk.fresh("e"))
            out.append(f"{names[-1]} = {text}")
        return form(names)

    return Elements(found.dims, found.dtype, at, ordered=found.ordered)
