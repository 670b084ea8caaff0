"""Statements: one function for each kind of node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.building import append, slice_of, start_list
from autopar._kernel.context import Context, Return
from autopar._kernel.elementwise import changed_in_place, is_array, materialised, store_all
from autopar._kernel.expressions import combine, indexes_of
from autopar._kernel.indexing import at, load, part, store
from autopar._kernel.interval import Interval
from autopar._kernel.loops import for_statement, leave, while_statement
from autopar._kernel.order import may_write
from autopar._kernel.sequences import is_map, items_of, sequence
from autopar._kernel.speculation import chosen
from autopar._kernel.state import Bound
from autopar._kernel.value import Known, Memory, Number, Pack, Value
from autopar._kernel.variables import adapt, assign, held, key_of

__all__ = ["assign_to", "statements"]


def statements(ctx: Context, nodes: Sequence[ast.stmt]) -> None:
    """Lower statements one after the other, up to where none is reached any more."""
    for node in nodes:
        if ctx.state is None:
            return
        ctx.line = node.lineno
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise ctx.refuse(node, f"{_NAMES.get(type(node), type(node).__name__)} is not in the native fragment")
        handler(ctx, node)


def _assign(ctx: Context, node: ast.Assign) -> None:
    if _is_empty_list(node.value) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        _start_list(ctx, node.targets[0].id, node)
        return
    if isinstance(node.targets[0], ast.Tuple) and is_map(ctx, node.value):
        items = sequence(ctx, node.value)
        if items.fixed is None:
            raise ctx.refuse(node, "unpacking map() of anything but tuples is not in the native fragment")
        for target in node.targets:
            assign_to(ctx, target, held(ctx, Pack(items.fixed)), node)
        return
    lazy = len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript)
    value = ctx.lazy(node.value) if lazy else ctx.expression(node.value)
    if lazy and may_write(ctx, node.targets[0]):
        value = materialised(ctx, value, node)
    unpacked = isinstance(value, Pack) and any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
    if unpacked or len(node.targets) > 1:
        value = held(
            ctx, value
        )  # The targets are set one after the other, and the value may be made of what they were.
    for target in node.targets:
        assign_to(ctx, target, value, node)


def _is_empty_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List) and not node.elts


def _start_list(ctx: Context, name: str, node: ast.AST) -> None:
    assert ctx.state is not None
    key = key_of(ctx.frame, name)
    ctx.state[key] = Bound(start_list(ctx, key, (ctx.frame.path, name), node))
    if ctx.learned.get(("may be unbound", key)):
        ctx.add(ir.Assign(ctx.variable(f"{key}_bound", "bool"), ir.Const("bool", True)))


def assign_to(ctx: Context, target: ast.expr, value: Value, node: ast.AST) -> None:
    """Assign a value to whatever a target is."""
    if isinstance(target, ast.Name):
        assign(ctx, target.id, value, node)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(ctx, target, value, node)
    elif isinstance(target, ast.Subscript):
        _set_item(ctx, target, value, node)
    else:
        raise ctx.refuse(target, "assigning to an attribute is not in the native fragment")


def _unpack(ctx: Context, target: ast.Tuple | ast.List, value: Value, node: ast.AST) -> None:
    if any(isinstance(part, ast.Starred) for part in target.elts):
        raise ctx.refuse(target, "'*' is not in the native fragment")
    if isinstance(value, Memory):
        items = items_of(ctx, value, node)
        length = ir.Op("bool", "!=", (items.length.expr, ir.Const("i64", len(target.elts))))
        ctx.exit_if(length, node, "the wrong number of values to unpack")
        count = range(len(target.elts))
        value = held(ctx, Pack(tuple(items.item(Number(t.Int(), ir.Const("i64", k))) for k in count)))
    if not isinstance(value, Pack):
        raise ctx.refuse(node, "unpacking this object is not in the native fragment")
    if len(value.items) != len(target.elts):
        raise ctx.refuse(node, "the wrong number of values to unpack")
    for each, item in zip(target.elts, value.items, strict=True):
        assign_to(ctx, each, item, node)


def _set_item(ctx: Context, target: ast.Subscript, value: Value, node: ast.AST) -> None:
    base = ctx.expression(target.value)
    if not isinstance(base, Memory):
        raise ctx.refuse(target, "assigning to an item of this object is not in the native fragment")
    view = _view(ctx, base, target)
    if view is not None:
        if isinstance(base.kind, t.List) or not (isinstance(value, Number) or is_array(value)):
            raise ctx.refuse(node, "this assignment to a slice is not in the native fragment")
        store_all(ctx, view, value, node)
        return
    indexes = indexes_of(ctx, target.slice)
    if not isinstance(value, Number):
        raise ctx.refuse(node, "storing anything but a number is not in the native fragment")
    if isinstance(base.kind, t.List) and len(indexes) != 1:
        raise ctx.refuse(node, "a tuple as an index of a list is a TypeError")
    store(ctx, base, at(ctx, base, indexes, target), value, node)


def _view(ctx: Context, base: Memory, target: ast.Subscript) -> Memory | None:
    """Return the part of an array that a subscript names, unless that is one element."""
    parts = _parts(target.slice)
    if any(isinstance(part_, ast.Slice) for part_ in parts):
        view = slice_of(ctx, base, target) if isinstance(base.kind, t.Array) else None
        if not isinstance(view, Memory):
            raise ctx.refuse(target, "a slice of a list that is changed is not in the native fragment")
        return view
    if isinstance(base.kind, t.List) or len(parts) >= len(base.dims):
        return None
    indexes = indexes_of(ctx, target.slice)
    return part(ctx, base, indexes, target) if len(indexes) < len(base.dims) else None


def _parts(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _augmented(ctx: Context, node: ast.AugAssign) -> None:
    if isinstance(node.target, ast.Subscript):
        _augmented_item(ctx, node, node.target)
        return
    if not isinstance(node.target, ast.Name):
        raise ctx.refuse(node, "assigning to an attribute is not in the native fragment")
    before = ctx.expression(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
    if isinstance(before, Memory) and isinstance(before.kind, t.Array):
        changed_in_place(ctx, node.op, before, ctx.lazy(node.value), node)
        return
    if not isinstance(before, (Number, Pack)):
        raise ctx.refuse(node, "changing a list as a whole is not in the native fragment")
    other = ctx.expression(node.value)
    value = combine(ctx, node.op, before, other, node)
    assign(ctx, node.target.id, value, node, _moved(node.op, before, other))


def _moved(op: ast.operator, before: Value, other: Value) -> Interval | None:
    """Return by how much `before op= other` moves an integer."""
    if not isinstance(before, Number) or not isinstance(other, Number) or before.kind != t.Int():
        return None
    if other.kind not in (t.Int(), t.Bool()) or not isinstance(op, (ast.Add, ast.Sub)):
        return None
    return other.range if isinstance(op, ast.Add) else -other.range


def _augmented_item(ctx: Context, node: ast.AugAssign, target: ast.Subscript) -> None:
    base = ctx.expression(target.value)
    if not isinstance(base, Memory):
        raise ctx.refuse(node, "changing an item of this object is not in the native fragment")
    view = _view(ctx, base, target)
    if view is not None:
        changed_in_place(ctx, node.op, view, ctx.lazy(node.value), node)
        return
    indexes = indexes_of(ctx, target.slice)
    if isinstance(base.kind, t.List) and len(indexes) != 1:
        raise ctx.refuse(node, "a tuple as an index of a list is a TypeError")
    offset = ctx.hold(at(ctx, base, indexes, target))
    before = load(ctx, base, offset)
    value = combine(ctx, node.op, before, ctx.expression(node.value), node)
    if not isinstance(value, Number):
        raise ctx.refuse(node, "storing anything but a number is not in the native fragment")
    store(ctx, base, offset, value, node)


def _annotated(ctx: Context, node: ast.AnnAssign) -> None:
    if node.value is not None:
        plain = ast.Assign(targets=[node.target], value=node.value)
        _assign(ctx, ast.copy_location(plain, node))


def _if(ctx: Context, node: ast.If) -> None:
    test = ctx.condition(node.test)
    if test.known is not None:
        ctx.statements(node.body if test.known else node.orelse)
        return
    before, ends = ctx.state, []
    for nodes, constraints in ((node.body, test.if_true), (node.orelse, test.if_false)):
        ctx.state = before
        ctx.constrain(constraints)
        ctx.state = dict(ctx.state) if ctx.state is not None else None
        block: ir.Block = []
        with ctx.branch(block):
            ctx.statements(nodes)
        ends.append((block, ctx.state))
    (then, a), (other, b) = ends
    joined = ctx.joined(a, b)
    if joined is not None and a is not None and b is not None:
        then += adapt(ctx, a, joined)
        other += adapt(ctx, b, joined)
    ctx.state = joined
    simple = chosen(test.expr, then, other) if ctx.loops and ctx.loops[-1].before is None else None
    ctx.block += simple or [ir.If(test.expr, then, other)]


def _grown(value: Value) -> Value:
    """Return a list that grew as one to which nothing is appended any more."""
    if isinstance(value, Pack):
        return replace(value, items=tuple(map(_grown, value.items)))
    return replace(value, capacity=None) if isinstance(value, Memory) else value


def _return(ctx: Context, node: ast.Return) -> None:
    value = ctx.expression(node.value) if node.value is not None else Known(None, "None")
    for frame in ctx.loops:
        frame.left = True
    value = held(ctx, value)
    value = _grown(value)
    jump = ir.Jump(ctx.frame.label)
    ctx.frame.returns.append(Return(ctx.block, jump, value, node))
    ctx.add(jump)
    ctx.state = None


def _expression(ctx: Context, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return
    call = node.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append":
        append(ctx, call, node)
        return
    value = ctx.expression(node.value)
    if isinstance(value, Number):
        ctx.hold(value.expr)


def _assert(ctx: Context, node: ast.Assert) -> None:
    if __debug__:
        test = ctx.condition(node.test)
        ctx.exit_if(ir.Op("bool", "!", (test.expr,)), node, "an assertion fails")
        ctx.constrain(test.if_true)


def _raise(ctx: Context, node: ast.Raise) -> None:
    ctx.add(ir.Exit(ctx.exit(node, "an exception is raised")))
    ctx.state = None


def _pass(ctx: Context, node: ast.stmt) -> None:
    """Do nothing."""


_NAMES: dict[type[ast.AST], str] = {
    ast.Try: "try",
    ast.With: "with",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.Import: "import",
    ast.ImportFrom: "import",
    ast.FunctionDef: "a function inside the function",
    ast.ClassDef: "a class",
    ast.Delete: "del",
    ast.Match: "match",
}
_HANDLERS: dict[type[ast.stmt], Callable[[Context, Any], None]] = {
    ast.Assign: _assign,
    ast.AugAssign: _augmented,
    ast.AnnAssign: _annotated,
    ast.If: _if,
    ast.For: for_statement,
    ast.While: while_statement,
    ast.Break: leave,
    ast.Continue: leave,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.Assert: _assert,
    ast.Raise: _raise,
    ast.Pass: _pass,
}
