"""Floating-point operations whose result may not be needed: NumPy warns of them all the same.

NumPy's warnings are found in the processor's floating-point flags after the call. A C compiler may leave out an
operation whose result is not used, or move it to the one path that uses it, and with it goes the flag. So each result
that is not used on every path that follows is kept by a statement that the compiler cannot see into. Backwards over
the statements goes the set of variables that are used whatever happens, or None where it does not matter any more: at
side exits, after which Python runs the call anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from autopar._kernel import ir
from autopar._kernel.prune import walk
from autopar._kernel.sure_uses import SureUses, has_arithmetic

__all__ = ["keep_results"]

_Used = frozenset[str] | None
_SHORT = 64


def keep_results(block: ir.Block, results: tuple[ir.Var, ...], temp: Callable[[str, str], ir.Var]) -> None:
    """Add what keeps results of floating-point operations to the statements of a function."""
    uses = SureUses(block, temp)
    uses.set_apart(block)
    _Keeper(block, uses).block(block, frozenset(var.name for var in results), write=True)


class _Keeper:
    def __init__(self, whole: ir.Block, uses: SureUses) -> None:
        self.uses = uses
        self.labels: dict[str, _Used] = {}
        self.loops: list[tuple[_Used, _Used]] = []  # what is used after a loop, and at its head
        self.inside: list[ir.For | ir.Loop] = []
        self.read = {name for statement in walk(whole) for name in _read(statement)}

    def block(self, block: ir.Block, after: _Used, write: bool) -> _Used:
        """Return what is used whatever happens at the start of a block, and complete the block if told to."""
        for i in range(len(block) - 1, -1, -1):
            statement = block[i]
            if isinstance(statement, ir.Assign):
                # Outside of loops keeping costs nothing, and not every use is one to a compiler: x > x is false.
                unsure = after is not None and (not self.loops or statement.target.name not in after)
                needed = unsure and (has_arithmetic(statement.value) or self.uses.is_derived(statement.target))
                if needed and write:
                    block.insert(i + 1, ir.Keep(statement.target))
                after = self._assign(statement, after, needed)
            elif isinstance(statement, ir.If) and not self._matters(statement):
                if write:
                    block.insert(i, ir.Keep(statement.test))
                after = _and(after, self.uses.of_test(statement.test))
            elif isinstance(statement, ir.If) and self._may_merge(statement):
                after = self._before(statement, after, write)
                if write:
                    block.insert(i, ir.Keep(statement.test))
            else:
                after = self._before(statement, after, write)
                if write and isinstance(statement, ir.Store) and not self._is_lasting(statement):
                    block.insert(i, ir.Keep(statement.value))
        return after

    def _is_lasting(self, store: ir.Store) -> bool:
        """Whether what is stored is no float, or surely not overwritten in a way that a C compiler sees.

        It does not see through a loop of many rounds, each of which stores elsewhere, and once.
        """
        if isinstance(store.value, ir.Const):
            return True
        if store.value.machine not in ("f64", "f32") and not self.uses.is_derived(store.value):
            return True
        loop = self.inside[-1] if self.inside else None
        if not isinstance(loop, ir.For) or _is_short(loop):
            return False
        inside = list(walk(loop.body))
        if sum(isinstance(s, ir.Store) and s.base == store.base for s in inside) > 1:
            return False
        return not _moving(loop.var.name, inside).isdisjoint(_names(store.offset))

    def _assign(self, statement: ir.Assign, after: _Used, needed: bool) -> _Used:
        if after is None:
            return None
        used = needed or statement.target.name in after
        after = after - {statement.target.name}
        return after | self.uses.of(statement.value) if used else after

    def _matters(self, statement: ir.If) -> bool:
        for inner in walk([*statement.then, *statement.other]):
            if not isinstance(inner, (ir.Assign, ir.Comment, ir.If)):
                return True
            if isinstance(inner, ir.Assign) and inner.target.name in self.read:
                return True
        return False

    def _may_merge(self, statement: ir.If) -> bool:
        """Whether both ways may come to the same thing, so that the test is left out.

        In a loop that only stores or sets something, the branches would have to be the same.
        """
        inside = [*walk(statement.then), *walk(statement.other)]
        leaves = any(isinstance(s, (ir.Jump, ir.Break, ir.Continue)) for s in inside)
        return not self.loops or leaves or statement.then == statement.other

    def _before(self, s: ir.Statement, after: _Used, write: bool) -> _Used:
        if isinstance(s, ir.Exit):
            return None
        if isinstance(s, ir.Label):
            self.labels[s.name] = after
            return after
        if isinstance(s, ir.Jump):
            return self.labels.get(s.label, frozenset())
        if isinstance(s, (ir.Break, ir.Continue)):
            return self.loops[-1][isinstance(s, ir.Continue)]
        if isinstance(s, ir.If):
            both = _both(self.block(s.then, after, write), self.block(s.other, after, write))
            return _and(both, self.uses.of_test(s.test))
        if isinstance(s, (ir.For, ir.Loop)):
            return self._loop(s, after, write)
        if isinstance(s, ir.Store):
            return _and(after, self.uses.of(s.value) | _names((s.base, s.offset)))
        target = getattr(s, "target", None)
        if after is not None and target is not None:
            after = after - {target.name}
        return _and(after, _read(s))

    def _loop(self, s: ir.For | ir.Loop, after: _Used, write: bool) -> _Used:
        head: _Used = None
        while True:
            self.loops.append((after, head))
            start = self.block(s.body, head, write=False)
            self.loops.pop()
            now = _both(start, after) if isinstance(s, ir.For) else start
            if now == head:
                break
            head = now
        if write:
            self.inside.append(s)
            self.loops.append((after, head))
            self.block(s.body, head, write=True)
            self.loops.pop()
            self.inside.pop()
        return _and(head, _read(s))


def _both(a: _Used, b: _Used) -> _Used:
    if a is None or b is None:
        return b if a is None else a
    return a & b


def _and(used: _Used, more: set[str]) -> _Used:
    return None if used is None else used | more


def _moving(counter: str, inside: list[ir.Statement]) -> set[str]:
    """Return the variables that are another in each round of a loop, as far as that is certain."""
    moving = {counter, *(s.target.name for s in inside if isinstance(s, ir.Load))}
    found = True
    while found:
        more = {
            s.target.name
            for s in inside
            if isinstance(s, (ir.Assign, ir.Checked))
            and not (moving | {s.target.name}).isdisjoint(_names(s.value if isinstance(s, ir.Assign) else s.args))
        } - moving
        found = bool(more)
        moving |= more
    return moving


def _is_short(loop: ir.For) -> bool:
    """Whether a loop may be unrolled as a whole."""
    if not isinstance(loop.start, ir.Const) or not isinstance(loop.stop, ir.Const):
        return False
    return abs(loop.stop.value - loop.start.value) <= _SHORT


def _read(statement: ir.Statement) -> set[str]:
    """Return the variables that a statement by itself, without blocks inside it, reads."""
    names: set[str] = set()
    for field in fields(statement):
        value: Any = getattr(statement, field.name)
        if field.name not in ("target", "then", "other", "body"):
            names |= _names(value)
    return names


def _names(value: Any) -> set[str]:
    if isinstance(value, ir.Var):
        return {value.name}
    if isinstance(value, ir.Op):
        value = value.args
    return {name for item in value for name in _names(item)} if isinstance(value, tuple) else set()
