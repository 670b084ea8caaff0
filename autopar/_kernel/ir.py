"""The typed intermediate form: C-like expressions and statements; `kernel` has what they make up.

Expressions are pure: they read local variables and nothing else. Loads from memory and checked operations are
statements that assign to a variable, so that their order is the source's order.

A machine type is "i64", "u64", "f64", "f32", "bool", "ptr" (address of bytes) or "own" (reference to a local buffer).
"""

from __future__ import annotations

from autopar._kernel.kernel import Fact, Kernel
from autopar._model.light_dataclass import dataclass

__all__ = [
    "Assign",
    "Block",
    "Break",
    "Call",
    "Checked",
    "Comment",
    "Const",
    "Continue",
    "Exit",
    "ExitIf",
    "Expr",
    "Fact",
    "For",
    "Grow",
    "If",
    "Jump",
    "Keep",
    "Kernel",
    "Label",
    "Load",
    "Loop",
    "New",
    "Op",
    "Statement",
    "Store",
    "Var",
    "can_trap",
]


@dataclass(frozen=True)
class Expr:
    """A pure expression of a machine type."""

    machine: str


@dataclass(frozen=True)
class Const(Expr):
    """A number."""

    value: int | float | bool


@dataclass(frozen=True)
class Var(Expr):
    """A local variable of the kernel."""

    name: str


@dataclass(frozen=True)
class Op(Expr):
    """An operation that cannot fail: a C operator, or a function of the prelude by its name.

    The one that reads memory is "pairwise_sum" of an address, a count and a stride in bytes; it is only assigned.
    """

    name: str
    args: tuple[Expr, ...]


def can_trap(expr: Expr) -> bool:
    """Whether an expression divides by what may be zero, so that it has to stay behind the check of that."""
    if not isinstance(expr, Op):
        return False
    if expr.name in ("idiv", "imod", "floordiv", "floormod"):
        divisor = expr.args[1]
        if not isinstance(divisor, Const) or divisor.value in (0, -1):
            return True
    return any(map(can_trap, expr.args))


@dataclass
class Assign:
    """Set a variable."""

    target: Var
    value: Expr


@dataclass
class Checked:
    """Set a variable to the result of a function of the prelude, or leave if that says it cannot do it exactly."""

    name: str
    target: Var
    args: tuple[Expr, ...]
    exit: int


@dataclass
class Call:
    """Do something of the prelude that gives no value, such as releasing a buffer."""

    name: str
    args: tuple[Expr, ...]


@dataclass
class Load:
    """Set a variable to the element of a dtype at base[offset], which counts bytes if `bytewise`, else elements."""

    target: Var
    dtype: str
    base: Expr
    offset: Expr
    bytewise: bool = False
    indexes: tuple[tuple[Expr, Expr], ...] = ()  # the indexes that make the offset, with the length that each is below


@dataclass
class Store:
    """Write an element; the value is in the element's range already."""

    dtype: str
    base: Expr
    offset: Expr
    value: Expr
    bytewise: bool = False
    shared: bool = False  # whether the memory may be an argument's


@dataclass
class New:
    """Allocate a buffer of `count` elements of `size` bytes, each zero if `zero`; leave if there is no memory."""

    owner: Var
    data: Var
    count: Expr
    size: int
    zero: bool
    exit: int


@dataclass
class Grow:
    """Make room for one more element in a buffer that has `capacity` of them; leave if there is no memory."""

    owner: Var
    data: Var
    length: Var
    capacity: Var
    size: int
    exit: int


@dataclass
class If:
    """Two branches, either of which may be empty."""

    test: Expr
    then: Block
    other: Block


@dataclass
class Loop:
    """Repeat for ever, until a jump leaves it; each round is to take its time if `paced` (see `counters`)."""

    body: Block
    paced: bool = False


@dataclass
class For:
    """Count `var` from `start` while it is below `stop`, or above it if `down`; the body leaves `var` alone."""

    var: Var
    start: Expr
    stop: Expr
    step: Expr
    body: Block
    down: bool = False


@dataclass
class Break:
    """Leave the innermost loop."""


@dataclass
class Continue:
    """Go on with the innermost loop's next round."""


@dataclass
class Jump:
    """Go to a label further down."""

    label: str


@dataclass
class Label:
    """A place to jump to."""

    name: str


@dataclass
class Exit:
    """Leave through a side exit."""

    number: int


@dataclass
class ExitIf:
    """Leave through a side exit if the test holds; one for overflow may be left through earlier than need be."""

    test: Expr
    number: int
    overflow: bool = False


@dataclass
class Keep:
    """Have a value computed although nothing uses it."""

    value: Expr


@dataclass
class Comment:
    """A line of the source, for the reader of the C text."""

    text: str


Statement = (
    Assign
    | Checked
    | Call
    | Load
    | Store
    | New
    | Grow
    | If
    | Loop
    | For
    | Break
    | Continue
    | Jump
    | Label
    | Exit
    | ExitIf
    | Keep
    | Comment
)
Block = list[Statement]
