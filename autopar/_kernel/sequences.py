"""What a for loop runs over: ranges, arrays, lists, and enumerate, zip and reversed of them, by position."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO, binary, convert, truth_integer
from autopar._kernel.context import Context
from autopar._kernel.indexing import load, row
from autopar._kernel.interval import Interval
from autopar._kernel.order import is_users
from autopar._kernel.value import Known, Memory, Number, Pack, Span, Value, constant
from autopar._kernel.variables import held, key_behind, variables_of
from autopar._model.light_dataclass import dataclass

__all__ = ["Items", "is_map", "items_of", "sequence", "span"]


@dataclass(frozen=True)
class Items:
    """A finite sequence: how long it is, and its item at a position that is known to be inside."""

    length: Number
    item: Callable[[Number], Value]
    span: Span | None = None  # if it is a range
    fixed: tuple[Value, ...] | None = None  # if it is a tuple
    numbered: bool = False  # if each item is a pair that begins with its position


def sequence(ctx: Context, node: ast.expr) -> Items:
    """Lower the iterable of a loop."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = ctx.expression(node.func)
        maker = _MAKERS.get(id(function.value)) if isinstance(function, Known) else None
        if maker is not None:
            return maker(ctx, node)
    return items_of(ctx, ctx.expression(node), node)


def items_of(ctx: Context, value: Value, node: ast.AST) -> Items:
    """Return the items of a value."""
    value = _at_rest(ctx, value, node)
    if isinstance(value, Span):
        return _items_of_span(ctx, value, node)
    if isinstance(value, Pack):
        return Items(constant(len(value.items)), lambda k: value, fixed=value.items)
    if isinstance(value, Memory):
        memory = value

        def item(k: Number) -> Value:
            part = row(memory, [k.expr])
            if len(memory.dims) > 1:
                return part
            offset = k.expr if memory.strides is None else ir.Op("i64", "*", (k.expr, memory.strides[0]))
            return load(ctx, memory, offset)

        return Items(memory.dims[0], item)
    raise ctx.refuse(node, "a loop over this object is not in the native fragment")


def _at_rest(ctx: Context, value: Value, node: ast.AST) -> Value:
    """Return a value as it is before the loop whose items it gives, if the loop sets what it is made of."""
    changing = any(key_behind(name) in ctx.changing for name in variables_of(value))
    if changing and isinstance(value, Memory) and value.capacity is not None:
        raise ctx.refuse(node, "a list that may grow while a loop runs over it is not in the native fragment")
    return held(ctx, value) if changing else value


def span(ctx: Context, node: ast.Call) -> Span:
    """Lower the arguments of range()."""
    if node.keywords or not 1 <= len(node.args) <= 3:
        raise ctx.refuse(node, "range() takes one to three arguments")
    values = []
    for argument in node.args:
        number = truth_integer(ctx.number(ctx.expression(argument), argument))
        if t.is_float(number.kind) or number.kind in (t.NpScalar("uint64"), t.NpScalar("bool")):
            raise ctx.refuse(argument, f"range() of {number.kind} is not in the native fragment")
        values.append(convert(ctx, number, t.Int(), argument))
    if len(values) == 1:
        return Span(constant(0), values[0], constant(1))
    step = values[2] if len(values) == 3 else constant(1)
    if not step.range.fixed and step.range.lo < 1:
        ctx.exit_if(ir.Op("bool", "<", (step.expr, ir.Const("i64", 1))), node, "a variable step that is not positive")
        step = replace(step, range=step.range & Interval(1, t.INT64_MAX) or Interval(1, 1))
    if step.range == Interval(0, 0):
        raise ctx.refuse(node, "range() with step 0 is a ValueError")
    return Span(values[0], values[1], step)


def _items_of_span(ctx: Context, value: Span, node: ast.AST) -> Items:
    def item(k: Number) -> Value:
        return binary(ctx, ast.Add(), value.start, binary(ctx, ast.Mult(), k, value.step, node), node)

    return Items(length_of_span(ctx, value, node), item, span=value)


def length_of_span(ctx: Context, value: Span, node: ast.AST) -> Number:
    """Return how many integers a range has."""
    if value.start.range == Interval(0, 0) and value.step.range == Interval(1, 1):
        stop = value.stop
        if stop.range.lo >= 0:
            return stop
        expr = ir.Op("i64", "max", (stop.expr, ZERO))
        return Number(t.Int(), expr, Interval(0, max(0, stop.range.hi)), None, stop.below if stop.range.lo >= 0 else ())
    if not value.step.range.fixed:
        raise ctx.refuse(node, "the length of a range() whose step is not a constant is not in the native fragment")
    step = value.step.range.lo
    far = binary(ctx, ast.Sub(), value.stop, value.start, node)
    if step < 0:
        far = binary(ctx, ast.Sub(), value.start, value.stop, node)
    more = binary(ctx, ast.Add(), far, constant(abs(step) - 1), node)
    count = binary(ctx, ast.FloorDiv(), more, constant(abs(step)), node)
    known = Interval(max(0, count.range.lo), max(0, count.range.hi))
    return Number(t.Int(), ir.Op("i64", "max", (count.expr, ZERO)), known)


def _range(ctx: Context, node: ast.Call) -> Items:
    value = _at_rest(ctx, span(ctx, node), node)
    assert isinstance(value, Span)
    # The length is worked out only where it is asked for, which a plain loop over a range never does.
    return Items(constant(0), lambda k: value.start, span=value)


def _counted(ctx: Context, items: Items, node: ast.AST) -> Items:
    return _items_of_span(ctx, items.span, node) if items.span is not None else items


def _enumerate(ctx: Context, node: ast.Call) -> Items:
    first = constant(0)
    arguments = list(node.args)
    for keyword in node.keywords:
        if keyword.arg != "start":
            raise ctx.refuse(node, "enumerate() takes a sequence and a start")
        arguments.append(keyword.value)
    if not 1 <= len(arguments) <= 2:
        raise ctx.refuse(node, "enumerate() takes a sequence and a start")
    inner = _counted(ctx, sequence(ctx, arguments[0]), node)
    if len(arguments) == 2:
        first = ctx.number(_at_rest(ctx, ctx.expression(arguments[1]), node), node)
        if first.kind != t.Int():
            raise ctx.refuse(node, f"enumerate() from {first.kind} is not in the native fragment")
    if inner.fixed is not None:
        items = tuple(Pack((binary(ctx, ast.Add(), first, constant(i), node), v)) for i, v in enumerate(inner.fixed))
        return Items(inner.length, lambda k: items[0], fixed=items)
    from_zero = len(arguments) == 1
    return Items(
        inner.length,
        lambda k: Pack((binary(ctx, ast.Add(), k, first, node), inner.item(k))),
        numbered=from_zero,
    )


def _zip(ctx: Context, node: ast.Call) -> Items:
    strict = [k.arg == "strict" and isinstance(k.value, ast.Constant) and not k.value.value for k in node.keywords]
    if not node.args or not all(strict):
        raise ctx.refuse(node, "zip() of nothing, or with keywords, is not in the native fragment")
    parts = [_counted(ctx, sequence(ctx, argument), node) for argument in node.args]
    if all(part.fixed is not None for part in parts):
        rows = tuple(Pack(items) for items in zip(*(part.fixed or () for part in parts), strict=False))
        return Items(constant(len(rows)), lambda k: rows[0], fixed=rows)
    if any(part.fixed is not None for part in parts):
        raise ctx.refuse(node, "zip() of a tuple with something else is not in the native fragment")
    return _side_by_side(ctx, parts)


def _side_by_side(ctx: Context, parts: list[Items]) -> Items:
    length = parts[0].length
    for part in parts[1:]:
        expr = ir.Op("i64", "min", (length.expr, part.length.expr))
        known = Interval(min(length.range.lo, part.length.range.lo), min(length.range.hi, part.length.range.hi))
        bounds = {**part.length.bounds(), **length.bounds()}
        length = Number(t.Int(), ctx.hold(expr), known, None, tuple(sorted(bounds.items())))
    return Items(length, lambda k: Pack(tuple(part.item(k) for part in parts)))


def _map(ctx: Context, node: ast.Call) -> Items:
    """Lower map(function, sequences), whose calls are made as its items are asked for."""
    if node.keywords or len(node.args) < 2:
        raise ctx.refuse(node, "map() with these arguments is not in the native fragment")
    function = ctx.expression(node.args[0])
    if not isinstance(function, Known):
        raise ctx.refuse(node, "map() of this object is not in the native fragment")
    known = function
    parts = [_counted(ctx, sequence(ctx, argument), node) for argument in node.args[1:]]
    if not any(part.fixed is not None for part in parts):
        rows = _side_by_side(ctx, parts)
        return Items(rows.length, lambda k: ctx.apply(known, list(_items(rows.item(k))), node))
    if not all(part.fixed is not None for part in parts) or is_users(known.value):
        raise ctx.refuse(node, "map() of such a function over a tuple is not in the native fragment")
    given = zip(*(part.fixed or () for part in parts), strict=False)
    values = tuple(ctx.apply(known, list(values), node) for values in given)
    return Items(constant(len(values)), lambda k: values[0], fixed=values)


def _items(value: Value) -> tuple[Value, ...]:
    assert isinstance(value, Pack)
    return value.items


def is_map(ctx: Context, node: ast.expr) -> bool:
    """Whether an expression is a call of map()."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "map":
        return False
    function = ctx.expression(node.func)
    return isinstance(function, Known) and function.value is map


def _reversed(ctx: Context, node: ast.Call) -> Items:
    if len(node.args) != 1 or node.keywords:
        raise ctx.refuse(node, "reversed() takes one sequence")
    inner = _counted(ctx, sequence(ctx, node.args[0]), node)
    if inner.fixed is not None:
        return Items(inner.length, inner.item, fixed=inner.fixed[::-1])
    last = binary(ctx, ast.Sub(), inner.length, constant(1), node)
    return Items(inner.length, lambda k: inner.item(binary(ctx, ast.Sub(), last, k, node)))


_MAKERS: dict[int, Callable[[Context, ast.Call], Items]] = {
    id(range): _range,
    id(enumerate): _enumerate,
    id(zip): _zip,
    id(map): _map,
    id(reversed): _reversed,
}
