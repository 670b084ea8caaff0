"""Expressions: scalars stay as they are, arrays become elements."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autopar._compilers.arrays.calls import called
from autopar._compilers.arrays.desk import Desk
from autopar._compilers.arrays.functions import rounded, squared
from autopar._compilers.arrays.products import product
from autopar._compilers.arrays.selection import selected
from autopar._compilers.arrays.values import Elements, Known, Scalar, Whole, tried

OPERATORS: dict[type[ast.operator | ast.cmpop], tuple[str, Callable[..., Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
    ast.LShift: ("<<", operator.lshift),
    ast.RShift: (">>", operator.rshift),
    ast.Pow: ("**", operator.pow),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
"""How an operator between two operands is written, and what it does; those of objects' identity and of containers are
not among them."""

_EXACT_ON_ARRAYS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr, ast.BitXor)


def value(desk: Desk, node: ast.expr) -> Known:
    """What an expression is, with the statements that it takes written."""
    form = _FORMS.get(type(node))
    if form is not None:
        return form(desk, node)
    return _rebuilt(desk, node)


def scalar(desk: Desk, node: ast.expr) -> Scalar:
    """An expression that must not be an array."""
    found = value(desk, node)
    if isinstance(found, Elements):
        desk.refuse("an array is used where one number is needed")
    return found


def _constant(desk: Desk, node: ast.Constant) -> Known:
    return Scalar(ast.unparse(node), node.value if type(node.value) in (int, float, bool) else None)


def _name(desk: Desk, node: ast.Name) -> Known:
    if node.id in desk.locals:
        here = desk.env.get(node.id)
        return desk.whole(node.id) if isinstance(here, Whole) else Scalar(node.id, here.sample if here else None)
    known = desk.refers_to(node)
    return Scalar(node.id, known if type(known) in (int, float, bool) else None)


def _attribute(desk: Desk, node: ast.Attribute) -> Known:
    known = desk.refers_to(node)
    if known is not None:
        return Scalar(ast.unparse(node), known if type(known) in (int, float, bool) else None)
    base = value(desk, node.value)
    if isinstance(base, Scalar):
        return Scalar(f"{base.text}.{node.attr}")
    if node.attr == "T":
        ordered = len(base.dims) < 2
        turned = Elements(base.dims[::-1], base.dtype, lambda indexes, out: base.at(indexes[::-1], out))
        return replace(turned, part=True, ordered=ordered)
    if base.name and node.attr in ("shape", "dtype"):
        return Scalar(f"{base.name}.{node.attr}")
    if node.attr == "size":
        return Scalar(f"({' * '.join(base.dims)})", 1)
    if node.attr == "ndim":
        return Scalar(str(len(base.dims)), 1)
    desk.refuse(f"the attribute {node.attr!r} of an array is not made into loops")


def _subscript(desk: Desk, node: ast.Subscript) -> Known:
    base = value(desk, node.value)
    if isinstance(base, Elements):
        return selected(desk, base, node.slice)
    sample = 1 if isinstance(node.value, ast.Attribute) and node.value.attr == "shape" else None
    return Scalar(f"{base.text}[{_rebuilt(desk, node.slice).text}]", sample)


def _binary(desk: Desk, node: ast.BinOp) -> Known:
    left, right = value(desk, node.left), value(desk, node.right)
    if isinstance(node.op, ast.MatMult):
        return product(desk, left, right)
    sign, operation = OPERATORS[type(node.op)]
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(f"({left.text} {sign} {right.text})", _of_scalars(node.op, operation, left.sample, right.sample))
    if isinstance(node.op, ast.Pow):
        return _power(desk, left, right, node.right)
    if not isinstance(node.op, _EXACT_ON_ARRAYS):
        desk.refuse(f"{sign} of arrays is not made into loops")
    return desk.elementwise(operation, f"({{}} {sign} {{}})", left, right)


def _of_scalars(op: ast.operator, operation: Callable[..., Any], left: Any, right: Any) -> Any:
    if isinstance(op, (ast.Pow, ast.LShift)):  # whose samples may be large, and whose type depends on the value
        return 1.0 if float in (type(left), type(right)) else None
    return tried(operation, left, right)


def _power(desk: Desk, base: Known, exponent: Known, node: ast.expr) -> Known:
    """NumPy squares and takes roots of arrays by themselves; all other powers round in a way of its own."""
    import numpy as np

    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and isinstance(base, Elements):
        if node.value == 2 and base.dtype.startswith("float"):
            return squared(desk, base)
        if node.value == 0.5 and base.dtype == "float64":
            return desk.elementwise(np.sqrt, f"{desk.kind('float64').removesuffix('float64')}sqrt({{}})", base)
        if node.value == 3 and desk.rtol and base.dtype == "float64":
            return desk.elementwise(operator.mul, "({} * {})", squared(desk, base), base)
    return rounded(desk, np.power, "power", [base, exponent])


def _unary(desk: Desk, node: ast.UnaryOp) -> Known:
    operand = value(desk, node.operand)
    signs = {ast.USub: "-", ast.UAdd: "+", ast.Not: "not ", ast.Invert: "~"}
    sign = signs[type(node.op)]
    if isinstance(operand, Scalar):
        sample = tried(operator.neg, operand.sample) if sign == "-" else operand.sample if sign == "+" else None
        return Scalar(f"({sign}{operand.text})" if not operand.text.isdigit() else f"{sign}{operand.text}", sample)
    if sign == "-":
        return desk.elementwise(operator.neg, "(-{})", operand)
    if sign == "~" and operand.dtype == "bool":
        return desk.elementwise(operator.invert, "(not {})", operand)
    desk.refuse(f"{sign.strip()} of an array is not made into loops")


def _compare(desk: Desk, node: ast.Compare) -> Known:
    values = [value(desk, each) for each in (node.left, *node.comparators)]
    if all(isinstance(each, Scalar) for each in values):
        return _rebuilt(desk, node)
    if len(values) > 2 or type(node.ops[0]) not in OPERATORS:
        desk.refuse("the truth of an array is not one value")
    sign, operation = OPERATORS[type(node.ops[0])]
    return desk.elementwise(operation, f"({{}} {sign} {{}})", *values)


_WHOLE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr)
"""Expressions with variables of their own, or with parts that are no expressions."""


class _Rebuilder(ast.NodeTransformer):
    """Replaces the parts of an expression by what they have become; arrays are worked out, and named."""

    def __init__(self, desk: Desk, top: ast.AST) -> None:
        self.desk, self.top = desk, top

    def visit(self, node: ast.AST) -> ast.AST:
        """Replace expressions below the top."""
        if node is self.top or not isinstance(node, ast.expr) or isinstance(node, (ast.Starred, ast.Slice)):
            return self.generic_visit(node)
        found = value(self.desk, node)
        if isinstance(found, Scalar):
            return ast.parse(found.text, mode="eval").body
        return ast.Name(found.name or self.desk.kept(found), ast.Load())


def _rebuilt(desk: Desk, node: ast.expr) -> Scalar:
    """An expression that no form is for, with its parts rewritten."""
    if isinstance(node, _WHOLE):
        return Scalar(ast.unparse(node))
    copied = ast.parse(ast.unparse(node), mode="eval").body
    return Scalar(f"({ast.unparse(_Rebuilder(desk, copied).visit(copied))})")


def _conditional(desk: Desk, node: ast.expr) -> Known:
    """What is evaluated on one path only may write nothing before it; then it stays as it is."""
    before = len(desk.lines)
    found = _rebuilt(desk, node)
    if len(desk.lines) > before:
        desk.refuse("whole arrays inside a conditional expression are not made into loops")
    return found


def _call(desk: Desk, node: ast.Call) -> Known:
    return called(desk, node, lambda: _rebuilt(desk, node))


_FORMS: dict[type[ast.expr], Callable[[Desk, Any], Known]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _conditional,
    ast.IfExp: _conditional,
    ast.Call: _call,
}

__all__ = ["scalar", "value"]
