"""Loops: lowered again and again until what is known at the head holds after each round."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO
from autopar._kernel.context import Change, Context, Leap, LoopFrame, insert_before
from autopar._kernel.counters import counted, multiplied, with_ranges
from autopar._kernel.interval import Interval
from autopar._kernel.nodes import nodes_of
from autopar._kernel.sequences import Items, sequence
from autopar._kernel.state import State, widen
from autopar._kernel.value import Number, Span, Value
from autopar._kernel.variables import adapt, key_behind, key_of

__all__ = ["each", "for_statement", "leave", "names_assigned", "while_statement"]

_ROUNDS = 24  # of lowering a body, far more than widening needs
_REACH = Interval(-(2**62), 2**62)
_UNROLLED = 16  # items of a tuple


def names_assigned(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that statements assign to, or change by a method."""
    names = set()
    for top in nodes:
        for node in nodes_of(top):
            if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
                names.add(node.id)
            function = node.func if isinstance(node, ast.Call) else None
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                names.add(function.value.id)
    return frozenset(names)


def for_statement(ctx: Context, node: ast.For) -> None:
    """Lower a for loop."""
    assigned = names_assigned([node.target, *node.body])
    around, ctx.changing = ctx.changing, frozenset(key_of(ctx.frame, name) for name in assigned)
    items = sequence(ctx, node.iter)
    ctx.changing = around
    if isinstance(node.iter, ast.Name) and node.iter.id in names_assigned(node.body):
        raise ctx.refuse(node, f"'{node.iter.id}' changes while the loop runs over it")

    def body(item: Value) -> None:
        ctx.assign_to(node.target, item, node)
        ctx.statements(node.body)

    if items.fixed is not None:
        _unrolled(ctx, items.fixed, body, node)
    else:
        each(ctx, items, assigned, body, node, node.orelse, _counter_name(ctx, items, node.target, node.body))
        return
    if node.orelse:
        raise ctx.refuse(node, "a loop over a tuple with an else is not in the native fragment")


def _counter_name(ctx: Context, items: Items, target: ast.expr, body: list[ast.stmt]) -> str:
    """Return the C variable that is the counter under another name, if nothing else sets the loop variable."""
    others: list[ast.AST] = list(body)
    if items.numbered and isinstance(target, ast.Tuple):
        target, *rest = target.elts
        others += rest
    elif items.span is None:
        return ""  # It is an item, and no item is a position.
    if isinstance(target, ast.Name) and target.id not in names_assigned(others):
        return f"{key_of(ctx.frame, target.id)}_i64"
    return ""


def each(
    ctx: Context,
    items: Items,
    assigned: frozenset[str],
    body: Callable[[Value], None],
    node: ast.AST,
    orelse: list[ast.stmt] | None = None,
    counter: str = "",
) -> None:
    """Lower a loop over items; `assigned` are the variables of this scope that the body sets."""
    direct = items.span
    value = direct or Span(_zero(), items.length, _one())
    start = replace(value.start, expr=ctx.hold(value.start.expr))
    stop = replace(value.stop, expr=ctx.hold(value.stop.expr))
    pace, down = replace(value.step, expr=ctx.hold(value.step.expr)), value.step.range.hi < 0
    start, stop = _within_reach(ctx, start, node), _within_reach(ctx, stop, node)
    _guard_last(ctx, stop, pace.range, node)
    known = _rounds(start.range, stop.range, down)
    if known is None:
        if orelse:
            ctx.statements(orelse)
        return
    position = Number(t.Int(), ctx.temp("i64", "i"), known, None, _below(start, stop, down))
    loop = _Loop(ctx, node, assigned, orelse or [])
    ends = (start.expr, stop.expr, pace.expr)
    loop.rounds = max(0, known.hi - known.lo) // max(1, min(abs(pace.range.lo), abs(pace.range.hi))) + 1

    def once() -> None:
        body(position if direct else items.item(position))

    assert isinstance(position.expr, ir.Var)
    loop.count(position.expr, ends, down, once, counter)


def _zero() -> Number:
    return Number(t.Int(), ZERO, Interval(0, 0))


def _one() -> Number:
    return Number(t.Int(), ir.Const("i64", 1), Interval(1, 1))


def _within_reach(ctx: Context, end: Number, node: ast.AST) -> Number:
    """Leave for a range that ends beyond 2**62, so that the counter and numbers near it need no checks."""
    if end.range.within(_REACH):
        return end
    outside = ir.Op("bool", "outside", (end.expr, ir.Const("i64", _REACH.lo), ir.Const("i64", _REACH.hi)))
    ctx.exit_if(outside, node, "a range that ends beyond 2**62")
    return replace(end, range=end.range & _REACH or _REACH)


def _guard_last(ctx: Context, stop: Number, step: Interval, node: ast.AST) -> None:
    """Leave if counting past the end would overflow."""
    if not step.fixed:
        step = Interval(step.lo, min(step.hi, 2**62))  # a longer step is looked at below
    if step.lo > 0 and stop.range.hi > t.INT64_MAX - step.hi:
        highest = ir.Const("i64", t.INT64_MAX - step.hi)
        ctx.exit_if(ir.Op("bool", ">", (stop.expr, highest)), node, "a range up to 2**63")
    if step.hi < 0 and stop.range.lo < t.INT64_MIN - step.lo:
        lowest = ir.Const("i64", t.INT64_MIN - step.lo)
        ctx.exit_if(ir.Op("bool", "<", (stop.expr, lowest)), node, "a range to -2**63")


def _rounds(start: Interval, stop: Interval, down: bool) -> Interval | None:
    """Return what the counter can be, or None if there is no round."""
    lo, hi = (stop.lo + 1, start.hi) if down else (start.lo, stop.hi - 1)
    return Interval(lo, hi) if lo <= hi else None


def _below(start: Number, stop: Number, down: bool) -> tuple[tuple[str, int], ...]:
    if down:
        return tuple(sorted(start.bounds().items()))
    return tuple(sorted((symbol, c - 1) for symbol, c in stop.bounds().items()))


def _unrolled(ctx: Context, items: tuple[Value, ...], body: Callable[[Value], None], node: ast.AST) -> None:
    if len(items) > _UNROLLED:
        raise ctx.refuse(node, f"a loop over a tuple of more than {_UNROLLED} items is not in the native fragment")
    frame = LoopFrame(unrolled=True)
    end, branches = f"end{ctx.serial()}", ctx.branches
    ctx.loops.append(frame)
    for item in items:
        if ctx.state is None:
            break
        body(item)
        ctx.state = _landed(ctx, frame.continues, f"next{ctx.serial()}")
        frame.continues = []
        ctx.branches += bool(frame.breaks) and ctx.branches == branches
    ctx.loops.pop()
    ctx.branches = branches
    ctx.state = _landed(ctx, frame.breaks, end)


def _landed(ctx: Context, jumps: list[Leap], label: str) -> State | None:
    """Let jumps land here, and return what holds then."""
    if not jumps:
        return ctx.state
    state = ctx.state
    for leap in jumps:
        state = ctx.joined(state, leap.state)
    assert state is not None
    if ctx.state is not None:
        ctx.block += adapt(ctx, ctx.state, state)
    for leap in jumps:
        place = insert_before(leap.block, leap.statement, adapt(ctx, leap.state, state))
        leap.block[place] = ir.Jump(label)
    ctx.add(ir.Label(label))
    return state


def while_statement(ctx: Context, node: ast.While) -> None:
    """Lower a while loop."""
    loop = _Loop(ctx, node, names_assigned([node.test, *node.body]), node.orelse)
    loop.repeat(node.test, lambda: ctx.statements(node.body))


def leave(ctx: Context, node: ast.Break | ast.Continue) -> None:
    """Lower break and continue."""
    if not ctx.loops or ctx.state is None:
        raise ctx.refuse(node, "break or continue outside a loop")
    frame = ctx.loops[-1]
    frame.left = True
    if isinstance(node, ast.Break):
        frame.breaks.append(Leap(ctx.block, ir.Break(), ctx.state))
        ctx.add(frame.breaks[-1].statement)
    else:
        frame.continues.append(Leap(ctx.block, ir.Continue(), ctx.state))
        ctx.add(frame.continues[-1].statement)
    ctx.state = None


class _Loop:
    """One loop on its way to a fix-point."""

    def __init__(self, ctx: Context, node: ast.AST, assigned: frozenset[str], orelse: list[ast.stmt]) -> None:
        self.ctx, self.node, self.assigned, self.orelse = ctx, node, assigned, orelse
        self.key = (ctx.frame.path, getattr(node, "lineno", 0), getattr(node, "col_offset", 0), type(node))
        self.paced = False  # whether it counts in a variable whose check was left out for that it would take years
        self.rounds: int | None = None  # at most so many, if that is known
        self.exit_state: State | None = None  # where a while loop's test failed
        self.exit_jump: ir.Block | None = None

    def count(
        self, var: ir.Var, ends: tuple[ir.Expr, ir.Expr, ir.Expr], down: bool, once: Callable[[], None], counter: str
    ) -> None:
        ctx, (start, stop, step) = self.ctx, ends
        outside = self._outside() - {var.name}

        def attempt() -> tuple[ir.Block, LoopFrame]:
            before: ir.Block = []
            relation = ">" if down else "<"
            runs = ir.Op("bool", relation, (start, stop))
            frame = LoopFrame(
                before=before,
                counters=frozenset({counter, var.name}),
                first=start,
                last=_last(start, stop, step, down),
                runs=runs,
                outside=outside,
                depth=ctx.branches,
            )
            return before, frame

        header, body, before, frame = self._settle(attempt, once)
        ctx.block += before
        ctx.add(ir.For(var, start, stop, step, body, down))
        ctx.state = header
        self._finish(frame)

    def repeat(self, test: ast.expr, once: Callable[[], None]) -> None:
        ctx = self.ctx

        def round_() -> None:
            outcome = ctx.condition(test)
            self.exit_jump, self.exit_state = None, None
            if outcome.known is not True:
                entered = ctx.state
                ctx.constrain(outcome.if_false)
                self.exit_state = ctx.state
                ctx.state = entered
                self.exit_jump = [ir.Break()]
                ctx.add(ir.If(ir.Op("bool", "!", (outcome.expr,)), self.exit_jump, []))
                ctx.constrain(outcome.if_true)
                if outcome.known is False:
                    ctx.state = None
            if ctx.state is not None:
                once()

        _, body, _, frame = self._settle(lambda: ([], LoopFrame()), round_)
        ctx.add(ir.Loop(body, paced=self.paced))
        ctx.state = self.exit_state
        self._finish(frame)

    def _outside(self) -> frozenset[str]:
        """Return the C variables that the body cannot change."""
        ctx = self.ctx
        changed = {key_of(ctx.frame, name) for name in self.assigned} | ctx.carried
        return frozenset(name for name in ctx.variables if key_behind(name) not in changed)

    def _settle(
        self, attempt: Callable[[], tuple[ir.Block, LoopFrame]], once: Callable[[], None]
    ) -> tuple[State, ir.Block, ir.Block, LoopFrame]:
        """Lower the body until the state at its head holds for each round; return that state and the statements."""
        ctx, entry = self.ctx, self.ctx.state
        assert entry is not None
        earlier = {key: bound for key, bound in ctx.headers.get(self.key, {}).items() if key in entry}
        header = ctx.joined(entry, {**entry, **earlier}) or dict(entry)
        outer, changes = ctx.changes, list[Change]()
        for _ in range(_ROUNDS):
            body: ir.Block = []
            before, frame = attempt()
            ctx.state, branches = dict(header), ctx.branches
            returned = [len(scope.returns) for scope in ctx.frames]
            ctx.changes = changes = []
            ctx.loops.append(frame)
            with ctx.into(body):
                once()
            ctx.loops.pop()
            ctx.branches = branches
            back: State | None = ctx.state
            for leap in frame.continues:
                back = ctx.joined(back, leap.state)
            after = ctx.joined(header, back) or header
            ranges = counted(entry, header, changes, self.rounds)
            after = with_ranges(after, ranges)
            self.paced = self.rounds is None and bool(ranges)
            if after == header:
                break
            header = with_ranges(widen(header, after), ranges)
            for scope, count in zip(ctx.frames, returned, strict=True):
                del scope.returns[count:]
        else:
            raise ctx.refuse(self.node, "the types in this loop do not come to rest")
        ctx.changes = outer
        ctx.changes += [multiplied(change, self.rounds) for change in changes]
        ctx.headers[self.key] = header
        ctx.block += adapt(ctx, entry, header)
        if ctx.state is not None:
            body += adapt(ctx, ctx.state, header)
        for leap in frame.continues:
            insert_before(leap.block, leap.statement, adapt(ctx, leap.state, header))
        return header, body, before, frame

    def _finish(self, frame: LoopFrame) -> None:
        """Join the ways out of the loop behind it."""
        ctx = self.ctx
        natural = ctx.state
        if not self.orelse:
            state = natural
            for leap in frame.breaks:
                state = ctx.joined(state, leap.state)
            if natural is None or state is None or not adapt(ctx, natural, state):
                for leap in frame.breaks:
                    insert_before(leap.block, leap.statement, adapt(ctx, leap.state, state or {}))
                ctx.state = state
                return
        if ctx.state is not None and self.orelse:
            ctx.statements(self.orelse)
        ctx.state = _landed(ctx, frame.breaks, f"end{ctx.serial()}")


def _last(start: ir.Expr, stop: ir.Expr, step: ir.Expr, down: bool) -> ir.Expr:
    """Return the counter's last value, for a loop that has one."""
    if isinstance(step, ir.Const) and step.value in (1, -1):
        if isinstance(stop, ir.Const):
            return ir.Const("i64", int(stop.value) - int(step.value))
        return ir.Op("i64", "-", (stop, step))
    return ir.Op("i64", "last_down" if down else "last_up", (start, stop, step))
