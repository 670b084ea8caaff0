"""List displays, list comprehensions, and generators inside sum, min, max, any and all."""

from __future__ import annotations

import ast
from collections.abc import Callable

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO
from autopar._kernel.building import allocate, copy
from autopar._kernel.context import Context, Frame
from autopar._kernel.indexing import row
from autopar._kernel.interval import Interval
from autopar._kernel.loops import each, names_assigned
from autopar._kernel.sequences import Items, items_of, length_of_span, sequence
from autopar._kernel.value import Memory, Number, Value
from autopar._kernel.variables import key_of

__all__ = ["generate", "list_comprehension", "list_display"]


def list_display(ctx: Context, node: ast.List) -> Memory:
    """Lower [a, b, c]."""
    if not node.elts:
        raise ctx.refuse(node, "[] is only for `name = []` in the native fragment")
    values = [ctx.expression(element) for element in node.elts]
    numbers = [ctx.number(value, node) for value in values]
    kind = numbers[0].kind
    if kind not in (t.Int(), t.Float(), t.Bool()) or any(number.kind != kind for number in numbers):
        raise ctx.refuse(node, "a list of different types, or of NumPy scalars, is not in the native fragment")
    length = Number(t.Int(), ir.Const("i64", len(numbers)), Interval(len(numbers), len(numbers)))
    out = allocate(ctx, t.List(kind), [length], node)
    for i, number in enumerate(numbers):
        ctx.add(ir.Store(out.dtype, out.data, ir.Const("i64", i), number.expr))
    if len(numbers) == 1 and isinstance(numbers[0].expr, ir.Const):
        ctx.learned_constants[out.data] = numbers[0].expr
    return out


def list_comprehension(ctx: Context, node: ast.ListComp) -> Memory:
    """Lower [element for target in items if test]."""
    if len(node.generators) != 1:
        raise ctx.refuse(node, "a list comprehension with two 'for' is not in the native fragment")
    items = _items(ctx, node.generators[0].iter, node)
    limit = items.length
    count = ctx.temp("i64", "count")
    ctx.add(ir.Assign(count, ZERO))
    site = ("element", ctx.frame.path, node.lineno, node.col_offset)
    kind = ctx.learned.get(site)
    made: list[Memory] = []
    if kind is None or t.is_scalar(kind):
        made.append(allocate(ctx, t.List(kind or t.Float()), [limit], node))
        width = None
    else:
        width = ctx.temp("i64", "width")
        ctx.add(ir.Assign(width, ZERO))
        made.append(_rows(ctx, kind, width, limit, node))

    def put(value: Value) -> None:
        if isinstance(value, Number):
            value = ctx.settle(value, node)
        found = value.kind if isinstance(value, (Number, Memory)) else None
        if found not in (t.Int(), t.Float(), t.Bool()) and not _is_row(found):
            raise ctx.refuse(node, f"a list of {found or 'tuples'} is not in the native fragment")
        if kind is not None and found != kind:
            raise ctx.refuse(node, f"a list of both {kind} and {found} is not in the native fragment")
        ctx.learn(site, found)
        out = made[0]
        if isinstance(value, Number):
            ctx.add(ir.Store(out.dtype, out.data, count, value.expr))
        else:
            assert isinstance(value, Memory)
            assert width is not None
            _put_row(ctx, out, value, count, width, limit, node)
        ctx.add(ir.Assign(count, ir.Op("i64", "+", (count, ir.Const("i64", 1)))))

    generate(ctx, node, node.elt, node.generators[0], put, items)
    out = made[0]
    length = out.dims[0]
    if node.generators[0].ifs:
        length = Number(t.Int(), ctx.hold(count), length.range, None, length.below)
    return Memory(out.kind, out.data, (length, *out.dims[1:]), None, out.owner, whole=True)


def _is_row(kind: t.Type | None) -> bool:
    return isinstance(kind, t.List) and kind.ndim == 1


def _items(ctx: Context, node: ast.expr, where: ast.AST) -> Items:
    items = sequence(ctx, node)
    if items.fixed is not None:
        raise ctx.refuse(where, "a comprehension over a tuple is not in the native fragment")
    if items.span is None:
        return items
    length = length_of_span(ctx, items.span, where)
    held = Number(t.Int(), ctx.hold(length.expr), length.range, length.same, length.below)
    return Items(held, items_of(ctx, items.span, where).item, items.span)


def _rows(ctx: Context, kind: t.Type, width: ir.Var, limit: Number, node: ast.AST) -> Memory:
    """Make a list of lists whose width is known with the first row only."""
    assert isinstance(kind, t.List)
    owner, data = ctx.temp("own", "own"), ctx.temp("ptr", "new")
    ctx.owners.append(owner.name)
    return Memory(
        t.List(kind.item, 2),
        data,
        (limit, Number(t.Int(), width, Interval(0, 2**40))),
        None,
        owner,
        whole=True,
    )


def _put_row(
    ctx: Context, out: Memory, value: Memory, count: ir.Var, width: ir.Var, limit: Number, node: ast.AST
) -> None:
    """Copy a row in; the first one says how wide all are."""
    first = ir.Op("bool", "==", (count, ZERO))
    block: ir.Block = []
    with ctx.branch(block):
        ctx.add(ir.Assign(width, value.dims[0].expr))
        total = ctx.checked("mul", "i64", (width, limit.expr), node, "a size that is too large")
        assert isinstance(out.owner, ir.Var)
        assert isinstance(out.data, ir.Var)
        ctx.add(ir.New(out.owner, out.data, total, t.item_size(out.kind), False, ctx.exit(node, "no memory")))
    ctx.add(ir.If(first, block, []))
    differs = ir.Op("bool", "!=", (value.dims[0].expr, width))
    ctx.exit_if(differs, node, "rows of different lengths")
    copy(ctx, value, row(out, [count]))


def generate(
    ctx: Context,
    node: ast.AST,
    element: ast.expr,
    generator: ast.comprehension,
    put: Callable[[Value], None],
    items: Items | None = None,
) -> None:
    """Run a comprehension's loop, and give each of its values to `put`."""
    if generator.is_async:
        raise ctx.refuse(node, "async is not in the native fragment")
    if items is None:
        items = _items(ctx, generator.iter, node)
    assigned = names_assigned([generator.target])
    outer = ctx.frame
    prefix = f"{outer.prefix}each{ctx.serial()}$"
    place = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
    frame = Frame(outer.function, prefix, (*outer.path, place), assigned, outer.label, outer.returns, outer)

    def body(item: Value) -> None:
        ctx.assign_to(generator.target, item, node)
        _filtered(ctx, list(generator.ifs), lambda: put(ctx.expression(element)))

    ctx.frames.append(frame)
    counter = ""
    if isinstance(generator.target, ast.Name):
        counter = f"{key_of(frame, generator.target.id)}_i64"
    each(ctx, items, assigned, body, node, None, counter if items.span is not None else "")
    ctx.frames.pop()
    if ctx.state is not None:
        ctx.state = {key: bound for key, bound in ctx.state.items() if not key.startswith(prefix)}


def _filtered(ctx: Context, tests: list[ast.expr], then: Callable[[], None]) -> None:
    if not tests:
        then()
        return
    test = ctx.condition(tests[0])
    before = ctx.state
    ctx.constrain(test.if_true)
    if ctx.state is not None:
        block: ir.Block = []
        with ctx.branch(block):
            _filtered(ctx, tests[1:], then)
        ctx.add(ir.If(test.expr, block, []))
    ctx.state = before
