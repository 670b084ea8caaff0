"""Elements of arrays and lists: where they are, and that they are there.

An index that is a known distance from a length needs no check. One that moves evenly with the innermost counting loop
is checked for its first and last round before the loop. Any other is checked where it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO, as_integer
from autopar._kernel.context import Context, LoopFrame
from autopar._kernel.interval import Interval
from autopar._kernel.value import Memory, Number, machine_of, range_of

__all__ = ["at", "check", "element_of", "fetch", "load", "offset_of", "part", "store"]

MANY = 2**30  # an index that may be this far below zero is hardly meant to count from the end
BEYOND = "index out of range"


def check(ctx: Context, index: Number, length: Number, node: ast.AST) -> ir.Expr:
    """Return an index as an offset from the start, checked to be inside."""
    if not promotion.is_integer(index.kind):
        raise ctx.refuse(node, f"{index.kind} as an index is not in the native fragment")
    expr = as_integer(index.expr)
    if expr.machine != "i64":
        raise ctx.refuse(node, f"{index.kind} as an index is not in the native fragment")
    if index.range.hi < 0:
        return _from_the_end(ctx, index, length, node)
    inside = _is_below(index, length)
    if index.range.lo >= 0:
        if not inside and not _hoisted(ctx, expr, length, node):
            ctx.exit_if(ir.Op("bool", "beyond", (expr, length.expr)), node, BEYOND)
        return expr
    if index.range.lo < -MANY and _hoisted(ctx, expr, length, node):
        return expr
    wrapped = ctx.temp("i64", "k")
    if index.range.lo < -1 and not inside:
        _check_both_ends(ctx, wrapped, expr, length, node)
        return wrapped
    from_end = ir.Op("i64", "+", (expr, length.expr))
    ctx.add(ir.Assign(wrapped, ir.Op("i64", "?", (ir.Op("bool", "<", (expr, ZERO)), from_end, expr))))
    if not inside or index.range.lo < -1 or length.range.lo < 1:
        ctx.exit_if(ir.Op("bool", "beyond", (wrapped, length.expr)), node, BEYOND)
    return wrapped


def _check_both_ends(ctx: Context, wrapped: ir.Var, expr: ir.Expr, length: Number, node: ast.AST) -> None:
    """Set a variable to an index that may be anything, with one test where it is not from the end."""
    given = ctx.hold(expr, "k")
    from_end = ir.Assign(wrapped, ir.Op("i64", "+", (given, length.expr)))
    before = ir.Op("bool", "beyond", (wrapped, length.expr))
    leave = ir.ExitIf(ir.Op("bool", "||", (ir.Op("bool", ">=", (given, ZERO)), before)), ctx.exit(node, BEYOND))
    ctx.add(ir.If(ir.Op("bool", "beyond", (given, length.expr)), [from_end, leave], [ir.Assign(wrapped, given)]))


def _from_the_end(ctx: Context, index: Number, length: Number, node: ast.AST) -> ir.Expr:
    expr: ir.Expr = ir.Op("i64", "+", (length.expr, index.expr))
    if index.range.lo + length.range.lo < 0:
        expr = ctx.hold(expr, "k")
        ctx.exit_if(ir.Op("bool", "<", (expr, ZERO)), node, BEYOND)
    return expr


def _is_below(index: Number, length: Number) -> bool:
    if index.range.hi < length.range.lo:
        return True
    if length.same is None:
        return False
    symbol, c = length.same
    return index.bounds().get(symbol, c) < c


def _hoisted(ctx: Context, expr: ir.Expr, length: Number, node: ast.AST) -> bool:
    """Check all rounds of the innermost loop before it, if the index moves evenly with that.

    Where each round gets here, a wrong index before the loop is a side exit. Otherwise it only switches on the check in
    the loop, since the rounds with the wrong index may never get here.
    """
    loop = next((frame for frame in reversed(ctx.loops) if not frame.unrolled), None)
    if loop is None or loop.before is None or not _invariant(length.expr, loop) or _slope(expr, loop) is None:
        return False
    if ir.can_trap(expr) or ir.can_trap(length.expr):
        return False
    if (expr, length.expr) in loop.checked:
        return True
    assert loop.first is not None
    assert loop.last is not None
    assert loop.runs is not None
    ends = [_replaced(expr, loop.counters, end) for end in (loop.first, loop.last)]
    tests = [ir.Op("bool", "beyond", (end, length.expr)) for end in dict.fromkeys(ends)]
    bad: ir.Expr = tests[0] if len(tests) == 1 else ir.Op("bool", "||", tuple(tests))
    bad = ir.Op("bool", "&&", (loop.runs, bad))
    if not loop.left and ctx.branches == loop.depth:
        loop.checked.add((expr, length.expr))
        loop.before.append(ir.ExitIf(bad, ctx.exit(node, BEYOND)))
        return True
    if (expr, length.expr) not in loop.suspect:
        suspect = ctx.temp("bool", "suspect")
        loop.before.append(ir.Assign(suspect, bad))
        loop.suspect[expr, length.expr] = suspect
    here = ir.Op("bool", "beyond", (expr, length.expr))
    ctx.exit_if(ir.Op("bool", "&&", (loop.suspect[expr, length.expr], here)), node, BEYOND)
    return True


def _invariant(expr: ir.Expr, loop: LoopFrame) -> bool:
    if isinstance(expr, ir.Const):
        return True
    if isinstance(expr, ir.Var):
        return expr.name in loop.outside
    return isinstance(expr, ir.Op) and all(_invariant(arg, loop) for arg in expr.args)


def _slope(expr: ir.Expr, loop: LoopFrame) -> bool | None:
    """Return whether an expression moves with the counter (True) or stands still (False), or None if unsure."""
    if _invariant(expr, loop):
        return False
    if isinstance(expr, ir.Var):
        return True if expr.name in loop.counters else None
    if isinstance(expr, ir.Op) and expr.name in ("+", "-"):
        slopes = [_slope(arg, loop) for arg in expr.args]
        return None if None in slopes or slopes == [True, True] else True
    if isinstance(expr, ir.Op) and expr.name == "*":
        left, right = (_slope(arg, loop) for arg in expr.args)
        return None if None in (left, right) or (left and right) else True
    return None


def _replaced(expr: ir.Expr, names: frozenset[str], by: ir.Expr) -> ir.Expr:
    if isinstance(expr, ir.Var):
        return by if expr.name in names else expr
    if isinstance(expr, ir.Op):
        return replace(expr, args=tuple(_replaced(arg, names, by) for arg in expr.args))
    return expr


def _sum(a: ir.Expr, b: ir.Expr) -> ir.Expr:
    return b if a == ZERO else a if b == ZERO else ir.Op("i64", "+", (a, b))


def offset_of(memory: Memory, offsets: Sequence[ir.Expr]) -> ir.Expr:
    """Return how far in, in elements for C order, else in bytes."""
    out: ir.Expr = ZERO
    if memory.strides is not None:
        for offset, stride in zip(offsets, memory.strides, strict=False):
            out = _sum(out, ir.Op("i64", "*", (offset, stride)))
        return out
    for i in range(len(memory.dims)):
        if i:
            out = ir.Op("i64", "*", (out, memory.dims[i].expr)) if out != ZERO else ZERO
        if i < len(offsets):
            out = _sum(out, offsets[i])
    return out


def fetch(ctx: Context, memory: Memory, indexes: Sequence[Number], node: ast.AST) -> Number:
    """Check the indexes of an element and read it."""
    if len(indexes) != len(memory.dims):
        raise ctx.refuse(node, f"{len(indexes)} indexes into {memory.kind}")
    offsets = [check(ctx, i, n, node) for i, n in zip(indexes, memory.dims, strict=True)]
    return load(ctx, memory, offset_of(memory, offsets), offsets)


def at(ctx: Context, memory: Memory, indexes: Sequence[Number], node: ast.AST) -> ir.Expr:
    """Check the indexes of an element and return where it is."""
    if len(indexes) != len(memory.dims):
        raise ctx.refuse(node, f"{len(indexes)} indexes into {memory.kind}")
    return offset_of(memory, [check(ctx, i, n, node) for i, n in zip(indexes, memory.dims, strict=True)])


def part(ctx: Context, memory: Memory, indexes: Sequence[Number], node: ast.AST) -> Memory:
    """Return the view, or inner list, that fewer indexes than dimensions give."""
    offsets = [check(ctx, i, n, node) for i, n in zip(indexes, memory.dims, strict=False)]
    return row(memory, offsets)


def row(memory: Memory, offsets: Sequence[ir.Expr]) -> Memory:
    """Return the part of an array or nested list at offsets that are known to be inside."""
    count = len(offsets)
    width = ir.Const("i64", t.item_size(memory.kind))
    far = offset_of(memory, offsets)
    if memory.strides is None:
        far = ir.Op("i64", "*", (far, width))
    kind: t.Array | t.List
    if isinstance(memory.kind, t.Array):
        kind = replace(memory.kind, ndim=memory.kind.ndim - count)
    else:
        kind = replace(memory.kind, ndim=memory.kind.ndim - count)
    return Memory(
        kind,
        ir.Op("ptr", "+", (memory.data, far)),
        memory.dims[count:],
        None if memory.strides is None else memory.strides[count:],
        memory.owner,
        memory.origins,
    )


def load(ctx: Context, memory: Memory, offset: ir.Expr, indexes: Sequence[ir.Expr] = ()) -> Number:
    """Read an element."""
    kind = memory.element
    ctx.read |= memory.origins
    target = ctx.temp(machine_of(kind), "e")
    pairs = tuple((index, dim.expr) for index, dim in zip(indexes, memory.dims, strict=False))
    ctx.add(ir.Load(target, memory.dtype, memory.data, offset, memory.strides is not None, pairs))
    return Number(kind, target, range_of(kind))


def store(ctx: Context, memory: Memory, offset: ir.Expr, value: Number, node: ast.AST) -> None:
    """Write an element, converted as Python or NumPy converts it."""
    if isinstance(memory.kind, t.List):
        value = ctx.settle(value, node)
        if value.kind != memory.kind.item:
            raise ctx.refuse(node, f"{value.kind} stored in {memory.kind} is not in the native fragment")
        expr = value.expr
    else:
        expr = element_of(ctx, memory.kind.dtype, value, node)
    ctx.written |= memory.origins
    shared = bool(memory.origins) and not isinstance(memory.kind, t.List)
    ctx.add(ir.Store(memory.dtype, memory.data, offset, expr, memory.strides is not None, shared))


def element_of(ctx: Context, dtype: str, value: Number, node: ast.AST) -> ir.Expr:
    """Return a number as an element of a dtype, and leave where NumPy would warn, raise or wrap around."""
    expr, machine = value.expr, machine_of(t.NpScalar(dtype))
    if dtype == "bool":
        return expr if expr.machine == "bool" else ir.Op("bool", "!=", (expr, ir.Const(expr.machine, 0)))
    if dtype.startswith("float"):
        if dtype == "float32" and expr.machine != "f32":
            ctx.float_flags = True
            if not t.is_float(value.kind) and not value.range.within(Interval(-(2**24), 2**24)):
                ctx.exit_if(_outside(expr, -(2**24), 2**24), node, "an integer is not exact as float32")
        return expr if expr.machine == machine else ir.Op(machine, machine, (expr,))
    limits = range_of(t.NpScalar(dtype))
    if t.is_float(value.kind):
        double = expr if expr.machine == "f64" else ir.Op("f64", "f64", (expr,))
        whole = ctx.checked("truncate", "i64", (double,), node, "a float is out of range for an integer")
        value = Number(t.Int(), whole)
        expr = whole
    expr = as_integer(expr)
    if machine == "u64":
        if expr.machine != "u64" and value.range.lo < 0:
            ctx.exit_if(ir.Op("bool", "<", (expr, ZERO)), node, f"a value is out of range for {dtype}")
        return ir.Op("u64", "u64", (expr,))
    if expr.machine == "u64":
        raise ctx.refuse(node, f"np.uint64 stored in {dtype} is not in the native fragment")
    if not value.range.within(limits):
        ctx.exit_if(_outside(expr, limits.lo, limits.hi), node, f"a value is out of range for {dtype}")
    return expr


def _outside(expr: ir.Expr, lo: int, hi: int) -> ir.Expr:
    return ir.Op("bool", "outside", (expr, ir.Const("i64", lo), ir.Const("i64", hi)))
