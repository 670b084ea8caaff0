"""Which uses of a floating-point result a C compiler cannot do without.

It works out a comparison of a value with itself, also where the source has it twice, under two names or in two loads; a
square that is compared with a negative number; a choice of two values whose test it knows. What only such a use needs
is not computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel.prune import inner_blocks, walk

__all__ = ["SureUses", "has_arithmetic"]

_FLOATS = ("f64", "f32")
_ARITHMETIC = {"+", "-", "*", "/", "sqrt", "f32", "float_mod", "float_floordiv", "pairwise_sum"}
_COMPARISONS = {"<", "<=", ">", ">=", "==", "!="}
_BOUNDED = {"+", "-", "*", "/", "sqrt"}
_UNKNOWN = (math.inf, -math.inf)
_DROPPING = {"select", "?", "min", "max", "copysign", "pow"}
"""Operations whose result may be known, or be one operand, whatever the others are."""
_LAZY = {"&&", "||"}
_OPEN = {"+", "!", "i64", "u64", "bool"}
"""Operations on integers and truth values whose result a compiler cannot know without that of each operand."""


def has_arithmetic(expr: ir.Expr) -> bool:
    """Whether evaluating an expression may raise one of the processor's floating-point flags."""
    if not isinstance(expr, ir.Op):
        return False
    return _is_arithmetic(expr) or any(map(has_arithmetic, expr.args))


def _is_arithmetic(expr: ir.Op) -> bool:
    return expr.machine in _FLOATS and expr.name in _ARITHMETIC


def _compares_floats(expr: ir.Op) -> bool:
    return expr.name in _COMPARISONS and expr.args[0].machine in _FLOATS


class SureUses:
    """Knows of a function's variables what comparisons of them depend on.

    Parameters
    ----------
    block
        The function's statements.
    temp
        Makes a new variable, given its machine type and a name for the reader.
    """

    def __init__(self, block: ir.Block, temp: Callable[[str, str], ir.Var]) -> None:
        self._temp = temp
        self._loads: dict[str, str | None] = {}  # variable -> name of the memory it is an element of, if of one only
        self._derived: set[str] = set()  # variables that floating-point operations have a part in
        assigned: dict[str, list[ir.Expr]] = {}
        for statement in walk(block):
            target = getattr(statement, "target", None)
            if isinstance(statement, ir.Load):
                self._loads[statement.target.name] = _base(statement, self._loads)
            elif isinstance(target, ir.Var):
                self._loads[target.name] = None
                if isinstance(statement, ir.Assign):
                    assigned.setdefault(target.name, []).append(statement.value)
                if isinstance(statement, ir.Checked):
                    assigned.setdefault(target.name, []).extend(statement.args)
            if isinstance(statement, ir.For):
                self._loads[statement.var.name] = None
        self._follow(assigned)

    def _follow(self, assigned: dict[str, list[ir.Expr]]) -> None:
        found = True
        while found:
            more = {name for name, values in assigned.items() if any(map(self.is_derived, values))} - self._derived
            found = bool(more)
            self._derived |= more

    def is_derived(self, expr: ir.Expr) -> bool:
        """Whether floating-point operations have a part in a value that is no float itself, or in an expression."""
        if isinstance(expr, ir.Var):
            return expr.name in self._derived
        return isinstance(expr, ir.Op) and (_is_arithmetic(expr) or any(map(self.is_derived, expr.args)))

    # -- the uses -------------------------------------------------------------------------------------------------

    def of(self, expr: ir.Expr) -> set[str]:
        """Return the variables without which the value of an expression cannot be had."""
        if isinstance(expr, ir.Var):
            return {expr.name}
        if not isinstance(expr, ir.Op):
            return set()
        if expr.machine in _FLOATS and expr.name not in _DROPPING:
            return self._all(expr.args)
        if expr.name == "!":
            return self.of(expr.args[0])
        if _compares_floats(expr):
            return self._all(self._sure_sides(expr))
        return {name for name in self._all(expr.args) if name not in self._derived}

    def of_test(self, test: ir.Expr) -> set[str]:
        """The same of a test: what a truth value decides may be known to a compiler, and then it is not needed."""
        inner = test.args[0] if isinstance(test, ir.Op) and test.name == "!" else test
        return set() if isinstance(inner, ir.Var) and inner.name in self._derived else self.of(test)

    def _all(self, parts: tuple[ir.Expr, ...]) -> set[str]:
        return {name for part in parts for name in self.of(part)}

    def _sure_sides(self, comparison: ir.Op) -> tuple[ir.Expr, ...]:
        """The sides that a comparison cannot do without: both, if they have nothing to do with one another."""
        left, right = comparison.args
        memories = self._memories(left), self._memories(right)
        if memories[0] is None or memories[1] is None or memories[0] & memories[1]:
            return ()
        (low, high), (other_low, other_high) = self._bounds(left), self._bounds(right)
        return comparison.args if low < other_high and other_low < high else ()

    def _memories(self, expr: ir.Expr) -> set[str] | None:
        """What a value is made of: names of memory and of variables that never change; None if that is not known."""
        if isinstance(expr, ir.Var):
            memory = self._loads.get(expr.name, expr.name)
            return None if memory is None else {memory}
        found: set[str] = set()
        for part in expr.args if isinstance(expr, ir.Op) else ():
            memories = self._memories(part)
            if memories is None:
                return None
            found |= memories
        return found

    def _bounds(self, expr: ir.Expr) -> tuple[float, float]:
        """The narrowest bounds that a compiler could know, or `_UNKNOWN`, which never holds: it could know more."""
        if isinstance(expr, ir.Const):
            return (float(expr.value), float(expr.value)) if abs(expr.value) < math.inf else _UNKNOWN
        if isinstance(expr, ir.Var):
            return (-math.inf, math.inf) if expr.machine in _FLOATS else _UNKNOWN
        if not isinstance(expr, ir.Op) or expr.name not in _BOUNDED or expr.machine not in _FLOATS:
            return _UNKNOWN
        parts = [self._bounds(part) for part in expr.args]
        if _UNKNOWN in parts:
            return _UNKNOWN
        if len(parts) == 1:
            return 0.0, math.inf  # a root; what changes the sign or the width of a float is left out
        (a, b), (c, d) = parts
        if expr.name in ("+", "-"):
            return (a + c, b + d) if expr.name == "+" else (a - d, b - c)
        memories = [self._memories(part) or set() for part in expr.args]
        if memories[0] & memories[1]:
            return 0.0, math.inf  # it may be a square
        if math.inf in (b, d) or -math.inf in (a, c):
            positive = a >= 0.0 and c >= 0.0
            return 0.0 if positive else -math.inf, math.inf
        return _UNKNOWN

    # -- operations inside of others ------------------------------------------------------------------------------

    def set_apart(self, block: ir.Block) -> None:
        """Give operations whose use is not sure a variable of their own, so that they can be kept by themselves."""
        for i in range(len(block) - 1, -1, -1):
            statement = block[i]
            for inner in inner_blocks(statement):
                self.set_apart(inner)
            name = "test" if isinstance(statement, ir.If) else "value"
            if isinstance(statement, ir.Assign | ir.Store | ir.If):
                before: ir.Block = []
                setattr(statement, name, self._without(getattr(statement, name), before))
                block[i:i] = before

    def _without(self, expr: ir.Expr, before: ir.Block) -> ir.Expr:
        if not isinstance(expr, ir.Op) or not has_arithmetic(expr):
            return expr
        if expr.name in _LAZY:
            return self._step_by_step(expr, before)
        args = tuple(self._without(arg, before) for arg in expr.args)
        whole = replace(expr, args=args)
        if _compares_floats(expr):
            unsure = not self._sure_sides(whole)
        else:
            unsure = expr.name in _DROPPING or (expr.machine not in _FLOATS and expr.name not in _OPEN)
        return replace(whole, args=tuple(self._apart(arg, before) for arg in args)) if unsure else whole

    def _step_by_step(self, expr: ir.Op, before: ir.Block) -> ir.Expr:
        """One part of ``&&`` or ``||`` after the other, where a compiler may know what a later one decides."""
        first, *others = expr.args
        if not any(map(has_arithmetic, others)) and all(map(self._is_open, others)):
            return replace(expr, args=(self._without(first, before), *others))
        out = self._variable("bool")
        self._kept(out, first, before)
        for other in others:
            further: ir.Block = []
            self._kept(out, other, further)
            before.append(ir.If(out if expr.name == "&&" else ir.Op("bool", "!", (out,)), further, []))
            before = further
        return out

    def _kept(self, out: ir.Var, expr: ir.Expr, before: ir.Block) -> None:
        before.append(ir.Assign(out, self._without(expr, before)))
        if has_arithmetic(expr):
            before.append(ir.Keep(out))

    def _is_open(self, expr: ir.Expr) -> bool:
        """No compiler can know the outcome of this comparison of floats."""
        return isinstance(expr, ir.Op) and _compares_floats(expr) and bool(self._sure_sides(expr))

    def _variable(self, machine: str) -> ir.Var:
        target = self._temp(machine, "kept")
        self._loads[target.name] = None
        self._derived.add(target.name)
        return target

    def _apart(self, expr: ir.Expr, before: ir.Block) -> ir.Expr:
        if not has_arithmetic(expr):
            return expr
        target = self._variable(expr.machine)
        before.append(ir.Assign(target, expr))
        return target


def _base(load: ir.Load, known: dict[str, str | None]) -> str | None:
    """Name of the memory, if all loads into this variable are of one."""
    if not isinstance(load.base, ir.Var):
        return None
    return load.base.name if known.get(load.target.name, load.base.name) == load.base.name else None
