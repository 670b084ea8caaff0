"""Calls: of builtins, of `math`, of NumPy, and of the user's own functions, which are compiled into the kernel."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO, binary, convert, negate, truth_integer
from autopar._kernel.array_functions import array_function
from autopar._kernel.comparison import compare, test_of
from autopar._kernel.context import Context
from autopar._kernel.elementwise import is_array
from autopar._kernel.helpers import inline
from autopar._kernel.interval import Interval
from autopar._kernel.mathematics import MATH, float_of, integer_of
from autopar._kernel.numpy_calls import method, numpy_call
from autopar._kernel.order import is_users
from autopar._kernel.reductions import any_or_all, extreme, total
from autopar._kernel.sequences import span
from autopar._kernel.value import Known, Memory, Number, Pack, Value

__all__ = ["apply", "call"]


def call(ctx: Context, node: ast.Call) -> Value:
    """Lower a call."""
    if isinstance(node.func, ast.Attribute):
        owner = ctx.lazy(node.func.value)
        if not isinstance(owner, Known):
            return method(ctx, owner, node)
    function = ctx.expression(node.func)
    if not isinstance(function, Known):
        raise ctx.refuse(node, "calling this object is not in the native fragment")
    target = function.value
    if isinstance(target, FunctionType) and is_users(target):
        return inline(ctx, target, node)
    handler = _BUILTINS.get(target) if _hashable(target) else None
    if handler is not None:
        return handler(ctx, node)
    if _hashable(target) and target in MATH:
        if node.keywords:
            raise ctx.refuse(node, f"{function.name}() with these arguments is not in the native fragment")
        return _mathematics(ctx, function, [ctx.expression(argument) for argument in node.args], node)
    out = numpy_call(ctx, target, function.name, node)
    if out is None:
        raise ctx.refuse(node, f"{function.name}() is not in the native fragment")
    return out


def _hashable(value: Any) -> bool:
    return isinstance(value, type) or type(value).__name__ == "builtin_function_or_method"


def apply(ctx: Context, function: Known, values: list[Value], node: ast.Call) -> Value:
    """Lower the call of a function for values that are worked out already."""
    if is_users(function.value):
        return inline(ctx, function.value, node, values)
    if _hashable(function.value) and function.value in MATH:
        return _mathematics(ctx, function, values, node)
    if function.value in (abs, float, int) and len(values) == 1:
        return {abs: _abs_of, float: _float_of, int: _int_of}[function.value](ctx, values[0], node)
    raise ctx.refuse(node, f"{function.name}() inside of map() is not in the native fragment")


def _mathematics(ctx: Context, function: Known, values: list[Value], node: ast.Call) -> Number:
    count, lower = MATH[function.value]
    if len(values) != count:
        raise ctx.refuse(node, f"{function.name}() with these arguments is not in the native fragment")
    numbers = []
    for value in values:
        if not isinstance(value, Number):
            raise ctx.refuse(node, "a number is needed here")
        numbers.append(value)
    return lower(ctx, numbers, node)


def _only(ctx: Context, node: ast.Call, count: int) -> list[Value]:
    if node.keywords or len(node.args) != count:
        raise ctx.refuse(node, f"{ast.unparse(node.func)}() with these arguments is not in the native fragment")
    return [ctx.expression(argument) for argument in node.args]


def _len(ctx: Context, node: ast.Call) -> Value:
    (value,) = _only(ctx, node, 1)
    if isinstance(value, Memory):
        return value.dims[0]
    if isinstance(value, Pack):
        ctx.drop(value)
        return Number(t.Int(), ir.Const("i64", len(value.items)), Interval(len(value.items), len(value.items)))
    raise ctx.refuse(node, "len() of this object is not in the native fragment")


def _abs(ctx: Context, node: ast.Call) -> Value:
    return _abs_of(ctx, _only(ctx, node, 1)[0], node)


def _abs_of(ctx: Context, value: Value, node: ast.AST) -> Value:
    if is_array(value):
        return array_function(ctx, "abs", [value], None, node)
    if not isinstance(value, Number):
        raise ctx.refuse(node, "abs() of this object is not in the native fragment")
    return absolute(ctx, value, node)


def absolute(ctx: Context, number: Number, node: ast.AST) -> Number:
    """Lower abs(number)."""
    if t.is_float(number.kind):
        return Number(
            number.kind, ir.Op(number.expr.machine, "fabs", (number.expr,)), weak=number.weak, flag=number.flag
        )
    number = truth_integer(ctx.settle(number, node))
    if number.range.lo >= 0:
        return number
    if promotion.is_truth(number.kind):
        raise ctx.refuse(node, "abs() of np.bool is not in the native fragment")
    negate(ctx, number, node) if number.range.lo == t.INT64_MIN or promotion.is_numpy(number.kind) else None
    return Number(number.kind, ir.Op("i64", "abs", (number.expr,)), abs(number.range))


def _int(ctx: Context, node: ast.Call) -> Value:
    return _int_of(ctx, _only(ctx, node, 1)[0], node)


def _int_of(ctx: Context, value: Value, node: ast.AST) -> Value:
    number = ctx.number(value, node)
    if t.is_float(number.kind):
        return integer_of(ctx, float_of(ctx, number, node), node)
    if promotion.is_truth(number.kind):
        return Number(t.Int(), ir.Op("i64", "i64", (number.expr,)), number.range)
    return convert(ctx, _signed(ctx, number, node), t.Int(), node)


def _signed(ctx: Context, number: Number, node: ast.AST) -> Number:
    if number.expr.machine != "u64":
        return number
    ctx.exit_if(ir.Op("bool", ">", (number.expr, ir.Const("u64", t.INT64_MAX))), node, "int overflow")
    return Number(t.Int(), ir.Op("i64", "i64", (number.expr,)), Interval(0, t.INT64_MAX))


def _float(ctx: Context, node: ast.Call) -> Value:
    return _float_of(ctx, _only(ctx, node, 1)[0], node)


def _float_of(ctx: Context, value: Value, node: ast.AST) -> Value:
    if isinstance(value, Known) and type(value.value) is str:
        try:
            return Number(t.Float(), ir.Const("f64", float(value.value)))
        except ValueError:
            raise ctx.refuse(node, "float() of this text is a ValueError") from None
    if not isinstance(value, Number):
        raise ctx.refuse(node, "float() of this object is not in the native fragment")
    return Number(t.Float(), float_of(ctx, value, node))


def _bool(ctx: Context, node: ast.Call) -> Value:
    return Number(t.Bool(), test_of(ctx, _only(ctx, node, 1)[0], node), Interval(0, 1))


def _round(ctx: Context, node: ast.Call) -> Value:
    number = ctx.number(_only(ctx, node, 1)[0], node)
    if number.kind == t.NpScalar("float32") or (promotion.is_numpy(number.kind) and not t.is_float(number.kind)):
        raise ctx.refuse(node, f"round() of {number.kind} is not in the native fragment")
    if not t.is_float(number.kind):
        return truth_integer(number)
    return integer_of(ctx, ir.Op("f64", "round_half_even", (number.expr,)), node)


def _range(ctx: Context, node: ast.Call) -> Value:
    return span(ctx, node)


def _pow(ctx: Context, node: ast.Call) -> Value:
    left, right = _only(ctx, node, 2)
    if not isinstance(left, Number) or not isinstance(right, Number):
        raise ctx.refuse(node, "pow() of these objects is not in the native fragment")
    return binary(ctx, ast.Pow(), left, right, node)


def _divmod(ctx: Context, node: ast.Call) -> Value:
    left, right = _only(ctx, node, 2)
    if not isinstance(left, Number) or not isinstance(right, Number):
        raise ctx.refuse(node, "divmod() of these objects is not in the native fragment")
    return Pack((binary(ctx, ast.FloorDiv(), left, right, node), binary(ctx, ast.Mod(), left, right, node)))


def _sum(ctx: Context, node: ast.Call) -> Value:
    return total(ctx, node, sys.version_info)


_BUILTINS: dict[Any, Callable[[Context, ast.Call], Value]] = {
    len: _len,
    abs: _abs,
    int: _int,
    float: _float,
    bool: _bool,
    round: _round,
    range: _range,
    pow: _pow,
    divmod: _divmod,
    min: extreme,
    max: extreme,
    sum: _sum,
    any: any_or_all,
    all: any_or_all,
}
_ = (ZERO, compare)
