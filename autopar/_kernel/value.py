"""What an expression is worth while a function is lowered: its type, how to compute it, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.interval import FULL, Interval, interval_of_dtype
from autopar._model.light_dataclass import dataclass

__all__ = [
    "Elements",
    "Known",
    "Memory",
    "Number",
    "Pack",
    "Span",
    "Value",
    "constant",
    "machine_of",
    "range_of",
]


@dataclass(frozen=True)
class Number:
    """A scalar.

    `same` says that it equals a symbol plus a constant, `below` that it is at most a symbol plus a constant. Symbols
    are values that never change during a call: lengths of array parameters, integer parameters.

    If `flag` is there and true at run time, the value is still of the type `weak`, which differs from `kind` in type
    only: `s = 0.0`, followed by `s += array[i]` in a loop that may not run.
    """

    kind: t.Type
    expr: ir.Expr
    range: Interval = FULL
    same: tuple[str, int] | None = None
    below: tuple[tuple[str, int], ...] = ()
    weak: t.Type | None = None
    flag: ir.Expr | None = None
    value: float | None = None  # of a float that is a constant

    def bounds(self) -> dict[str, int]:
        """Return for each symbol s the least known c with value <= s + c."""
        out = dict(self.below)
        if self.same:
            out[self.same[0]] = min(self.same[1], out.get(self.same[0], self.same[1]))
        return out

    def plain(self) -> Number:
        """Return this without its type in doubt, for where that makes no difference."""
        return replace(self, weak=None, flag=None) if self.flag is not None else self


@dataclass(frozen=True)
class Memory:
    """An array or a list: where its elements are.

    `strides` (bytes) is None for C order. `owner` is the local buffer that keeps it alive, if any. `origins` are the
    parameters whose memory it may be, `argument` the parameter that it certainly is, `whole` whether it is no view.
    """

    kind: t.Array | t.List
    data: ir.Expr
    dims: tuple[Number, ...]
    strides: tuple[ir.Expr, ...] | None = None
    owner: ir.Expr | None = None
    origins: frozenset[int] = frozenset()
    argument: int | None = None
    whole: bool = False
    capacity: ir.Var | None = None  # of a list that grows by append

    @property
    def element(self) -> t.Type:
        """The type that indexing gives."""
        return t.NpScalar(self.kind.dtype) if isinstance(self.kind, t.Array) else self.kind.item

    @property
    def dtype(self) -> str:
        """The name of the elements' form in memory."""
        if isinstance(self.kind, t.Array):
            return self.kind.dtype
        return {t.Int(): "int64", t.Float(): "float64", t.Bool(): "bool"}[self.kind.item]


@dataclass(frozen=True)
class Pack:
    """A tuple, whose items are all known one by one."""

    items: tuple[Value, ...]
    argument: int | None = None  # the parameter that it certainly is


@dataclass(frozen=True)
class Span:
    """A range object."""

    start: Number
    stop: Number
    step: Number


@dataclass(frozen=True)
class Elements:
    """An array that is not there yet: its shape, and how to work out the element at given indexes."""

    kind: t.NpScalar
    dims: tuple[Number, ...]
    item: Callable[[Sequence[ir.Expr]], Number]
    sources: tuple[Memory, ...]  # that an element is worked out from
    memory: Memory | None = None  # if the array is there after all


@dataclass(frozen=True)
class Known:
    """A Python object that is there before the call: a function, a module, None, a dtype."""

    value: Any
    name: str = ""


Value = Number | Memory | Pack | Span | Elements | Known


def machine_of(kind: t.Type) -> str:
    """Return the machine type that holds a scalar."""
    if isinstance(kind, t.Bool) or kind == t.NpScalar("bool"):
        return "bool"
    if isinstance(kind, t.Int):
        return "i64"
    if isinstance(kind, t.Float):
        return "f64"
    if isinstance(kind, t.NpScalar):
        return {"float64": "f64", "float32": "f32", "uint64": "u64"}.get(kind.dtype, "i64")
    raise TypeError(f"{kind} is not a scalar")


def range_of(kind: t.Type) -> Interval:
    """Return what an integer of this type can be."""
    if isinstance(kind, t.Bool):
        return Interval(0, 1)
    if isinstance(kind, t.NpScalar) and not kind.dtype.startswith("float"):
        return interval_of_dtype(kind.dtype)
    return FULL


def constant(value: Any) -> Number:
    """Return a Python number as a value."""
    kind = {bool: t.Bool(), int: t.Int(), float: t.Float()}[type(value)]
    known = FULL if type(value) is float else Interval(int(value), int(value))
    return Number(kind, ir.Const(machine_of(kind), value), known, value=value if type(value) is float else None)
