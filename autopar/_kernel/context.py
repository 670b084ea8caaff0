"""The desk at which a function is lowered: the statements so far, the state of its variables, exits, and names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from types import FunctionType
from typing import Any

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.constraints import Constraint, apply
from autopar._kernel.interval import Interval
from autopar._kernel.names import Facts
from autopar._kernel.refusal import Refused
from autopar._kernel.state import State, join
from autopar._kernel.sure_uses import has_arithmetic
from autopar._kernel.value import Known, Number, Pack, Value, machine_of, range_of
from autopar._model.light_dataclass import dataclass

__all__ = ["Again", "Change", "Context", "Frame", "Leap", "LoopFrame", "Return", "Test", "insert_before"]


class Again(Exception):  # noqa: N818 - a request
    """Something was learned that the lowering so far did not know: start over."""


@dataclass(frozen=True)
class Test:
    """A condition as a machine truth value, with what its outcomes say of variables."""

    __test__ = False
    expr: ir.Expr
    if_true: tuple[Constraint, ...] = ()
    if_false: tuple[Constraint, ...] = ()

    @property
    def known(self) -> bool | None:
        """The outcome, if it is certain."""
        return bool(self.expr.value) if isinstance(self.expr, ir.Const) else None


@dataclass
class Return:
    """A place that returns: its block, the jump to the end in it, and the value."""

    block: ir.Block
    jump: ir.Jump
    value: Value
    node: ast.AST


@dataclass
class Leap:
    """A break or continue: its block, the statement in it, and what is known there."""

    block: ir.Block
    statement: ir.Break | ir.Continue
    state: State


def insert_before(block: ir.Block, statement: ir.Statement, more: ir.Block) -> int:
    """Put statements before another, and return where that now is."""
    place = next(i for i, s in enumerate(block) if s is statement)
    block[place:place] = more
    return place + len(more)


@dataclass
class Frame:
    """One function body: the kernel's own, a helper's that is compiled into it, or a comprehension's scope."""

    function: FunctionType
    prefix: str
    path: tuple[Any, ...]  # of calls, from the kernel to here
    assigned: frozenset[str]
    label: str = ""
    returns: list[Return] = field(default_factory=list)
    parent: Frame | None = None  # of a comprehension: the scope around it


@dataclass(frozen=True)
class Change:
    """An assignment to a variable: by how much it moves it, or None if that is not how; how often in a round."""

    key: str
    by: Interval | None
    times: int | None


@dataclass
class LoopFrame:
    """A loop whose body is being lowered."""

    continues: list[Leap] = field(default_factory=list)
    breaks: list[Leap] = field(default_factory=list)
    before: ir.Block | None = None  # where a check of all rounds at once goes, for a counting loop
    counters: frozenset[str] = frozenset()  # the variables that count
    first: ir.Expr | None = None
    last: ir.Expr | None = None
    runs: ir.Expr | None = None  # whether there is a round at all
    outside: frozenset[str] = frozenset()  # C variables that do not change in the body
    depth: int = 0  # how many branches were open at the start of the body
    left: bool = False  # whether a round may have ended early by now
    checked: set[tuple[ir.Expr, ir.Expr]] = field(default_factory=set)  # indexes and lengths checked for all rounds
    suspect: dict[tuple[ir.Expr, ir.Expr], ir.Var] = field(default_factory=dict)  # those that some round may violate
    unrolled: bool = False  # whether the body is there once for each item, without a loop in C


class Context:
    """All that the lowering of one function shares."""

    def __init__(self, function: FunctionType, learned: dict[Any, Any], rtol: float = 0.0) -> None:
        self.learned = learned
        self.rtol = rtol  # relative difference by rounding that the user accepts
        self.facts = Facts(function)
        self.exits: dict[int, tuple[int, str]] = {}
        self.variables: dict[str, str] = {}
        self.owners: list[str] = []
        self.block: ir.Block = []
        self.state: State | None = {}
        self.frames: list[Frame] = []
        self.loops: list[LoopFrame] = []
        self.branches = 0
        self.minimum: dict[str, int] = {}  # least value of each symbol
        self.symbols: dict[str, str] = {}  # C variable that never changes -> symbol
        self.headers: dict[Any, State] = {}  # fix-points of loops, to start from next time
        self.written: set[int] = set()
        self.read: set[int] = set()
        self.float_flags = False
        self.whole_arrays = False  # NumPy would loop over elements
        self.sources: list[str] = []
        self.growing: dict[str, Any] = {}  # variable of a list that grows -> where it starts
        self.learned_constants: dict[ir.Expr, ir.Const] = {}  # the one element of a new list, to be repeated
        self.changing: frozenset[str] = frozenset()  # variables that are set in the loop whose items are being lowered
        self.carried: set[str] = set()  # variables in which reductions carry a value from item to item
        self.changes: list[Change] = []  # assignments to variables, in the round of the loop that is being lowered
        self.inlined = 0  # calls compiled in so far
        self.line = 0
        self._serial = 0
        self.expression: Callable[[ast.expr], Value]
        self.lazy: Callable[[ast.expr], Value]  # as `expression`, but an array may be a recipe
        self.apply: Callable[[Known, list[Value], ast.Call], Value]  # a function to values
        self.condition: Callable[[ast.expr], Test]
        self.statements: Callable[[Sequence[ast.stmt]], None]
        self.assign_to: Callable[[ast.expr, Value, ast.AST], None]

    @property
    def frame(self) -> Frame:
        """The scope that is being lowered."""
        return self.frames[-1]

    def refuse(self, node: ast.AST | None, reason: str) -> Refused:
        """Return the refusal of a node, to be raised."""
        return Refused(getattr(node, "lineno", self.line), reason)

    def learn(self, key: Any, value: Any) -> None:
        """Remember something, and start over if that is new."""
        if self.learned.get(key) != value:
            self.learned[key] = value
            raise Again

    def exit(self, node: ast.AST | None, reason: str) -> int:
        """Return the number of the side exit for a reason on a node's line."""
        place = (getattr(node, "lineno", self.line), reason)
        for number, known in self.exits.items():
            if known == place:
                return number
        self.exits[len(self.exits) + 1] = place
        return len(self.exits)

    def serial(self) -> int:
        """Return a number not used before."""
        self._serial += 1
        return self._serial

    def temp(self, machine: str, hint: str = "t") -> ir.Var:
        """Return a new variable."""
        return self.variable(f"{hint}{self.serial()}_", machine)

    def variable(self, name: str, machine: str) -> ir.Var:
        """Return a variable by its C name."""
        self.variables[name] = machine
        return ir.Var(machine, name)

    def add(self, statement: ir.Statement) -> None:
        """Append a statement."""
        self.block.append(statement)

    def exit_if(self, test: ir.Expr, node: ast.AST | None, reason: str, overflow: bool = False) -> None:
        """Leave if a test holds; `overflow` says that this is hardly ever so."""
        if not (isinstance(test, ir.Const) and not test.value):
            self.add(ir.ExitIf(test, self.exit(node, reason), overflow))

    def hold(self, expr: ir.Expr, hint: str = "t") -> ir.Expr:
        """Return the present value of an expression, as something that later statements do not change."""
        if isinstance(expr, ir.Const) or (isinstance(expr, ir.Var) and expr.name in self.symbols):
            return expr
        target = self.temp(expr.machine, hint)
        self.add(ir.Assign(target, expr))
        return target

    def drop(self, *values: Value) -> None:
        """Have values worked out that nothing uses: NumPy may warn of what they are made of."""
        for value in values:
            if isinstance(value, Pack):
                self.drop(*value.items)
            elif isinstance(value, Number) and has_arithmetic(value.expr):
                self.add(ir.Keep(value.expr))

    def settle(self, number: Number, node: ast.AST | None) -> Number:
        """Leave if a number's type is still in doubt, and return it as what it else is."""
        if number.flag is None:
            return number
        self.exit_if(number.flag, node, f"a value is still {number.weak}, not {number.kind}")
        return number.plain()

    def number(self, value: Value, node: ast.AST | None) -> Number:
        """Return a value as a number of certain type, or refuse it."""
        if not isinstance(value, Number):
            raise self.refuse(node, "a number is needed here")
        return self.settle(value, node)

    def checked(self, name: str, machine: str, args: tuple[ir.Expr, ...], node: ast.AST | None, reason: str) -> ir.Var:
        """Call a function of the prelude that may say no."""
        target = self.temp(machine)
        self.add(ir.Checked(name, target, args, self.exit(node, reason)))
        return target

    def fresh(self, kind: t.Type, known: Interval | None = None, hint: str = "t") -> Number:
        """Return a new variable of a scalar type."""
        return Number(kind, self.temp(machine_of(kind), hint), known or range_of(kind))

    def joined(self, a: State | None, b: State | None) -> State | None:
        """Return what holds on both paths, of which None is one that is never taken."""
        if a is None or b is None:
            return b if a is None else a
        return join(a, b, self.minimum)

    @contextmanager
    def into(self, block: ir.Block) -> Iterator[None]:
        """Append to another block meanwhile."""
        before, self.block = self.block, block
        try:
            yield
        finally:
            self.block = before

    @contextmanager
    def branch(self, block: ir.Block) -> Iterator[None]:
        """Append to a block that may not run."""
        self.branches += 1
        try:
            with self.into(block):
                yield
        finally:
            self.branches -= 1

    def constrain(self, constraints: Sequence[Constraint]) -> None:
        """Note what a test says of variables."""
        if self.state is not None:
            self.state = apply(self.state, constraints)
