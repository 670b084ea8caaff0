"""Numbers modulo a power of two, made from one another round by round: kept with the bits that would be cut off.

Random numbers of the kind `s = (s * a + c) % m` wait for one another. Where `m` is a power of two, the next one's low
bits depend on this one's low bits only, so that nothing need be cut off in the chain; and a second one is
`s * (a * a) + (c * a + c)`, which does not wait for the first. So each round is made from the one before the last
(Brown, Random number generation with arbitrary strides, 1994). LLVM does the like as it unrolls loops, GCC does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel.prune import inner_blocks, walk
from autopar._model.light_dataclass import dataclass

__all__ = ["shorten_chains"]

_WORD = 2**64

_Temp = Callable[[str, str], ir.Var]


@dataclass(frozen=True, slots=True)
class _Step:
    """What a variable becomes: `(it * factor + summand) & mask`, `mask` being a power of two less one."""

    factor: int
    summand: int
    mask: int

    def then(self, other: _Step) -> _Step:
        """Both as one."""
        summand = (self.summand * other.factor + other.summand) % _WORD
        return _Step(self.factor * other.factor % _WORD, summand, other.mask)

    def of(self, base: ir.Expr) -> ir.Expr:
        """What becomes of a number, with all its bits, in unsigned arithmetic, which wraps."""
        product = ir.Op("u64", "*", (base, ir.Const("u64", self.factor)))
        return ir.Op("u64", "+", (product, ir.Const("u64", self.summand)))


_NOTHING = _Step(1, 0, 0)


def shorten_chains(block: ir.Block, temp: _Temp) -> None:
    """Rewrite such chains in the loops of a block."""
    for i in range(len(block) - 1, -1, -1):
        statement = block[i]
        if isinstance(statement, (ir.For, ir.Loop)):
            for name in sorted(_chains(statement)):
                block[i:i] = _shortened(statement.body, name, temp)
        for inner in inner_blocks(statement):
            shorten_chains(inner, temp)


def _shortened(body: ir.Block, name: str, temp: _Temp) -> ir.Block:
    """Rewrite a loop's body for one variable, and return what comes before the loop."""
    whole = temp("u64", "whole")
    start: ir.Block = [ir.Assign(whole, ir.Op("u64", "u64", (ir.Var("i64", name),)))]
    if not _once_a_round(body, name):
        _keep_whole(body, name, whole, temp)
        return start
    ahead, base = temp("u64", "ahead"), temp("u64", "base")
    steps = list(_steps(body, name))
    behind, out = _NOTHING, list(body)
    for i, statement, step in steps:
        behind = behind.then(step)
        out[i] = replace(statement, value=_low(behind.of(base), step.mask))
    last, statement, step = steps[-1]
    ends = [ir.Assign(whole, ahead), ir.Assign(ahead, behind.then(behind).of(base))]
    out[last : last + 1] = [*ends, replace(statement, value=_low(whole, step.mask))]
    out.insert(0, ir.Assign(base, whole))
    body[:] = out
    return [*start, ir.Assign(ahead, behind.of(whole))]


def _steps(body: ir.Block, name: str) -> Iterator[tuple[int, ir.Assign, _Step]]:
    """The steps of a variable that stand in a block itself, with their places."""
    for i, statement in enumerate(body):
        step = _step(statement)
        if step is not None and isinstance(statement, ir.Assign) and statement.target.name == name:
            yield i, statement, step


def _once_a_round(body: ir.Block, name: str) -> bool:
    """Whether each round that does not end the loop takes the same steps."""
    inside = [each for statement in body for block in inner_blocks(statement) for each in walk(block)]
    if any(isinstance(each, (ir.Continue, ir.Jump, ir.Label)) for each in walk(body)):
        return False
    return not any(name in _assigned(each) for each in inside)


def _chains(loop: ir.For | ir.Loop) -> set[str]:
    """The variables that are set in a loop by such steps only, all modulo the same number."""
    masks: dict[str, set[int]] = {}
    for statement in walk([loop]):
        step = _step(statement)
        for name in _assigned(statement):
            masks.setdefault(name, set()).add(0 if step is None else step.mask)
    return {name for name, found in masks.items() if len(found) == 1 and 0 not in found}


def _keep_whole(block: ir.Block, name: str, whole: ir.Var, temp: _Temp) -> None:
    """Have `whole` follow the variable, of which it has all bits, and be what the variable is made from."""
    base, behind = None, _NOTHING
    out: ir.Block = []
    for statement in block:
        for inner in inner_blocks(statement):
            _keep_whole(inner, name, whole, temp)
        step = _step(statement) if name in _assigned(statement) else None
        if step is None or not isinstance(statement, ir.Assign):
            if isinstance(statement, ir.Label) or any(name in _assigned(each) for each in walk([statement])):
                base = None
            out.append(statement)
            continue
        if base is None:
            base, behind = temp("u64", "base"), _NOTHING
            out.append(ir.Assign(base, whole))
        behind = behind.then(step)
        out += [ir.Assign(whole, behind.of(base)), replace(statement, value=_low(whole, step.mask))]
    block[:] = out


def _low(whole: ir.Expr, mask: int) -> ir.Expr:
    return ir.Op("i64", "i64", (ir.Op("u64", "&", (whole, ir.Const("u64", mask))),))


def _step(statement: ir.Statement) -> _Step | None:
    """The step by which a statement sets its target, if it does."""
    if not isinstance(statement, ir.Assign) or not isinstance(statement.value, ir.Op) or statement.value.name != "&":
        return None
    value, target = statement.value, statement.target
    inner, mask = value.args
    if not isinstance(mask, ir.Const) or mask.value <= 0 or int(mask.value) & (int(mask.value) + 1):
        return None
    linear = _linear(inner, target) if target.machine == value.machine == "i64" else None
    return None if linear is None else _Step(*linear, int(mask.value))


def _linear(expr: ir.Expr, variable: ir.Var) -> tuple[int, int] | None:
    """What the variable is multiplied by, and what is added, in an expression of nothing else."""
    if expr == variable:
        return 1, 0
    if not isinstance(expr, ir.Op) or expr.name not in ("+", "-", "*") or expr.machine != "i64":
        return None
    left, right = expr.args
    if isinstance(left, ir.Const) and expr.name != "-":
        left, right = right, left
    inner = _linear(left, variable)
    if inner is None or not isinstance(right, ir.Const):
        return None
    (factor, summand), number = inner, int(right.value)
    if expr.name == "*":
        return factor * number % _WORD, summand * number % _WORD
    return factor, (summand + number if expr.name == "+" else summand - number) % _WORD


def _assigned(statement: ir.Statement) -> set[str]:
    """The variables that a statement itself sets."""
    places = (getattr(statement, place, None) for place in ("target", "var", "owner", "data", "length", "capacity"))
    return {place.name for place in places if isinstance(place, ir.Var)}
