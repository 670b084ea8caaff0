"""The order of evaluation: what an operand may change before another one, put off until then, is read."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from autopar._kernel.context import Context
from autopar._kernel.nodes import nodes_of
from autopar._kernel.refusal import Refused
from autopar._kernel.value import Known, Value

__all__ = ["arguments", "is_users", "may_write"]


def is_users(function: Any) -> bool:
    """Whether this is a Python function, and not NumPy's."""
    module = str(getattr(function, "__module__", "")).partition(".")[0]
    return isinstance(function, FunctionType) and module != "numpy"


def may_write(ctx: Context, node: ast.expr) -> bool:
    """Whether an expression calls something that may change an array: a function of the user's, or a method."""
    return any(isinstance(inner, ast.Call) and not _only_reads(ctx, inner.func) for inner in nodes_of(node))


def arguments(ctx: Context, nodes: Sequence[ast.expr]) -> list[Value]:
    """Lower arguments, as recipes for arrays where nothing can come between."""
    lower = ctx.expression if any(may_write(ctx, node) for node in nodes[1:]) else ctx.lazy
    return [lower(node) for node in nodes]


def _only_reads(ctx: Context, function: ast.expr) -> bool:
    if not isinstance(function, (ast.Name, ast.Attribute)):
        return False
    try:
        with ctx.into([]):
            found = ctx.expression(function)
    except Refused:
        return False
    return isinstance(found, Known) and not is_users(found.value)
