"""Expressions: one function for each kind of node."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import ModuleType
from typing import Any

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import binary, negate, truth_integer
from autopar._kernel.building import concatenate, repeat_list, slice_list, slice_of
from autopar._kernel.calls import call
from autopar._kernel.comparison import compare, constraints_of, relation_of, test_of
from autopar._kernel.comprehensions import list_comprehension, list_display
from autopar._kernel.context import Context, Test
from autopar._kernel.elementwise import compared, is_array, materialised, negated, operated
from autopar._kernel.indexing import fetch, part
from autopar._kernel.interval import Interval
from autopar._kernel.order import may_write
from autopar._kernel.state import Bound, join_values
from autopar._kernel.value import Elements, Known, Memory, Number, Pack, Value, constant
from autopar._kernel.variables import adapt, key_of, read, store_value

__all__ = ["condition", "expression", "lazy"]


def expression(ctx: Context, node: ast.expr) -> Value:
    """Lower an expression."""
    ctx.line = node.lineno
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise ctx.refuse(node, f"{_NAMES.get(type(node), type(node).__name__)} is not in the native fragment")
    return handler(ctx, node)


def _constant(ctx: Context, node: ast.Constant) -> Value:
    if node.value is None or type(node.value) is str:
        return Known(node.value, repr(node.value))
    if not isinstance(node.value, int | float):
        raise ctx.refuse(node, f"{type(node.value).__name__} is not in the native fragment")
    return _number(ctx, node.value, node)


def _number(ctx: Context, value: float, node: ast.AST) -> Number:
    if type(value) is int and not t.INT64_MIN <= value <= t.INT64_MAX:
        raise ctx.refuse(node, "an integer of more than 64 bits is not in the native fragment")
    return constant(value)


def _name(ctx: Context, node: ast.Name) -> Value:
    local = read(ctx, node.id, node)
    if local is not None:
        return local
    try:
        value = ctx.facts.name(ctx.frame.function, node.id)
    except NameError:
        raise ctx.refuse(node, f"the name '{node.id}' is not there") from None
    return known_object(ctx, value, node.id, node)


def known_object(ctx: Context, value: object, name: str, node: ast.AST) -> Value:
    """Return an object that is there before the call as a value: its number, if it is one."""
    if isinstance(value, bool | int | float) and type(value) in (int, float, bool):
        return _number(ctx, value, node)
    if type(value) is tuple and all(type(item) in (int, float, bool) for item in value):
        return Pack(tuple(_number(ctx, item, node) for item in value))
    return Known(value, name)


def _attribute(ctx: Context, node: ast.Attribute) -> Value:
    owner = expression(ctx, node.value)
    if isinstance(owner, Known) and isinstance(owner.value, ModuleType):
        try:
            value = ctx.facts.attribute(owner.value, owner.name, node.attr)
        except AttributeError:
            raise ctx.refuse(node, f"{owner.name} has no '{node.attr}'") from None
        return known_object(ctx, value, f"{owner.name}.{node.attr}", node)
    if isinstance(owner, Memory) and isinstance(owner.kind, t.Array):
        if node.attr == "shape":
            return Pack(owner.dims)
        if node.attr == "ndim":
            return constant(owner.kind.ndim)
        if node.attr == "size":
            size: Number = constant(1)
            for dim in owner.dims:
                size = binary(ctx, ast.Mult(), size, dim, node)
            return size
        if node.attr == "T" and owner.kind.ndim == 2:
            return _transposed(owner)
    raise ctx.refuse(node, f"the attribute '{node.attr}' is not in the native fragment")


def _transposed(array: Memory) -> Memory:
    width = ir.Const("i64", t.item_size(array.kind))
    row = ir.Op("i64", "*", (array.dims[1].expr, width))
    strides = array.strides or (row, width)
    kind = t.Array(array.dtype, 2, "strided")
    return Memory(kind, array.data, array.dims[::-1], strides[::-1], array.owner, array.origins)


def lazy(ctx: Context, node: ast.expr) -> Value:
    """Lower an expression; a new array may be left as a recipe, for where it is used up at once."""
    handler = _LAZY.get(type(node))
    if handler is None:
        return expression(ctx, node)
    ctx.line = node.lineno
    return handler(ctx, node)


def _at_once(handler: Callable[[Context, Any], Value]) -> Callable[[Context, Any], Value]:
    return lambda ctx, node: materialised(ctx, handler(ctx, node), node)


def _binary(ctx: Context, node: ast.BinOp) -> Value:
    left, right = operands(ctx, node.left, node.right)
    return combine(ctx, node.op, left, right, node)


def operands(ctx: Context, left: ast.expr, right: ast.expr) -> tuple[Value, Value]:
    """Lower two operands; what the right one may change is read for the left one before."""
    first = lazy(ctx, left)
    if isinstance(first, Elements) and may_write(ctx, right):
        first = materialised(ctx, first, left)
    return first, lazy(ctx, right)


def combine(ctx: Context, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """Lower a binary operator on any two values."""
    if isinstance(left, Number) and isinstance(right, Number):
        return binary(ctx, op, left, right, node)
    if is_array(left) or is_array(right):
        return operated(ctx, op, left, right, node)
    if isinstance(op, ast.Mult):
        for items, count in ((left, right), (right, left)):
            if isinstance(items, Memory) and isinstance(items.kind, t.List) and isinstance(count, Number):
                return repeat_list(ctx, items, count, node)
    if isinstance(op, ast.Add) and isinstance(left, Pack) and isinstance(right, Pack):
        return Pack(left.items + right.items)
    if isinstance(op, ast.Add) and isinstance(left, Memory) and isinstance(right, Memory):
        return concatenate(ctx, left, right, node)
    raise ctx.refuse(node, "this operator on arrays, lists or tuples is not in the native fragment")


def _unary(ctx: Context, node: ast.UnaryOp) -> Value:
    if isinstance(node.op, ast.Not):
        return _as_bool(condition(ctx, node))
    value = lazy(ctx, node.operand)
    if isinstance(value, (Elements, Memory)) and is_array(value):
        return negated(ctx, value, node.op, node)
    if not isinstance(value, Number):
        raise ctx.refuse(node, "this operator on arrays, lists or tuples is not in the native fragment")
    if isinstance(node.op, ast.USub):
        return negate(ctx, value, node)
    value = ctx.settle(value, node)
    if promotion.is_truth(value.kind) and (isinstance(node.op, ast.Invert) or promotion.is_numpy(value.kind)):
        raise ctx.refuse(node, f"this operator on {value.kind} is not in the native fragment")
    value = truth_integer(value)
    if isinstance(node.op, ast.UAdd):
        return value
    if t.is_float(value.kind) or (promotion.is_numpy(value.kind) and value.range.lo >= 0):
        raise ctx.refuse(node, f"~ on {value.kind} is not in the native fragment")
    return Number(value.kind, ir.Op("i64", "~", (value.expr,)), Interval(~value.range.hi, ~value.range.lo))


def _as_bool(test: Test) -> Number:
    known = test.known
    return Number(t.Bool(), test.expr, Interval(0, 1) if known is None else Interval(known, known))


def _compare(ctx: Context, node: ast.Compare) -> Value:
    if len(node.ops) == 1 and relation_of(node.ops[0]):
        left, right = operands(ctx, node.left, node.comparators[0])
        if is_array(left) or is_array(right):
            return compared(ctx, relation_of(node.ops[0]) or "", left, right, node)
        if isinstance(left, Number) and isinstance(right, Number):
            left, right = ctx.settle(left, node), ctx.settle(right, node)
            expr = compare(ctx, relation_of(node.ops[0]) or "", left, right, node)
            numpy = promotion.is_numpy(left.kind) or promotion.is_numpy(right.kind)
            return Number(t.NpScalar("bool") if numpy else t.Bool(), expr, Interval(0, 1))
    test = condition(ctx, node)
    if "numpy" in ctx.learned.get(("chain", node.lineno, node.col_offset), ""):
        raise ctx.refuse(node, "a chained comparison of NumPy scalars as a value is not in the native fragment")
    return _as_bool(test)


def _either(ctx: Context, node: ast.IfExp) -> Value:
    test = condition(ctx, node.test)
    if test.known is not None:
        return expression(ctx, node.body if test.known else node.orelse)
    key = f"{ctx.frame.prefix}either{ctx.serial()}$"
    before, ends = ctx.state, []
    for part_, constraints in ((node.body, test.if_true), (node.orelse, test.if_false)):
        ctx.state = before
        ctx.constrain(constraints)
        block: ir.Block = []
        with ctx.branch(block):
            if ctx.state is None:
                ctx.state = before
            value = store_value(ctx, key, expression(ctx, part_))
        ends.append((block, value))
    ctx.state = before
    return _merged(ctx, key, test, ends, node)


def _merged(ctx: Context, key: str, test: Test, ends: list[tuple[ir.Block, Value]], node: ast.AST) -> Value:
    (then, a), (other, b) = ends
    value = join_values(a, b, key, ctx.minimum)
    if not isinstance(value, (Number, Memory, Pack)):
        raise ctx.refuse(node, f"the value is {getattr(value, 'reason', 'an object')}")
    for block, end in ends:
        block += adapt(ctx, {key: Bound(end)}, {key: Bound(value)})
    if isinstance(value, Number) and value.flag is None and _only_sets(then, value) and _only_sets(other, value):
        chosen = ir.Op(value.expr.machine, "?", (test.expr, then[0].value, other[0].value))  # type: ignore[union-attr]
        return Number(value.kind, ctx.hold(chosen), value.range, value.same, value.below)
    ctx.add(ir.If(test.expr, then, other))
    return value


def _only_sets(block: ir.Block, value: Number) -> bool:
    return len(block) == 1 and isinstance(block[0], ir.Assign) and block[0].target == value.expr


def _boolean(ctx: Context, node: ast.BoolOp) -> Value:
    """Lower `and` and `or` as a value: operands of one type, of which all but the last are tested."""
    key = f"{ctx.frame.prefix}either{ctx.serial()}$"
    before = ctx.state
    first = expression(ctx, node.values[0])
    for operand in node.values[1:]:
        held = store_value(ctx, f"{key}", first)
        expr = test_of(ctx, held, node)
        block: ir.Block = []
        ctx.state = dict(ctx.state or {})
        with ctx.branch(block):
            second = store_value(ctx, key, expression(ctx, operand))
        value = join_values(held, second, key, ctx.minimum)
        if not isinstance(value, Number) or value.flag is not None:
            raise ctx.refuse(node, f"the value is {getattr(value, 'reason', 'of two types')}")
        test = expr if isinstance(node.op, ast.And) else ir.Op("bool", "!", (expr,))
        ctx.add(ir.If(test, block, []))
        first = value
    ctx.state = before
    return first


def condition(ctx: Context, node: ast.expr) -> Test:
    """Lower an expression of which only the truth value matters."""
    ctx.line = node.lineno
    if isinstance(node, ast.BoolOp):
        return _all_or_any(ctx, node.values, isinstance(node.op, ast.And))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        test = condition(ctx, node.operand)
        if test.known is not None:
            return Test(ir.Const("bool", not test.known))
        return Test(ir.Op("bool", "!", (test.expr,)), test.if_false, test.if_true)
    if isinstance(node, ast.Compare):
        return _comparison(ctx, node)
    return Test(test_of(ctx, expression(ctx, node), node))


def _all_or_any(ctx: Context, operands: list[ast.expr], conjunction: bool) -> Test:
    before = ctx.state
    test = condition(ctx, operands[0])
    for operand in operands[1:]:
        if test.known is not None and test.known != conjunction:
            break
        ctx.constrain(test.if_true if conjunction else test.if_false)
        if ctx.state is None:
            break
        block: ir.Block = []
        with ctx.branch(block):
            more = condition(ctx, operand)
        test = _joined(ctx, test, more, block, conjunction)
    ctx.state = before
    return test


def _joined(ctx: Context, test: Test, more: Test, block: ir.Block, conjunction: bool) -> Test:
    held = test.if_true + more.if_true if conjunction else ()
    failed = () if conjunction else test.if_false + more.if_false
    if not block:
        if test.known == conjunction:
            return Test(more.expr, held, failed)
        if more.known == conjunction:
            return Test(test.expr, held, failed)
        return Test(ir.Op("bool", "&&" if conjunction else "||", (test.expr, more.expr)), held, failed)
    out = ctx.temp("bool", "c")
    ctx.add(ir.Assign(out, test.expr))
    block.append(ir.Assign(out, more.expr))
    ctx.add(ir.If(out if conjunction else ir.Op("bool", "!", (out,)), block, []))
    return Test(out, held, failed)


def _comparison(ctx: Context, node: ast.Compare) -> Test:
    left_node: ast.expr = node.left
    left = expression(ctx, left_node)
    test: Test | None = None
    before = ctx.state
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        block: ir.Block = []
        if test is not None:
            ctx.state = dict(ctx.state or {})
        with ctx.branch(block) if test is not None else ctx.into(block):
            right = expression(ctx, right_node)
            one = _one_comparison(ctx, operator, left, right, left_node, right_node, node)
        if test is None:
            ctx.block += block
            test = one
        else:
            test = _joined(ctx, test, one, block, True)
        left, left_node = right, right_node
    ctx.state = before
    assert test is not None
    return test


def _one_comparison(
    ctx: Context,
    operator: ast.cmpop,
    left: Value,
    right: Value,
    left_node: ast.expr,
    right_node: ast.expr,
    node: ast.Compare,
) -> Test:
    relation = relation_of(operator)
    if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(left, Number) and isinstance(right, Pack):
        return _among(ctx, left, right, isinstance(operator, ast.In), node)
    if isinstance(operator, (ast.Is, ast.IsNot)):
        nothing = [isinstance(side, Known) and side.value is None for side in (left, right)]
        if any(nothing):
            ctx.drop(left, right)
            return Test(ir.Const("bool", all(nothing) == isinstance(operator, ast.Is)))
    if relation is None:
        raise ctx.refuse(node, f"'{_NAMES.get(type(operator), 'is')}' is not in the native fragment")
    if not isinstance(left, Number) or not isinstance(right, Number):
        raise ctx.refuse(node, "comparing anything but numbers is not in the native fragment")
    if len(node.ops) > 1 and any(promotion.is_numpy(side.kind) for side in (left, right)):
        ctx.learned[("chain", node.lineno, node.col_offset)] = "numpy"
    expr = compare(ctx, relation, left, right, node)
    names = (_variable(ctx, left_node), _variable(ctx, right_node))
    held, failed = constraints_of(relation, left, right, *names)
    return Test(expr, tuple(held), tuple(failed))


def _among(ctx: Context, left: Number, items: Pack, wanted: bool, node: ast.AST) -> Test:
    """Lower `number in (a, b, c)` of integers; a float could be found by identity where it is not equal."""
    numbers = [ctx.number(item, node) for item in items.items]
    left = ctx.settle(left, node)
    if any(t.is_float(number.kind) for number in [left, *numbers]):
        raise ctx.refuse(node, "'in' a tuple of floats is not in the native fragment")
    found = [compare(ctx, "==", left, number, node) for number in numbers]
    expr: ir.Expr = ir.Const("bool", False)
    for one in found:
        expr = one if isinstance(expr, ir.Const) and not expr.value else ir.Op("bool", "||", (expr, one))
    return Test(expr if wanted else ir.Op("bool", "!", (expr,)))


def _variable(ctx: Context, node: ast.expr) -> str | None:
    if isinstance(node, ast.Name) and node.id in ctx.frame.assigned:
        return key_of(ctx.frame, node.id)
    return None


def _subscript(ctx: Context, node: ast.Subscript) -> Value:
    base = expression(ctx, node.value)
    if isinstance(base, Pack):
        return _item(ctx, base, expression(ctx, node.slice), node)
    if not isinstance(base, Memory):
        raise ctx.refuse(node, "indexing this object is not in the native fragment")
    if isinstance(node.slice, ast.Slice):
        return slice_list(ctx, base, node.slice, node) if isinstance(base.kind, t.List) else slice_of(ctx, base, node)
    if isinstance(node.slice, ast.Tuple) and any(isinstance(e, ast.Slice) for e in node.slice.elts):
        return slice_of(ctx, base, node)
    return element(ctx, base, indexes_of(ctx, node.slice), node)


def indexes_of(ctx: Context, node: ast.expr) -> list[Number]:
    """Lower the indexes of a subscript."""
    value = expression(ctx, node)
    items = value.items if isinstance(value, Pack) else (value,)
    return [_index(ctx, item, node) for item in items]


def _index(ctx: Context, value: Value, node: ast.AST) -> Number:
    if not isinstance(value, Number):
        raise ctx.refuse(node, "an index that is not a number is not in the native fragment")
    return value.plain() if not t.is_float(value.kind) else value


def element(ctx: Context, base: Memory, indexes: list[Number], node: ast.AST) -> Value:
    """Lower base[indexes]."""
    if isinstance(base.kind, t.List) and (len(indexes) != 1 or promotion.is_truth(indexes[0].kind)):
        raise ctx.refuse(node, "this index into a list is not in the native fragment")
    if len(indexes) > len(base.dims) or any(promotion.is_truth(i.kind) for i in indexes):
        raise ctx.refuse(node, "this index into an array is not in the native fragment")
    if len(indexes) == len(base.dims):
        return fetch(ctx, base, indexes, node)
    return part(ctx, base, indexes, node)


def _item(ctx: Context, base: Pack, index: Value, node: ast.AST) -> Value:
    if not isinstance(index, Number) or not index.range.fixed or t.is_float(index.kind):
        raise ctx.refuse(node, "a tuple is indexed by constants only in the native fragment")
    if not -len(base.items) <= index.range.lo < len(base.items):
        raise ctx.refuse(node, "tuple index out of range")
    chosen = base.items[index.range.lo]
    ctx.drop(*(item for item in base.items if item is not chosen))
    return chosen


def _tuple(ctx: Context, node: ast.Tuple) -> Value:
    items = []
    for element_ in node.elts:
        value = expression(ctx, element_)
        items.append(value)
    return Pack(tuple(items))


_NAMES: dict[type[ast.AST], str] = {
    ast.Dict: "dict",
    ast.Set: "set",
    ast.DictComp: "a dict comprehension",
    ast.SetComp: "a set comprehension",
    ast.GeneratorExp: "a generator",
    ast.Lambda: "lambda",
    ast.JoinedStr: "an f-string",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.NamedExpr: "':='",
    ast.Starred: "'*'",
    ast.Slice: "a slice",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_HANDLERS: dict[type[ast.expr], Callable[[Context, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.BinOp: _at_once(_binary),
    ast.UnaryOp: _at_once(_unary),
    ast.Compare: _at_once(_compare),
    ast.IfExp: _either,
    ast.BoolOp: _boolean,
    ast.Subscript: _subscript,
    ast.Tuple: _tuple,
    ast.Call: _at_once(call),
    ast.List: list_display,
    ast.ListComp: list_comprehension,
}
_LAZY: dict[type[ast.expr], Callable[[Context, Any], Value]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.Call: call,
}
