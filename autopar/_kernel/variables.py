"""Python variables as C variables: reading, assigning, and bringing the ends of paths to one form."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel.context import Change, Context, Frame
from autopar._kernel.interval import Interval
from autopar._kernel.state import Bound, Clash, State
from autopar._kernel.value import Memory, Number, Pack, Span, Value, machine_of

__all__ = [
    "adapt",
    "assign",
    "bind_memory",
    "held",
    "in_ascii",
    "key_behind",
    "key_of",
    "read",
    "store_value",
    "variables_of",
]

NO_OWNER = ir.Const("own", 0)

_PLACE = re.compile(r"\$(?=\d)")
"""Before the place of an item of a tuple, in the names of its C variables."""


def key_of(frame: Frame, name: str) -> str:
    """Return the state's name of a variable of a scope."""
    return frame.prefix + in_ascii(name)


def in_ascii(name: str) -> str:
    """Return a Python name as one that C takes, another one for each."""
    return "".join(c if c.isascii() else f"$u{ord(c):06x}" for c in name)


def key_behind(variable: str) -> str:
    """Return the state's name of the variable that a C variable belongs to, one of its parts perhaps."""
    return _PLACE.split(variable.rpartition("_")[0], maxsplit=1)[0]


def read(ctx: Context, name: str, node: ast.AST) -> Value | None:
    """Return the value of a local variable of this scope or of one around it, or None if there is none of that name."""
    frame: Frame | None = ctx.frame
    while frame is not None:
        if name in frame.assigned:
            return _local(ctx, key_of(frame, name), name, node)
        frame = frame.parent
    return None


def _local(ctx: Context, key: str, name: str, node: ast.AST) -> Value:
    assert ctx.state is not None
    bound = ctx.state.get(key)
    if bound is None:
        raise ctx.refuse(node, f"'{name}' has no value yet here")
    if isinstance(bound, Clash):
        raise ctx.refuse(node, bound.reason)
    if not bound.certain:
        ctx.learn(("may be unbound", key), True)
        there = ctx.variable(f"{key}_bound", "bool")
        ctx.exit_if(ir.Op("bool", "!", (there,)), node, f"'{name}' has no value here")
        ctx.state[key] = Bound(bound.value)
    return bound.value


def assign(ctx: Context, name: str, value: Value, node: ast.AST, by: Interval | None = None) -> None:
    """Set a local variable of this scope, which moves it `by` so much if that is known."""
    assert ctx.state is not None
    key = key_of(ctx.frame, name)
    ctx.changes.append(Change(key, by, 1))
    ctx.state[key] = Bound(store_value(ctx, key, value))
    if ctx.learned.get(("may be unbound", key)):
        ctx.add(ir.Assign(ctx.variable(f"{key}_bound", "bool"), ir.Const("bool", True)))


def store_value(ctx: Context, key: str, value: Value) -> Value:
    """Copy a value to the C variables of a Python variable, and return it as those."""
    if isinstance(value, Number):
        return _store_number(ctx, key, value)
    if isinstance(value, Memory):
        return bind_memory(ctx, key, value)
    if isinstance(value, Pack):
        if any(name.startswith(f"{key}$") for name in variables_of(value)):
            # Its items are set one after the other, and a later one is not to read what an earlier one is by then.
            value = _store_items(ctx, f"{ctx.frame.prefix}aside{ctx.serial()}$", value)
        return _store_items(ctx, key, value)
    return held(ctx, value) if isinstance(value, Span) else value


def _store_items(ctx: Context, key: str, value: Pack) -> Pack:
    return Pack(tuple(store_value(ctx, f"{key}${i}", item) for i, item in enumerate(value.items)), value.argument)


def held(ctx: Context, value: Value) -> Value:
    """Return a copy of a value that assignments to its variables do not change."""
    if isinstance(value, Number):
        flag = ctx.hold(value.flag) if value.flag is not None else None
        return replace(value, expr=ctx.hold(value.expr), flag=flag)
    if isinstance(value, Pack):
        return replace(value, items=tuple(held(ctx, item) for item in value.items))
    if isinstance(value, Span):
        ends = (value.start, value.stop, value.step)
        return Span(*(replace(end, expr=ctx.hold(end.expr)) for end in ends))
    if isinstance(value, Memory) and value.capacity is None:
        return bind_memory(ctx, f"held{ctx.serial()}$", value)
    return value


def variables_of(value: Value) -> Iterator[str]:
    """Go through the C variables that a value is worked out from."""
    if isinstance(value, Pack):
        for item in value.items:
            yield from variables_of(item)
        return
    parts: list[ir.Expr | None] = []
    if isinstance(value, Number):
        parts = [value.expr, value.flag]
    elif isinstance(value, Span):
        parts = [value.start.expr, value.stop.expr, value.step.expr]
    elif isinstance(value, Memory):
        parts = [value.data, value.owner, *(dim.expr for dim in value.dims), *(value.strides or ())]
    for part in parts:
        yield from _names_in(part)


def _names_in(expr: ir.Expr | None) -> Iterator[str]:
    if isinstance(expr, ir.Var):
        yield expr.name
    elif isinstance(expr, ir.Op):
        for arg in expr.args:
            yield from _names_in(arg)


def _store_number(ctx: Context, key: str, value: Number) -> Number:
    target = ctx.variable(f"{key}_{machine_of(value.kind)}", machine_of(value.kind))
    if value.expr != target:
        ctx.add(ir.Assign(target, value.expr))
    flag = value.flag
    if flag is not None:
        own = ctx.variable(f"{key}_weak", "bool")
        if flag != own:
            ctx.add(ir.Assign(own, flag))
        flag = own
    return Number(value.kind, target, value.range, value.same, value.below, value.weak, flag, value.value)


def bind_memory(ctx: Context, key: str, value: Memory) -> Memory:
    """Let a variable refer to an array or list; it then shares in keeping a local buffer alive."""
    data = ctx.variable(f"{key}_data", "ptr")
    if value.data == data:
        return value
    if value.capacity is not None:
        raise ctx.refuse(None, "a second name for a list that grows is not in the native fragment")
    if value.owner is not None or f"{key}_own" in ctx.variables:
        own = ctx.variable(f"{key}_own", "own")
        if own.name not in ctx.owners:
            ctx.owners.append(own.name)
        ctx.add(ir.Call("own", (own, value.owner or NO_OWNER)))
    ctx.add(ir.Assign(data, value.data))
    dims = []
    for i, dim in enumerate(value.dims):
        target = ctx.variable(f"{key}_n{i}", "i64")
        ctx.add(ir.Assign(target, dim.expr))
        dims.append(Number(dim.kind, target, dim.range, dim.same, dim.below))
    strides = None
    if value.strides is not None:
        strides = tuple(ctx.hold(stride) for stride in value.strides)
    owner = ir.Var("own", f"{key}_own") if value.owner is not None else None
    return Memory(
        value.kind, data, tuple(dims), strides, owner, value.origins, value.argument, value.whole, value.capacity
    )


def adapt(ctx: Context, before: State, after: State) -> ir.Block:
    """Return what brings the variables at the end of a path to the form that they have where paths meet."""
    block: ir.Block = []
    with ctx.into(block):
        for key, target in after.items():
            source = before.get(key)
            if isinstance(target, Bound) and isinstance(source, Bound):
                _adapt(ctx, key, source.value, target.value)
    return block


def _adapt(ctx: Context, key: str, source: Value, target: Value) -> None:
    if isinstance(source, Pack) and isinstance(target, Pack):
        for i, (a, b) in enumerate(zip(source.items, target.items, strict=True)):
            _adapt(ctx, f"{key}${i}", a, b)
    elif isinstance(source, Memory) and isinstance(target, Memory):
        _adapt_memory(ctx, key, source, target)
    elif (isinstance(source, Number) and isinstance(target, Number) and target.kind != source.kind) or (
        isinstance(source, Number) and isinstance(target, Number) and target.flag is not None
    ):
        _adapt_number(ctx, key, source, target)


def _adapt_number(ctx: Context, key: str, source: Number, target: Number) -> None:
    machine = machine_of(target.kind)
    if machine_of(source.kind) != machine:
        ctx.add(ir.Assign(ctx.variable(f"{key}_{machine}", machine), ir.Op(machine, machine, (source.expr,))))
    if source.flag is None:
        weak = ir.Const("bool", source.kind == target.weak)
        ctx.add(ir.Assign(ctx.variable(f"{key}_weak", "bool"), weak))


def _adapt_memory(ctx: Context, key: str, source: Memory, target: Memory) -> None:
    for a, b in zip(source.dims, target.dims, strict=True):
        if isinstance(b.expr, ir.Var) and a.expr != b.expr:
            ctx.add(ir.Assign(b.expr, a.expr))
    if target.owner is not None and source.owner is None:
        ctx.add(ir.Call("own", (target.owner, NO_OWNER)))
