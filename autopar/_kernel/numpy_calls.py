"""What is taken of NumPy: making arrays, scalar constructors, and the few functions that round correctly.

NumPy is never imported here: a function of it is known by the module that is already there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO, as_float, convert
from autopar._kernel.array_functions import ARRAY_FUNCTIONS, array_function, array_method
from autopar._kernel.building import allocate, copy, fill, loop
from autopar._kernel.context import Context
from autopar._kernel.dtypes import dtype_of
from autopar._kernel.elementwise import is_array, materialised, store_all
from autopar._kernel.indexing import at, load, row, store
from autopar._kernel.interval import Interval
from autopar._kernel.order import arguments
from autopar._kernel.value import Elements, Known, Memory, Number, Pack, Value, constant, machine_of

__all__ = ["method", "numpy_call"]

_MAKERS = {"zeros": 0, "ones": 1, "empty": 0, "full": None}
_LIKE = {"zeros_like": 0, "ones_like": 1, "empty_like": 0}
_INEXACT = ("sum", "mean", "var", "std", "dot", "matmul", "prod", "exp", "log", "tanh", "power", "cbrt", "sin", "cos")


def numpy_call(ctx: Context, target: Any, name: str, node: ast.Call) -> Value | None:
    """Lower a call of a NumPy function, or return None if it is not taken."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(target, type) and issubclass(target, numpy.generic):
        return _scalar(ctx, target.__name__.rstrip("_"), node)
    for plain in (*_MAKERS, *_LIKE):
        if target is getattr(numpy, plain):
            return _make(ctx, plain, node) if plain in _MAKERS else _make_like(ctx, plain, node)
    if target is numpy.arange:
        return _arange(ctx, node)
    for plain in (*_FUNCTIONS, *ARRAY_FUNCTIONS):
        if target is getattr(numpy, plain):
            if node.keywords:
                raise ctx.refuse(node, f"{name}() with these arguments is not in the native fragment")
            return _of_numbers_or_arrays(ctx, plain, name, node)
    if any(target is getattr(numpy, plain) for plain in _INEXACT):
        raise ctx.refuse(node, f"{name}() rounds in an order of its own")
    return None


def _of_numbers_or_arrays(ctx: Context, plain: str, name: str, node: ast.Call) -> Value:
    values, lower = arguments(ctx, node.args), _FUNCTIONS.get(plain)
    if any(map(is_array, values)):
        return array_function(ctx, plain, values, lower, node)
    if lower is None or len(values) != 1:
        raise ctx.refuse(node, f"{name}() with these arguments is not in the native fragment")
    return lower(ctx, values[0], node)


def _make(ctx: Context, name: str, node: ast.Call) -> Memory:
    positions = ["shape", "fill_value", "dtype"] if name == "full" else ["shape", "dtype"]
    args = dict(zip(positions, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in positions or keyword.arg in args:
            raise ctx.refuse(node, f"np.{name}() with these arguments is not in the native fragment")
        args[keyword.arg] = keyword.value
    if "shape" not in args or len(node.args) > len(positions) or (name == "full" and "fill_value" not in args):
        raise ctx.refuse(node, f"np.{name}() with these arguments is not in the native fragment")
    shape = ctx.expression(args["shape"])
    items = shape.items if isinstance(shape, Pack) else (shape,)
    dims = []
    for item in items:
        number = ctx.number(item, node)
        if not promotion.is_integer(number.kind):  # NumPy takes no truth values here
            raise ctx.refuse(node, f"a size of {number.kind} is not in the native fragment")
        dims.append(convert(ctx, number, t.Int(), node))
    if not 1 <= len(dims) <= 4:
        raise ctx.refuse(node, f"an array of {len(dims)} dimensions is not in the native fragment")
    if name == "full":
        value = ctx.number(ctx.expression(args["fill_value"]), node)
        dtype = dtype_of(ctx, args["dtype"]) if "dtype" in args else _dtype_of(ctx, value, node)
        out = allocate(ctx, t.Array(dtype, len(dims)), dims, node)
        fill(ctx, out, value, node)
        return out
    dtype = dtype_of(ctx, args.get("dtype"))
    return _filled(ctx, t.Array(dtype, len(dims)), dims, _MAKERS[name], node)


def _dtype_of(ctx: Context, value: Number, node: ast.AST) -> str:
    if isinstance(value.kind, t.NpScalar):
        return value.kind.dtype
    return {t.Int(): "int64", t.Float(): "float64", t.Bool(): "bool"}[value.kind]


def _filled(ctx: Context, kind: t.Array, dims: list[Number], value: int | None, node: ast.AST) -> Memory:
    # What np.empty() gives is anything, and zeros are something.
    out = allocate(ctx, kind, dims, node, zero=not value)
    if value:
        fill(ctx, out, constant(value), node)
    return out


def _arange(ctx: Context, node: ast.Call) -> Memory:
    """Lower np.arange(n), whose dtype is int64 wherever NumPy's default integer is."""
    if len(node.args) != 1 or node.keywords or sys.modules["numpy"].dtype(int).name != "int64":
        raise ctx.refuse(node, "np.arange() with these arguments is not in the native fragment")
    count = ctx.number(ctx.expression(node.args[0]), node)
    if count.kind != t.Int():
        raise ctx.refuse(node, f"np.arange() of {count.kind} is not in the native fragment")
    known = Interval(0, max(0, count.range.hi))
    length = count if count.range.lo >= 0 else Number(t.Int(), ir.Op("i64", "max", (count.expr, ZERO)), known)
    out = allocate(ctx, t.Array("int64", 1), [length], node)
    counter, loop_ = loop(ctx, out.dims[0].expr)
    with ctx.into(loop_.body):
        store(ctx, out, counter.expr, counter, node)
    ctx.add(loop_)
    return out


def _make_like(ctx: Context, name: str, node: ast.Call) -> Memory:
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if len(node.args) != 1 or not keywords.keys() <= {"dtype"}:
        raise ctx.refuse(node, f"np.{name}() with these arguments is not in the native fragment")
    like = ctx.expression(node.args[0])
    if not isinstance(like, Memory) or not isinstance(like.kind, t.Array) or like.strides is not None:
        raise ctx.refuse(node, f"np.{name}() of this object is not in the native fragment")
    dtype = dtype_of(ctx, keywords["dtype"]) if "dtype" in keywords else like.kind.dtype
    return _filled(ctx, t.Array(dtype, like.kind.ndim), list(like.dims), _LIKE[name], node)


def _scalar(ctx: Context, dtype: str, node: ast.Call) -> Number:
    if dtype not in t.DTYPES or node.keywords or len(node.args) != 1:
        raise ctx.refuse(node, f"np.{dtype}() of this is not in the native fragment")
    number = ctx.number(ctx.expression(node.args[0]), node)
    kind = t.NpScalar(dtype)
    if dtype == "float64":
        return Number(kind, as_float(ctx, number, "f64", node))
    if promotion.is_integer(kind) and not t.is_float(number.kind):
        if machine_of(kind) == "u64" or number.expr.machine == "u64":
            raise ctx.refuse(node, f"np.{dtype}() of {number.kind} is not in the native fragment")
        return convert(ctx, number, kind, node)
    raise ctx.refuse(node, f"np.{dtype}() of {number.kind} is not in the native fragment")


_SQUARE_ROOTS = (
    t.Int(),
    t.Float(),
    *(t.NpScalar(name) for name in ("float32", "float64", "int32", "int64", "uint32", "uint64")),
)


def _sqrt(ctx: Context, value: Value, node: ast.AST) -> Number:
    number = ctx.number(value, node)
    if number.kind in _SQUARE_ROOTS:
        ctx.float_flags = True
        machine = "f32" if number.kind == t.NpScalar("float32") else "f64"
        kind = t.NpScalar("float32" if machine == "f32" else "float64")
        return Number(kind, ir.Op(machine, "sqrt", (as_float(ctx, number, machine, node),)))
    raise ctx.refuse(node, f"np.sqrt() of {number.kind} is not in the native fragment")


def _abs(ctx: Context, value: Value, node: ast.AST) -> Number:
    number = ctx.number(value, node)
    if t.is_float(number.kind):
        kind = number.kind if promotion.is_numpy(number.kind) else t.NpScalar("float64")
        return Number(kind, ir.Op(number.expr.machine, "fabs", (number.expr,)))
    raise ctx.refuse(node, f"np.abs() of {number.kind} is not in the native fragment")


def _rounded(name: str) -> Callable[[Context, Value, ast.AST], Number]:
    def lower(ctx: Context, value: Value, node: ast.AST) -> Number:
        number = ctx.number(value, node)
        if number.kind not in (t.Float(), t.NpScalar("float64")):
            raise ctx.refuse(node, f"np.{name}() of {number.kind} is not in the native fragment")
        return Number(t.NpScalar("float64"), ir.Op("f64", name, (number.expr,)))

    return lower


_FUNCTIONS: dict[str, Callable[[Context, Value, ast.AST], Number]] = {
    "sqrt": _sqrt,
    "abs": _abs,
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
}


def method(ctx: Context, owner: Value, node: ast.Call) -> Value:
    """Lower a method of an array."""
    assert isinstance(node.func, ast.Attribute)
    name = node.func.attr
    if isinstance(owner, Elements):
        found = array_method(ctx, owner, node)
        if found is not None:
            return found
        owner = materialised(ctx, owner, node)
    if isinstance(owner, Memory) and isinstance(owner.kind, t.Array):
        if name == "copy" and not node.args and not node.keywords:
            return _copy(ctx, owner, node)
        if name == "item" and not node.keywords and len(node.args) == len(owner.dims):
            return _item(ctx, owner, node)
        if name == "fill" and not node.keywords and len(node.args) == 1:
            return _fill(ctx, owner, node)
        found = array_method(ctx, owner, node)
        if found is not None:
            return found
        if name in _INEXACT:
            raise ctx.refuse(node, f"{name}() rounds in an order of its own")
    if isinstance(owner, Memory) and isinstance(owner.kind, t.List) and name == "copy" and owner.kind.ndim == 1:
        if node.args or node.keywords:
            raise ctx.refuse(node, "list.copy() takes no arguments")
        out = allocate(ctx, owner.kind, owner.dims, node)
        copy(ctx, owner, out)
        return out
    raise ctx.refuse(node, f"the method '{name}' is not in the native fragment")


def _copy(ctx: Context, owner: Memory, node: ast.AST) -> Memory:
    out = allocate(ctx, t.Array(owner.dtype, len(owner.dims)), owner.dims, node)
    _copy_rows(ctx, owner, out)
    return out


def _copy_rows(ctx: Context, source: Memory, target: Memory) -> None:
    if len(source.dims) == 1:
        copy(ctx, source, target)
        return
    counter, loop_ = loop(ctx, source.dims[0].expr)
    with ctx.into(loop_.body):
        _copy_rows(ctx, row(source, [counter.expr]), row(target, [counter.expr]))
    ctx.add(loop_)


def _fill(ctx: Context, owner: Memory, node: ast.Call) -> Known:
    value = ctx.number(ctx.expression(node.args[0]), node)
    store_all(ctx, owner, value, node)
    return Known(None, "None")


def _item(ctx: Context, owner: Memory, node: ast.Call) -> Number:

    indexes = [ctx.number(ctx.expression(argument), argument) for argument in node.args]
    element = load(ctx, owner, at(ctx, owner, indexes, node))
    kind: t.Type = t.Int() if promotion.is_integer(element.kind) else t.Float()
    if promotion.is_truth(element.kind):
        kind = t.Bool()
    if element.expr.machine == "u64":
        raise ctx.refuse(node, "item() of np.uint64 is not in the native fragment")
    expr = as_float(ctx, element, "f64", node) if t.is_float(kind) else element.expr
    return Number(kind, expr, element.range)
