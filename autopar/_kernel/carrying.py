"""Elements that one round of a loop stores and the next one loads: carried over in a variable.

In `t[j] = f(t[j - 1])` the next round would wait for the store to come back from memory, or worse, for a vector load
that covers it. This is sound where the loop stores nothing else that could be the same memory, and each round stores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel.prune import inner_blocks, walk

__all__ = ["carry_elements"]

_Polynomial = dict[tuple[str, ...], int]
_MACHINES = {"float64": "f64", "float32": "f32", "bool": "bool", "uint64": "u64"}


def carry_elements(block: ir.Block, temp: Callable[[str, str], ir.Var]) -> None:
    """Rewrite the innermost counting loops of a function."""
    for i in range(len(block) - 1, -1, -1):
        statement = block[i]
        for inner in inner_blocks(statement):
            carry_elements(inner, temp)
        if isinstance(statement, ir.For) and not any(isinstance(s, (ir.For, ir.Loop)) for s in walk(statement.body)):
            block[i:i] = _carried(statement, temp)


def _carried(loop: ir.For, temp: Callable[[str, str], ir.Var]) -> ir.Block:
    """Rewrite a loop, and return what comes before it."""
    stores = [s for s in walk(loop.body) if isinstance(s, ir.Store)]
    if not stores or loop.step not in (ir.Const("i64", 1), ir.Const("i64", -1)):
        return []
    first = stores[0]
    if any((s.base, s.offset, s.dtype) != (first.base, first.offset, first.dtype) for s in stores):
        return []
    if any(isinstance(s, (ir.Continue, ir.Call, ir.New, ir.Grow, ir.Label)) for s in walk(loop.body)):
        return []
    if not _always_stores(loop.body):
        return []
    names, changed = _aliases(loop), _assigned(loop)
    here = _polynomial(first.offset, names, None)
    step = loop.step.value if isinstance(loop.step, ir.Const) else 1
    before = _polynomial(first.offset, names, int(step))
    if here is None or before is None or here == before or not _steady([first.base, first.offset], changed, names):
        return []
    found = []
    for i, s in enumerate(loop.body):
        if isinstance(s, ir.Store) or (isinstance(s, ir.If) and any(isinstance(x, ir.Store) for x in walk([s]))):
            found += _loads_before_store(s, first, before, names)
            break
        if _is_load_of(s, first, before, names):
            found.append((loop.body, i))
    if not found:
        return []
    carry = temp(_MACHINES.get(first.dtype, "i64"), "carry")
    loads = [block[i] for block, i in found]
    start = ir.Op("bool", ">" if loop.down else "<", (loop.start, loop.stop))
    tests = [start, *_inside(loads[0], names, loop, changed)]
    if len(tests) == 1:
        return []
    for block, i in found:
        load = block[i]
        assert isinstance(load, ir.Load)
        block[i] = ir.Assign(load.target, carry)
    _remember(loop.body, carry)
    first_place = _at(first.offset, names, loop, int(step))
    fetched = ir.Load(carry, first.dtype, first.base, first_place, first.bytewise)
    return [ir.If(ir.Op("bool", "&&", tuple(tests)), [fetched], [])]


def _inside(load: ir.Statement, names: frozenset[str], loop: ir.For, changed: frozenset[str]) -> list[ir.Expr]:
    """Return the tests that the first round's load is of an element that is there; if not, that round does not load."""
    assert isinstance(load, ir.Load)
    out: list[ir.Expr] = []
    for index, length in load.indexes:
        if not _steady([index], changed, names) or not _steady([length], changed, frozenset()):
            return []
        first = _at(index, names, loop, 0)
        out.append(ir.Op("bool", "!", (ir.Op("bool", "beyond", (first, length)),)))
    return out


def _loads_before_store(
    s: ir.Statement, store: ir.Store, before: _Polynomial, names: frozenset[str]
) -> list[tuple[ir.Block, int]]:
    """Return the loads inside a branch that come before its store."""
    found = []
    if isinstance(s, ir.If):
        for block in (s.then, s.other):
            for i, inner in enumerate(block):
                if isinstance(inner, (ir.Store, ir.If)):
                    break
                if _is_load_of(inner, store, before, names):
                    found.append((block, i))
    return found


def _is_load_of(s: ir.Statement, store: ir.Store, before: _Polynomial, names: frozenset[str]) -> bool:
    return (
        isinstance(s, ir.Load)
        and (s.base, s.dtype, s.bytewise) == (store.base, store.dtype, store.bytewise)
        and _polynomial(s.offset, names, None) == before
    )


def _remember(block: ir.Block, carry: ir.Var) -> None:
    """After each store, keep what was stored."""
    for i in range(len(block) - 1, -1, -1):
        s = block[i]
        if isinstance(s, ir.Store):
            value = s.value if s.value.machine == carry.machine else ir.Op(carry.machine, carry.machine, (s.value,))
            if isinstance(value, ir.Op):
                block[i : i + 1] = [ir.Assign(carry, value), replace(s, value=carry)]
            else:
                block.insert(i + 1, ir.Assign(carry, value))
        for inner in inner_blocks(s):
            _remember(inner, carry)


def _always_stores(block: ir.Block) -> bool:
    """Whether each way through a block stores, or leaves the loop for good."""
    for s in block:
        if isinstance(s, (ir.Store, ir.Exit, ir.Break, ir.Jump)):
            return True
        if isinstance(s, ir.If) and _always_stores(s.then) and _always_stores(s.other):
            return True
    return False


def _aliases(loop: ir.For) -> frozenset[str]:
    """Return the names of the counter: its own, and that of the variable that the body sets to it first of all."""
    first = next((s for s in loop.body if not isinstance(s, ir.Comment)), None)
    if not isinstance(first, ir.Assign) or first.value != loop.var:
        return frozenset({loop.var.name})
    targets = [getattr(s, "target", None) for s in walk(loop.body)]
    return frozenset({loop.var.name, first.target.name} if targets.count(first.target) == 1 else {loop.var.name})


def _assigned(loop: ir.For) -> frozenset[str]:
    targets = (getattr(s, "target", None) for s in walk(loop.body))
    return frozenset(target.name for target in targets if isinstance(target, ir.Var))


def _steady(exprs: list[ir.Expr], changed: frozenset[str], names: frozenset[str]) -> bool:
    """Whether expressions change from round to round with the counter only."""
    for expr in exprs:
        if isinstance(expr, ir.Var) and expr.name in changed and expr.name not in names:
            return False
        if isinstance(expr, ir.Op) and not _steady(list(expr.args), changed, names):
            return False
    return True


def _polynomial(expr: ir.Expr, names: frozenset[str], back: int | None) -> _Polynomial | None:
    """Return an offset as a polynomial of variables, that of the round before if `back` is the step."""
    if isinstance(expr, ir.Const):
        return {(): int(expr.value)} if expr.value else {}
    if isinstance(expr, ir.Var):
        if expr.name not in names:
            return {(expr.name,): 1}
        return {("#",): 1} if back is None else {("#",): 1, (): -back}
    if not isinstance(expr, ir.Op) or expr.name not in ("+", "-", "*"):
        return None
    left, right = (_polynomial(arg, names, back) for arg in expr.args)
    if left is None or right is None:
        return None
    out: _Polynomial = {}
    if expr.name == "*":
        for a, m in left.items():
            for b, n in right.items():
                key = tuple(sorted((*a, *b)))
                out[key] = out.get(key, 0) + m * n
    else:
        sign = 1 if expr.name == "+" else -1
        for key in {**left, **right}:
            out[key] = left.get(key, 0) + sign * right.get(key, 0)
    return {key: n for key, n in out.items() if n}


def _at(expr: ir.Expr, names: frozenset[str], loop: ir.For, step: int) -> ir.Expr:
    """Return an offset as it is in the first round, or `step` before that."""
    if isinstance(expr, ir.Var):
        before = ir.Op("i64", "-", (loop.start, ir.Const("i64", step))) if step else loop.start
        return before if expr.name in names else expr
    if isinstance(expr, ir.Op):
        return replace(expr, args=tuple(_at(arg, names, loop, step) for arg in expr.args))
    return expr
