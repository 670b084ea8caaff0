"""Comparisons and truth values."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import as_float, as_integer
from autopar._kernel.constraints import FLIPPED, NEGATED, Constraint
from autopar._kernel.context import Context
from autopar._kernel.interval import Interval
from autopar._kernel.sure_uses import has_arithmetic
from autopar._kernel.value import Known, Memory, Number, Pack, Value

__all__ = ["compare", "constraints_of", "relation_of", "test_of"]

_RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_EXACT = Interval(-(2**53), 2**53)


def relation_of(operator: ast.cmpop) -> str | None:
    """Return the C operator of a comparison, or None if it is `is`, `in` and the like."""
    return _RELATIONS.get(type(operator))


def compare(ctx: Context, relation: str, left: Number, right: Number, node: ast.AST) -> ir.Expr:
    """Lower a comparison of two numbers to a machine truth value."""
    left, right = _decided(ctx, left, right, node)
    if not t.is_float(left.kind) and not t.is_float(right.kind):
        return _integers(ctx, relation, left, right, node)
    kind = promotion.common(left.kind, right.kind)
    if kind is None:
        raise ctx.refuse(node, f"comparing {left.kind} with {right.kind} is not in the native fragment")
    for integer, real, relation_ in ((left, right, relation), (right, left, FLIPPED[relation])):
        if promotion.is_integer(integer.kind) and not integer.range.within(_EXACT):
            if kind == t.Float():
                return ir.Op("bool", f"int_float{relation_}", (integer.expr, real.expr))
            if not promotion.is_numpy(integer.kind):
                outside = ir.Op("bool", "outside", (integer.expr, ir.Const("i64", -(2**53)), ir.Const("i64", 2**53)))
                ctx.exit_if(outside, node, "an integer beyond 2**53 compared with a NumPy float")
    machine = "f32" if kind == t.NpScalar("float32") else "f64"
    return ir.Op("bool", relation, (as_float(ctx, left, machine, node), as_float(ctx, right, machine, node)))


def _decided(ctx: Context, left: Number, right: Number, node: ast.AST) -> tuple[Number, Number]:
    """Settle types in doubt, unless the outcome is the same either way."""
    doubles = {t.Float(), t.NpScalar("float64"), t.Int()}
    kinds = {left.kind, right.kind, left.weak or left.kind, right.weak or right.kind}
    if kinds <= doubles or kinds <= {t.Int(), t.NpScalar("int64")}:
        return left.plain(), right.plain()
    return ctx.settle(left, node), ctx.settle(right, node)


def _integers(ctx: Context, relation: str, left: Number, right: Number, node: ast.AST) -> ir.Expr:
    a, b = as_integer(left.expr), as_integer(right.expr)
    if a.machine == "u64" or b.machine == "u64":
        if a.machine != b.machine:
            signed = left if b.machine == "u64" else right
            if signed.range.lo < 0 or promotion.is_numpy(signed.kind):
                raise ctx.refuse(node, f"comparing {left.kind} with {right.kind} is not in the native fragment")
            a, b = (e if e.machine == "u64" else ir.Op("u64", "u64", (e,)) for e in (a, b))
        return ir.Op("bool", relation, (a, b))
    outcome = _certain(relation, left.range, right.range)
    if outcome is not None and not (has_arithmetic(a) or has_arithmetic(b)):
        return ir.Const("bool", outcome)
    return ir.Op("bool", relation, (a, b))


def _certain(relation: str, a: Interval, b: Interval) -> bool | None:
    if relation in (">", ">="):
        return _certain(FLIPPED[relation], b, a)
    if relation == "<":
        return True if a.hi < b.lo else False if a.lo >= b.hi else None
    if relation == "<=":
        return True if a.hi <= b.lo else False if a.lo > b.hi else None
    equal = True if a.fixed and a == b else False if (a & b) is None else None
    return equal if relation == "==" or equal is None else not equal


def constraints_of(
    relation: str, left: Number, right: Number, left_name: str | None, right_name: str | None
) -> tuple[Sequence[Constraint], Sequence[Constraint]]:
    """Return what a comparison says of the variables compared, if it holds and if it does not."""
    held, failed = [], []
    for name, relation_, other in ((left_name, relation, right), (right_name, FLIPPED[relation], left)):
        if name is not None and not t.is_float(other.kind):
            held.append(Constraint(name, relation_, other))
            failed.append(Constraint(name, NEGATED[relation_], other))
    return held, failed


def test_of(ctx: Context, value: Value, node: ast.AST) -> ir.Expr:
    """Lower the truth value of an object."""
    if isinstance(value, Number):
        expr = value.expr
        if isinstance(expr, ir.Const):
            return ir.Const("bool", bool(expr.value))
        if expr.machine == "bool":
            return expr
        if not t.is_float(value.kind) and (value.range.lo > 0 or value.range.hi < 0):
            return ir.Const("bool", True)
        return ir.Op("bool", "!=", (expr, ir.Const(expr.machine, 0)))
    if isinstance(value, Memory) and isinstance(value.kind, t.List):
        length = value.dims[0]
        return ir.Op("bool", "!=", (length.expr, ir.Const("i64", 0)))
    if isinstance(value, Pack):
        return ir.Const("bool", bool(value.items))
    if isinstance(value, Known) and value.value is None:
        return ir.Const("bool", False)
    raise ctx.refuse(node, "the truth value of this object is not in the native fragment")


test_of.__test__ = False  # type: ignore[attr-defined]
