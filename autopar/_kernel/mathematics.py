"""The functions of `math` and the like that the C library computes bit for bit as CPython does.

CPython calls the platform's libm for these, and so does the kernel, through the same shared library. Left out are those
with an algorithm of CPython's own: hypot, dist, fsum, gamma, lgamma, and others.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.arithmetic import as_float, as_integer, convert, truth_integer
from autopar._kernel.context import Context
from autopar._kernel.interval import FULL, Interval
from autopar._kernel.value import Number

__all__ = ["MATH", "float_of", "integer_of"]

# Functions of one argument whose result is finite for every finite argument in their domain, or else an exception.
_ONE = (
    "acos acosh asin asinh atan atanh cos cosh erf erfc exp expm1 log log10 log1p log2 sin sinh sqrt tan tanh cbrt exp2"
).split()
_WHOLE = ("floor", "ceil", "trunc")
_TESTS = ("isnan", "isinf", "isfinite")


def float_of(ctx: Context, number: Number, node: ast.AST) -> ir.Expr:
    """Return what float(number) is."""
    return as_float(ctx, number.plain() if t.is_float(number.kind) else ctx.settle(number, node), "f64", node)


def integer_of(ctx: Context, expr: ir.Expr, node: ast.AST) -> Number:
    """Return a float that is whole or to be truncated as an int."""
    reason = "a float is out of range for an integer"
    return Number(t.Int(), ctx.checked("truncate", "i64", (expr,), node, reason))


def _one(name: str) -> Callable[[Context, list[Number], ast.AST], Number]:
    def lower(ctx: Context, args: list[Number], node: ast.AST) -> Number:
        expr = float_of(ctx, args[0], node)
        reason = f"math.{name} of this is not a finite number"
        return Number(t.Float(), ctx.checked(f"m_{name}", "f64", (expr,), node, reason))

    return lower


def _whole(name: str) -> Callable[[Context, list[Number], ast.AST], Number]:
    def lower(ctx: Context, args: list[Number], node: ast.AST) -> Number:
        if not t.is_float(args[0].kind):
            number = truth_integer(ctx.settle(args[0], node))
            if number.kind != t.Int():
                raise ctx.refuse(node, f"math.{name} of {number.kind} is not in the native fragment")
            return number
        expr = float_of(ctx, ctx.settle(args[0], node), node)
        return integer_of(ctx, expr if name == "trunc" else ir.Op("f64", name, (expr,)), node)

    return lower


def _test(name: str) -> Callable[[Context, list[Number], ast.AST], Number]:
    def lower(ctx: Context, args: list[Number], node: ast.AST) -> Number:
        return Number(t.Bool(), ir.Op("bool", name, (float_of(ctx, args[0], node),)), Interval(0, 1))

    return lower


def _two(name: str) -> Callable[[Context, list[Number], ast.AST], Number]:
    def lower(ctx: Context, args: list[Number], node: ast.AST) -> Number:
        a, b = (float_of(ctx, arg, node) for arg in args)
        reason = f"math.{name} of this is not a finite number"
        return Number(t.Float(), ctx.checked(f"m_{name}", "f64", (a, b), node, reason))

    return lower


def _plain(name: str) -> Callable[[Context, list[Number], ast.AST], Number]:
    def lower(ctx: Context, args: list[Number], node: ast.AST) -> Number:
        return Number(t.Float(), ir.Op("f64", name, tuple(float_of(ctx, arg, node) for arg in args)))

    return lower


def _copysign(ctx: Context, args: list[Number], node: ast.AST) -> Number:
    """A NaN's sign is up to who computed it: what a C compiler works out has another than what the processor does."""
    value, sign = (float_of(ctx, arg, node) for arg in args)
    if t.is_float(args[1].kind):
        sign = ctx.hold(sign)
        ctx.exit_if(ir.Op("bool", "isnan", (sign,)), node, "the sign of something that is not a number")
    return Number(t.Float(), ir.Op("f64", "copysign", (value, sign)))


def _isqrt(ctx: Context, args: list[Number], node: ast.AST) -> Number:
    number = convert(ctx, truth_integer(ctx.settle(args[0], node)), t.Int(), node)
    if t.is_float(args[0].kind):
        raise ctx.refuse(node, "math.isqrt of a float is a TypeError")
    if number.range.lo < 0:
        ctx.exit_if(ir.Op("bool", "<", (number.expr, ir.Const("i64", 0))), node, "math.isqrt of a negative number")
    return Number(t.Int(), ir.Op("i64", "isqrt", (number.expr,)), Interval(0, 3037000499))


def _gcd(ctx: Context, args: list[Number], node: ast.AST) -> Number:
    if any(t.is_float(arg.kind) for arg in args):
        raise ctx.refuse(node, "math.gcd of floats is a TypeError")
    a, b = (as_integer(truth_integer(ctx.settle(arg, node)).expr) for arg in args)
    if a.machine != "i64" or b.machine != "i64":
        raise ctx.refuse(node, "math.gcd of np.uint64 is not in the native fragment")
    return Number(t.Int(), ctx.checked("gcd", "i64", (a, b), node, "int overflow"), Interval(0, FULL.hi))


# function -> (how many arguments, how to lower it)
MATH: dict[Any, tuple[int, Callable[[Context, list[Number], ast.AST], Number]]] = {
    **{getattr(math, name): (1, _one(name)) for name in _ONE if hasattr(math, name)},
    **{getattr(math, name): (1, _whole(name)) for name in _WHOLE},
    **{getattr(math, name): (1, _test(name)) for name in _TESTS},
    math.atan2: (2, _two("atan2")),
    math.pow: (2, _two("pow")),
    math.fmod: (2, _two("fmod")),
    math.fabs: (1, _plain("fabs")),
    math.copysign: (2, _copysign),
    math.radians: (1, _plain("radians")),
    math.degrees: (1, _plain("degrees")),
    math.isqrt: (1, _isqrt),
    math.gcd: (2, _gcd),
}
