"""Functions that the function calls: lowered in place, each call with variables of its own."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from autopar._kernel import ir
from autopar._kernel.context import Context, Frame, Return, insert_before
from autopar._kernel.nodes import nodes_of
from autopar._kernel.source import read_source
from autopar._kernel.state import Bound, Clash, join_values
from autopar._kernel.value import Known, Value, constant
from autopar._kernel.variables import adapt, assign, in_ascii, store_value

__all__ = ["arguments_of", "finish", "inline", "local_names"]

_DEEPEST = 12
_MOST = 200  # calls compiled into one kernel


def local_names(tree: ast.FunctionDef) -> frozenset[str]:
    """Return the names of a function's own variables."""
    arguments = tree.args
    names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    inside: set[str] = set()
    for node in nodes_of(tree):
        if isinstance(node, ast.comprehension):
            inside |= {id_ for n in nodes_of(node.target) if (id_ := _place(n))}
    for node in nodes_of(tree):
        stored = isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del))
        if isinstance(node, ast.Name) and stored and _place(node) not in inside:
            names.add(node.id)
    return frozenset(names)


def _place(node: ast.AST) -> str:
    return f"{node.id}@{node.lineno}:{node.col_offset}" if isinstance(node, ast.Name) else ""


def arguments_of(
    ctx: Context,
    function: FunctionType,
    tree: ast.FunctionDef,
    given: list[Value],
    named: dict[str, Value],
    node: ast.AST,
) -> dict[str, Value]:
    """Bind arguments to parameters, with defaults for the rest."""
    spec = tree.args
    if spec.vararg or spec.kwarg:
        raise ctx.refuse(node, f"{function.__name__}() takes *args or **kwargs, which is not in the native fragment")
    positional = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    if len(given) > len(positional):
        raise ctx.refuse(node, f"too many arguments for {function.__name__}()")
    out: dict[str, Value] = dict(zip(positional, given, strict=False))
    allowed = {a.arg for a in (*spec.args, *spec.kwonlyargs)}
    for name, value in named.items():
        if name in out or name not in allowed:
            raise ctx.refuse(node, f"{function.__name__}() does not take '{name}' so")
        out[name] = value
    defaults: dict[str, Any] = dict(function.__kwdefaults__ or {})
    values = function.__defaults__ or ()
    defaults.update(zip(positional[len(positional) - len(values) :], values, strict=True))
    for name in [*positional, *(a.arg for a in spec.kwonlyargs)]:
        if name in out:
            continue
        if name not in defaults:
            raise ctx.refuse(node, f"{function.__name__}() lacks '{name}'")
        out[name] = _default(defaults[name], name)
    return out


def _default(value: Any, name: str) -> Value:
    if type(value) in (int, float, bool):
        return constant(value)
    return Known(value, name)


def inline(ctx: Context, function: FunctionType, node: ast.Call, values: list[Value] | None = None) -> Value:
    """Lower a call of a Python function by lowering its body here; for these values if they are worked out already."""
    if any(frame.function.__code__ is function.__code__ for frame in ctx.frames):
        raise ctx.refuse(node, f"{function.__name__}() calls itself, which is not in the native fragment")
    ctx.inlined += 1
    if len(ctx.frames) > _DEEPEST or ctx.inlined > _MOST:
        raise ctx.refuse(node, "too many calls of functions to be compiled into one")
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        raise ctx.refuse(node, "'*' in a call is not in the native fragment")
    given = [ctx.expression(argument) for argument in node.args] if values is None else values
    named = {str(keyword.arg): ctx.expression(keyword.value) for keyword in node.keywords}
    source = read_source(function)
    if source.text not in ctx.sources:
        ctx.sources.append(source.text)
    bound = arguments_of(ctx, function, source.tree, given, named, node)
    serial = ctx.serial()
    # A program may call a function anything.
    name = function.__name__ if function.__name__.isidentifier() else "helper"
    prefix = f"{in_ascii(name)}{serial}$"
    path = (*ctx.frame.path, (node.lineno, node.col_offset, function.__name__))
    frame = Frame(function, prefix, path, local_names(source.tree), f"return{serial}")
    before = dict(ctx.state or {})
    ctx.frames.append(frame)
    for name, value in bound.items():
        assign(ctx, name, value, node)
    ctx.statements(source.tree.body)
    value = finish(ctx, frame, f"{prefix}result$", node)
    ctx.frames.pop()
    ctx.state = before
    ctx.line = node.lineno
    return value


def finish(ctx: Context, frame: Frame, key: str, node: ast.AST) -> Value:
    """Bring what all returns of a function give to one place, and return it."""
    ends = list(frame.returns)
    if ctx.state is not None:
        ends.append(Return(ctx.block, ir.Jump(frame.label), Known(None, "None"), node))
        ctx.add(ends[-1].jump)
    if not ends:
        raise ctx.refuse(node, f"{frame.function.__name__}() always raises")
    stored = []
    for end in ends:
        moves: ir.Block = []
        with ctx.into(moves):
            stored.append(store_value(ctx, key, end.value))
        insert_before(end.block, end.jump, moves)
    out = stored[0]
    for value in stored[1:]:
        joined = join_values(out, value, key, ctx.minimum)
        if isinstance(joined, Clash):
            raise ctx.refuse(node, f"{frame.function.__name__}() returns {joined.reason}")
        out = joined
    for end, value in zip(ends, stored, strict=True):
        insert_before(end.block, end.jump, adapt(ctx, {key: Bound(value)}, {key: Bound(out)}))
    ctx.add(ir.Label(frame.label))
    return out
