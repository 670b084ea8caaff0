"""What dtype an expression of the source names."""

from __future__ import annotations

import ast
import sys

from autopar._kernel import types as t
from autopar._kernel.context import Context
from autopar._kernel.value import Known

__all__ = ["dtype_of"]


def dtype_of(ctx: Context, node: ast.expr | None) -> str:
    """Return the name of a dtype; no expression stands for float64."""
    if node is None:
        return "float64"
    value = ctx.expression(node)
    target = value.value if isinstance(value, Known) else None
    numpy = sys.modules["numpy"]
    if target in (None, float):
        return "float64"
    if target in (int, bool):
        return "int64" if target is int else "bool"
    try:
        name = str(numpy.dtype(target).name)
    except TypeError:
        name = ""
    if name not in t.DTYPES or (isinstance(target, str) and not target.isalnum()):
        raise ctx.refuse(node, "this dtype is not in the native fragment")
    return name
