"""sum, min, max, any and all, over values, sequences and generators."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import binary
from autopar._kernel.comparison import compare, test_of
from autopar._kernel.comprehensions import generate
from autopar._kernel.context import Context
from autopar._kernel.interval import Interval
from autopar._kernel.loops import each
from autopar._kernel.sequences import sequence
from autopar._kernel.state import Bound
from autopar._kernel.value import Number, Value, constant
from autopar._kernel.variables import store_value

__all__ = ["any_or_all", "extreme", "total"]


def _over(ctx: Context, node: ast.expr, put: Callable[[Value], None]) -> None:
    """Give each value of a sequence or generator to `put`, in a loop or one after the other."""
    if isinstance(node, ast.GeneratorExp):
        if len(node.generators) != 1:
            raise ctx.refuse(node, "a generator with two 'for' is not in the native fragment")
        generate(ctx, node, node.elt, node.generators[0], put)
        return
    items = sequence(ctx, node)
    if items.fixed is not None:
        for value in items.fixed:
            put(value)
        return
    each(ctx, items, frozenset(), put, node)


class _Running:
    """A value that is carried from item to item, in a variable that the source does not show."""

    def __init__(self, ctx: Context, name: str, start: Value, node: ast.AST) -> None:
        self.ctx, self.node = ctx, node
        self.key = f"{ctx.frame.prefix}{name}{ctx.serial()}$"
        ctx.carried.add(self.key)
        self.set(start)

    def set(self, value: Value) -> None:
        assert self.ctx.state is not None
        self.ctx.state[self.key] = Bound(store_value(self.ctx, self.key, value))

    def get(self) -> Value:
        bound = (self.ctx.state or {}).get(self.key)
        if not isinstance(bound, Bound):
            raise self.ctx.refuse(self.node, bound.reason if bound else "no value")
        return bound.value


def total(ctx: Context, node: ast.Call, version: tuple[Any, ...]) -> Value:
    """Lower sum(). A sum of floats is compensated from Python 3.12 on, which is not in the fragment."""
    if node.keywords or not 1 <= len(node.args) <= 2:
        raise ctx.refuse(node, "sum() takes a sequence and a start")
    start: Value = ctx.expression(node.args[1]) if len(node.args) == 2 else constant(0)
    running = _Running(ctx, "sum", start, node)

    def put(value: Value) -> None:
        before = running.get()
        if not isinstance(value, Number) or not isinstance(before, Number):
            raise ctx.refuse(node, "sum() of anything but numbers is not in the native fragment")
        if version >= (3, 12) and t.Float() in (value.kind, value.weak) and not ctx.rtol:
            raise ctx.refuse(node, "sum() of floats, which Python compensates, is not in the native fragment")
        running.set(binary(ctx, ast.Add(), before, value, node))

    _over(ctx, node.args[0], put)
    return running.get()


def any_or_all(ctx: Context, node: ast.Call) -> Value:
    """Lower any() and all()."""
    if node.keywords or len(node.args) != 1:
        raise ctx.refuse(node, "any() and all() take one sequence")
    function = ctx.expression(node.func)
    every = getattr(function, "value", None) is all
    out = ctx.temp("bool", "found")
    ctx.add(ir.Assign(out, ir.Const("bool", every)))
    ctx.carried.add(out.name.rpartition("_")[0])

    def put(value: Value) -> None:
        expr = test_of(ctx, value, node)
        ctx.add(ir.Assign(out, ir.Op("bool", "&&" if every else "||", (out, expr))))
        if ctx.loops:
            stop = ir.Op("bool", "!", (out,)) if every else out
            ctx.add(ir.If(stop, [ir.Break()], []))
            ctx.loops[-1].left = True

    if isinstance(node.args[0], ast.GeneratorExp):
        _over(ctx, node.args[0], put)
    else:
        raise ctx.refuse(node, "any() and all() of anything but a generator is not in the native fragment")
    return Number(t.Bool(), out, Interval(0, 1))


def extreme(ctx: Context, node: ast.Call) -> Value:
    """Lower min() and max(): the first of those that are least or greatest, as Python finds it."""
    function = ctx.expression(node.func)
    relation = "<" if getattr(function, "value", None) is min else ">"
    if node.keywords or not node.args:
        raise ctx.refuse(node, "min() and max() with keywords are not in the native fragment")
    if len(node.args) > 1:
        best = _certain(ctx, ctx.expression(node.args[0]), node)
        for argument in node.args[1:]:
            best = _better(ctx, relation, best, _certain(ctx, ctx.expression(argument), node), node)
        return best
    return _extreme_of_sequence(ctx, relation, node)


def _certain(ctx: Context, value: Value, node: ast.AST) -> Number:
    number = ctx.number(value, node)
    return Number(number.kind, ctx.hold(number.expr), number.range, number.same, number.below)


def _better(ctx: Context, relation: str, best: Number, other: Number, node: ast.AST) -> Number:
    if best.kind != other.kind:
        raise ctx.refuse(node, f"min() or max() of {best.kind} and {other.kind} is not in the native fragment")
    test = compare(ctx, relation, other, best, node)
    if promotion.is_truth(best.kind):
        raise ctx.refuse(node, "min() or max() of truth values is not in the native fragment")
    low, high = (min, min) if relation == "<" else (max, max)
    known = Interval(low(best.range.lo, other.range.lo), high(best.range.hi, other.range.hi))
    below: tuple[tuple[str, int], ...] = ()
    if relation == "<" and not t.is_float(best.kind):
        below = tuple(sorted({**best.bounds(), **other.bounds()}.items()))
    if isinstance(test, ir.Const):
        return other if test.value else best
    expr = ctx.hold(ir.Op(best.expr.machine, "?", (test, other.expr, best.expr)))
    return Number(best.kind, expr, known, None, below)


def _extreme_of_sequence(ctx: Context, relation: str, node: ast.Call) -> Value:
    site = ("extreme", ctx.frame.path, node.lineno, node.col_offset)
    kind: t.Type = ctx.learned.get(site, t.Float())
    best, found = ctx.fresh(kind, hint="best"), ctx.temp("bool", "found")
    assert isinstance(best.expr, ir.Var)
    target = best.expr
    ctx.add(ir.Assign(found, ir.Const("bool", False)))
    ctx.carried |= {target.name.rpartition("_")[0], found.name.rpartition("_")[0]}

    def put(value: Value) -> None:
        number = _certain(ctx, value, node)
        if site not in ctx.learned:
            ctx.learn(site, number.kind)
        if number.kind != kind or promotion.is_truth(kind):
            raise ctx.refuse(node, f"min() or max() of {number.kind} is not in the native fragment")
        better = compare(ctx, relation, number, best, node)
        first = ir.Op("bool", "!", (found,))
        ctx.add(ir.If(ir.Op("bool", "||", (first, better)), [ir.Assign(target, number.expr)], []))
        ctx.add(ir.Assign(found, ir.Const("bool", True)))

    _over(ctx, node.args[0], put)
    ctx.exit_if(ir.Op("bool", "!", (found,)), node, "min() or max() of an empty sequence")
    return best
