"""Arrays and lists that the function makes: allocated in buffers of its own, released when it ends."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO, binary, truth_integer
from autopar._kernel.context import Context
from autopar._kernel.indexing import check, load, store
from autopar._kernel.interval import Interval
from autopar._kernel.value import Memory, Number, Value, constant, machine_of

__all__ = [
    "allocate",
    "append",
    "concatenate",
    "copy",
    "fill",
    "loop",
    "repeat_list",
    "slice_list",
    "slice_of",
    "start_list",
]

MOST = 2**40  # elements of one buffer; more is left to Python, to raise MemoryError


def allocate(ctx: Context, kind: t.Array | t.List, dims: Sequence[Number], node: ast.AST, zero: bool = False) -> Memory:
    """Make a new array or list; its elements are not set unless `zero`."""
    count = ir.Const("i64", 1)
    held = []
    for dim in dims:
        if dim.range.lo < 0 or dim.range.hi > MOST:
            outside = ir.Op("bool", "outside", (dim.expr, ZERO, ir.Const("i64", MOST)))
            ctx.exit_if(outside, node, "a size that is negative or too large")
        known = dim.range & Interval(0, MOST) or Interval(0, 0)
        held.append(Number(t.Int(), ctx.hold(dim.expr, "n"), known, dim.same, dim.below))
    total: ir.Expr = count
    for dim in held:
        if total == count:
            total = dim.expr
        else:
            total = ctx.checked("mul", "i64", (total, dim.expr), node, "a size that is too large")
    owner, data = ctx.temp("own", "own"), ctx.temp("ptr", "new")
    ctx.owners.append(owner.name)
    ctx.add(ir.New(owner, data, total, t.item_size(kind), zero, ctx.exit(node, "no memory")))
    return Memory(kind, data, tuple(held), None, owner, whole=True)


def loop(ctx: Context, count: ir.Expr) -> tuple[Number, ir.For]:
    """Return a counter from 0 below count, and its loop, to be filled and added."""
    var = ctx.temp("i64", "i")
    return Number(t.Int(), var, Interval(0, MOST)), ir.For(var, ZERO, ctx.hold(count), ir.Const("i64", 1), [])


def fill(ctx: Context, memory: Memory, value: Number, node: ast.AST) -> None:
    """Set all elements of a new array or list."""
    total: ir.Expr = memory.dims[0].expr
    for dim in memory.dims[1:]:
        total = ir.Op("i64", "*", (total, dim.expr))
    counter, loop_ = loop(ctx, total)
    expr = value.expr
    with ctx.into(loop_.body):
        store(ctx, memory, counter.expr, Number(value.kind, expr, value.range), node)
    ctx.add(loop_)


def copy(ctx: Context, source: Memory, target: Memory, at: ir.Expr = ZERO) -> None:
    """Copy the elements of a list or array of one dimension to a place in another of its kind."""
    counter, loop_ = loop(ctx, source.dims[0].expr)
    with ctx.into(loop_.body):
        offset = counter.expr
        if source.strides is not None:
            offset = ir.Op("i64", "*", (offset, source.strides[0]))
        element = load(ctx, source, offset)
        far = counter.expr if at == ZERO else ir.Op("i64", "+", (at, counter.expr))
        if target.strides is not None:
            far = ir.Op("i64", "*", (far, target.strides[0]))
        ctx.add(ir.Store(target.dtype, target.data, far, element.expr, target.strides is not None))
    ctx.add(loop_)


def _clamped(count: Number) -> Number:
    if count.range.lo >= 0:
        return count
    known = Interval(0, max(0, count.range.hi))
    return Number(t.Int(), ir.Op("i64", "max", (count.expr, ZERO)), known)


def repeat_list(ctx: Context, items: Memory, count: Number, node: ast.AST) -> Memory:
    """Lower list * count."""
    count = truth_integer(ctx.settle(count, node))
    if len(items.dims) != 1:
        raise ctx.refuse(node, "repeating a list of lists is not in the native fragment: its rows are one object")
    if count.kind != t.Int():
        raise ctx.refuse(node, f"a list times {count.kind} is not in the native fragment")
    count = _clamped(count)
    length = items.dims[0]
    if length.range != Interval(1, 1):
        total = binary(ctx, ast.Mult(), length, count, node)
        out = allocate(ctx, items.kind, [total], node)
        counter, loop_ = loop(ctx, count.expr)
        with ctx.into(loop_.body):
            copy(ctx, items, out, ctx.hold(ir.Op("i64", "*", (counter.expr, length.expr))))
        ctx.add(loop_)
        return out
    value = load(ctx, items, ZERO)
    known = ctx.learned_constants.get(items.data)
    if known is not None and not known.value and str(known.value) != "-0.0":
        return allocate(ctx, items.kind, [count], node, zero=True)
    if known is not None:
        value = Number(value.kind, known, value.range)
    out = allocate(ctx, items.kind, [count], node)
    fill(ctx, out, value, node)
    return out


def concatenate(ctx: Context, left: Memory, right: Memory, node: ast.AST) -> Memory:
    """Lower list + list."""
    if not isinstance(left.kind, t.List) or left.kind != right.kind or len(left.dims) != 1:
        raise ctx.refuse(node, "this operator on arrays or lists is not in the native fragment")
    total = binary(ctx, ast.Add(), left.dims[0], right.dims[0], node)
    out = allocate(ctx, left.kind, [total], node)
    copy(ctx, left, out)
    copy(ctx, right, out, ctx.hold(left.dims[0].expr))
    return out


def start_list(ctx: Context, key: str, site: Any, node: ast.AST) -> Memory:
    """Lower `name = []`: a list that grows by append. What it holds is learned from the first append."""
    item = ctx.learned.get(("items of", site)) or t.Float()
    own, data = ctx.variable(f"{key}_own", "own"), ctx.variable(f"{key}_data", "ptr")
    length, capacity = ctx.variable(f"{key}_n0", "i64"), ctx.variable(f"{key}_room", "i64")
    if own.name not in ctx.owners:
        ctx.owners.append(own.name)
    ctx.add(ir.Call("own", (own, ir.Const("own", 0))))
    ctx.add(ir.Assign(length, ZERO))
    ctx.add(ir.Assign(capacity, ZERO))
    ctx.growing[key] = site
    dims = (Number(t.Int(), length, Interval(0, MOST)),)
    return Memory(t.List(item), data, dims, None, own, whole=True, capacity=capacity)


def append(ctx: Context, call: ast.Call, node: ast.AST) -> None:
    """Lower list.append(value) as a statement."""
    assert isinstance(call.func, ast.Attribute)
    base = ctx.expression(call.func.value)
    if not isinstance(base, Memory) or base.capacity is None or len(call.args) != 1 or call.keywords:
        raise ctx.refuse(node, "append() is only for lists that start as [] in the native fragment")
    value = ctx.number(ctx.expression(call.args[0]), node)
    key = base.capacity.name.removesuffix("_room")
    site = ctx.growing[key]
    if ("items of", site) not in ctx.learned:
        if value.kind not in (t.Int(), t.Float(), t.Bool()):
            raise ctx.refuse(node, f"a list of {value.kind} is not in the native fragment")
        ctx.learn(("items of", site), value.kind)
    if value.kind != base.kind.item:  # type: ignore[union-attr]
        raise ctx.refuse(node, f"{value.kind} appended to {base.kind} is not in the native fragment")
    assert isinstance(base.owner, ir.Var)
    assert isinstance(base.data, ir.Var)
    length = base.dims[0].expr
    assert isinstance(length, ir.Var)
    size = t.item_size(base.kind)
    ctx.add(ir.Grow(base.owner, base.data, length, base.capacity, size, ctx.exit(node, "no memory")))
    ctx.add(ir.Store(base.dtype, base.data, length, value.expr))
    ctx.add(ir.Assign(length, ir.Op("i64", "+", (length, ir.Const("i64", 1)))))


def _bounds(ctx: Context, node: ast.Slice, length: Number) -> tuple[Number, Number]:
    """Return start and stop of a slice with a positive step, brought inside the length."""
    ends = []
    for part, default in ((node.lower, constant(0)), (node.upper, length)):
        if part is None:
            ends.append(default)
            continue
        number = _end(ctx, part)
        inside = number.range.lo >= 0 and length.same and number.same and number.same[0] == length.same[0]
        if (inside and number.same and length.same and number.same[1] <= length.same[1]) or number.range == Interval(
            0, 0
        ):
            ends.append(number)
            continue
        clipped = ir.Op("i64", "clip", (number.expr, length.expr))
        most = length.range.hi if number.range.lo < 0 else min(number.range.hi, length.range.hi)
        ends.append(Number(t.Int(), ctx.hold(clipped), Interval(0, most), None, length.below))
    return ends[0], ends[1]


def _bounds_down(ctx: Context, node: ast.Slice, length: Number) -> tuple[Number, Number]:
    """Return start and stop of a slice with a negative step: from -1, which is before the start, to the last index."""
    last = ir.Op("i64", "-", (length.expr, ir.Const("i64", 1)))
    known = Interval(-1, max(-1, length.range.hi - 1))
    ends = []
    for part, default in ((node.lower, Number(t.Int(), ctx.hold(last), known)), (node.upper, constant(-1))):
        if part is None:
            ends.append(default)
            continue
        expr = ctx.hold(_end(ctx, part).expr)
        from_end = ir.Op("i64", "+", (expr, length.expr))
        index = ir.Op("i64", "?", (ir.Op("bool", "<", (expr, ZERO)), from_end, expr))
        inside = ir.Op("i64", "max", (ir.Op("i64", "min", (index, last)), ir.Const("i64", -1)))
        ends.append(Number(t.Int(), ctx.hold(inside), known))
    return ends[0], ends[1]


def _end(ctx: Context, part: ast.expr) -> Number:
    number = truth_integer(ctx.number(ctx.expression(part), part))
    if t.is_float(number.kind) or machine_of(number.kind) != "i64":
        raise ctx.refuse(part, f"a slice to {number.kind} is not in the native fragment")
    return number


def _step_of(ctx: Context, node: ast.Slice) -> int:
    if node.step is None:
        return 1
    number = ctx.number(ctx.expression(node.step), node.step)
    step = number.range.lo
    if number.kind != t.Int() or not number.range.fixed or not 0 < abs(step) < 2**31:
        raise ctx.refuse(node.step, "a slice with a step that is not a constant is not in the native fragment")
    return step


def _span_of(ctx: Context, start: Number, stop: Number, node: ast.AST, step: int = 1) -> Number:
    """Return how many indexes there are from start to stop."""
    if step < 0:
        start, stop, step = stop, start, -step
    far = binary(ctx, ast.Sub(), stop, start, node)
    if step == 1:
        return _clamped(far)
    more = binary(ctx, ast.Add(), far, constant(step - 1), node)
    return _clamped(binary(ctx, ast.FloorDiv(), more, constant(step), node))


def slice_list(ctx: Context, base: Memory, part: ast.Slice, node: ast.AST) -> Memory:
    """Lower list[start:stop], which is a new list."""
    if len(base.dims) != 1:
        raise ctx.refuse(node, "a slice of a list of lists is not in the native fragment")
    if _step_of(ctx, part) != 1:
        raise ctx.refuse(node, "a slice of a list with a step is not in the native fragment")
    start, stop = _bounds(ctx, part, base.dims[0])
    out = allocate(ctx, base.kind, [_span_of(ctx, start, stop, node)], node)
    source = row_from(base, start)
    copy(ctx, Memory(base.kind, source, out.dims), out)
    return out


def row_from(base: Memory, start: Number) -> ir.Expr:
    """Return the address of the element of a list at `start`."""
    width = ir.Const("i64", t.item_size(base.kind))
    return ir.Op("ptr", "+", (base.data, ir.Op("i64", "*", (start.expr, width))))


def slice_of(ctx: Context, base: Memory, node: ast.Subscript) -> Value:
    """Lower array[slices and indexes], which is a view. Steps of an empty one do not matter."""
    parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not isinstance(base.kind, t.Array) or len(parts) > len(base.dims):
        raise ctx.refuse(node, "this index is not in the native fragment")
    strides = strides_of(base)
    far: ir.Expr = ZERO
    dims, kept, stepped = [], [], False
    for i, (dim, stride) in enumerate(zip(base.dims, strides, strict=True)):
        part = parts[i] if i < len(parts) else ast.Slice()
        if isinstance(part, ast.Slice):
            step = _step_of(ctx, part)
            start, stop = _bounds(ctx, part, dim) if step > 0 else _bounds_down(ctx, part, dim)
            span = _span_of(ctx, start, stop, node, step) if part.lower or part.upper or step != 1 else dim
            dims.append(Number(t.Int(), ctx.hold(span.expr), span.range, span.same, span.below))
            kept.append(_times(stride, step))
            stepped = stepped or step != 1
            offset = start.expr
        else:
            offset = check(ctx, ctx.number(ctx.expression(part), part), dim, part)
        if offset != ZERO:
            move = ir.Op("i64", "*", (offset, stride))
            far = move if far == ZERO else ir.Op("i64", "+", (far, move))
    whole_rows = isinstance(parts[-1], ast.Slice) and len(parts) == base.kind.ndim
    packed = len(dims) == 1 and base.strides is None and whole_rows and not stepped
    kind = t.Array(base.dtype, len(dims), "C" if packed else "strided")
    data = ctx.hold(ir.Op("ptr", "+", (base.data, far)), "view")
    return Memory(kind, data, tuple(dims), None if packed else tuple(kept), base.owner, base.origins)


def _times(stride: ir.Expr, step: int) -> ir.Expr:
    if isinstance(stride, ir.Const):
        return ir.Const("i64", int(stride.value) * step)
    return stride if step == 1 else ir.Op("i64", "*", (stride, ir.Const("i64", step)))


def strides_of(base: Memory) -> tuple[ir.Expr, ...]:
    """Return how many bytes apart the elements are in each dimension."""
    if base.strides is not None:
        return base.strides
    out: list[ir.Expr] = [ir.Const("i64", t.item_size(base.kind))]
    for dim in reversed(base.dims[1:]):
        out.insert(0, ir.Op("i64", "*", (dim.expr, out[0])))
    return tuple(out)
