"""Branches that differ in simple arithmetic only: worked out on both sides, then chosen between.

A branch that the processor cannot foresee costs more than a few operations whose result is thrown away. An overflow
check inside goes before the branch: where it fails although the branch was not taken, the call leaves for Python
without need, which gives the same answer.
"""

from __future__ import annotations

from autopar._kernel import ir

__all__ = ["chosen"]

_MOST = 3  # operations on either side


def chosen(test: ir.Expr, then: ir.Block, other: ir.Block) -> ir.Block | None:
    """Return what does the same as a branch without one, or None if it is to stay a branch."""
    moved: ir.Block = []
    sides = []
    for block in (then, other):
        value = _only_value(block, moved)
        if value is None:
            return None
        sides.append(value)
    (a, left), (b, right) = sides
    if a != b or a.machine != "i64":
        return None
    return [*moved, ir.Assign(a, ir.Op("i64", "either", (test, left, right)))]


def _only_value(block: ir.Block, moved: ir.Block) -> tuple[ir.Var, ir.Expr] | None:
    """Return what a block sets and to what, if that is all it does besides checks for overflow, which are moved."""
    statements = [s for s in block if not isinstance(s, ir.Comment)]
    if not statements or not all(isinstance(s, ir.ExitIf) and _may_move(s) for s in statements[:-1]):
        return None
    last = statements[-1]
    if not isinstance(last, ir.Assign) or not _is_simple(last.value) or _size(last.value) > _MOST:
        return None
    moved += statements[:-1]
    return last.target, last.value


def _may_move(statement: ir.ExitIf) -> bool:
    tests = (
        statement.test.args if isinstance(statement.test, ir.Op) and statement.test.name == "||" else (statement.test,)
    )
    return statement.overflow and all(isinstance(t, ir.Op) and all(map(_is_simple, t.args)) for t in tests)


def _is_simple(expr: ir.Expr) -> bool:
    if isinstance(expr, ir.Op):
        return expr.name in ("+", "-", "*", ">>", "<<", "&", "|", "^") and all(map(_is_simple, expr.args))
    return expr.machine == "i64"


def _size(expr: ir.Expr) -> int:
    return 1 + sum(map(_size, expr.args)) if isinstance(expr, ir.Op) else 0
