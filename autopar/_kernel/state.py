"""What is known of each variable at a point of a function, and how the knowledge of two paths is joined."""

from __future__ import annotations

import struct
from dataclasses import replace

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.interval import Interval
from autopar._kernel.value import Known, Memory, Number, Pack, Span, Value, range_of
from autopar._model.light_dataclass import dataclass

__all__ = ["Bound", "Clash", "State", "join", "join_values", "mixture", "widen"]

_FAR = 64  # a bound this far above its symbol is not worth remembering


@dataclass(frozen=True)
class Bound:
    """A variable that has a value, or may have one."""

    value: Value
    certain: bool = True


@dataclass(frozen=True)
class Clash:
    """A variable that differs between paths in a way that one C variable cannot hold."""

    reason: str


State = dict[str, Bound | Clash]


def join(a: State, b: State, minimum: dict[str, int]) -> State:
    """Return what holds on both paths. `minimum` gives the least value of each symbol."""
    out: State = {}
    for name in {**a, **b}:
        x, y = a.get(name), b.get(name)
        if isinstance(x, Clash) or (x is y and x is not None):
            out[name] = x
        elif isinstance(y, Clash):
            out[name] = y
        elif x is None or y is None:
            only = x if y is None else y
            assert only is not None
            out[name] = Bound(only.value, certain=False)
        else:
            value = join_values(x.value, y.value, name, minimum)
            if isinstance(value, Clash):
                out[name] = Clash(f"'{name}' is {value.reason}")
            else:
                out[name] = Bound(value, x.certain and y.certain)
    return out


def join_values(x: Value, y: Value, key: str, minimum: dict[str, int]) -> Value | Clash:
    """Return what the variable `key` holds that may be either, or why there is no such thing."""
    if isinstance(x, Number) and isinstance(y, Number):
        return _join_numbers(x, y, key, minimum)
    if isinstance(x, Memory) and isinstance(y, Memory):
        return _join_memories(x, y, minimum)
    if isinstance(x, Pack) and isinstance(y, Pack) and len(x.items) == len(y.items):
        items = []
        for i, (left, right) in enumerate(zip(x.items, y.items, strict=True)):
            item = join_values(left, right, f"{key}${i}", minimum)
            if isinstance(item, Clash):
                return item
            items.append(item)
        return Pack(tuple(items), x.argument if x.argument == y.argument else None)
    if isinstance(x, Span) and x == y:
        return x
    if isinstance(x, Known) and isinstance(y, Known) and x.value is y.value:
        return x
    return Clash(f"{describe(x)} on one path and {describe(y)} on another")


def describe(value: Value) -> str:
    """Return what a value is, in words."""
    if isinstance(value, (Number, Memory)):
        return str(value.kind)
    if isinstance(value, Known):
        return "None" if value.value is None else f"the object {value.name}"
    return "a tuple" if isinstance(value, Pack) else "a range"


def mixture(x: Number, y: Number) -> tuple[t.Type, t.Type] | None:
    """Return (strong, weak) if one C variable can hold both types, since each value of the weak one is exact in it."""
    kinds = {x.kind, y.kind, *(n.weak for n in (x, y) if n.weak is not None)}
    if len(kinds) != 2:
        return None
    for strong, weak in (tuple(kinds), tuple(kinds)[::-1]):
        known = (Interval(0, 0), *(n.range for n in (x, y) if n.kind == weak))
        if strong == t.NpScalar("float64") and weak == t.Float():
            return strong, weak
        if strong == t.NpScalar("float32") and weak == t.Float():
            fits = [n.value for n in (x, y) if n.kind == weak]
            if all(value is not None and _is_float32(value) for value in fits):
                return strong, weak
        if strong == t.NpScalar("int64") and weak == t.Int():
            return strong, weak
        room = None
        if t.is_float(strong) and strong != t.NpScalar("float32"):
            room = Interval(-(2**53), 2**53)
        elif isinstance(strong, t.NpScalar):
            room = Interval(-(2**24), 2**24) if t.is_float(strong) else range_of(strong)
        if isinstance(weak, t.Int) and room and strong != t.NpScalar("bool") and all(k.within(room) for k in known):
            return strong, weak
    return None


def _is_float32(value: float) -> bool:
    try:
        return bool(struct.unpack("f", struct.pack("f", value))[0] == value)
    except OverflowError:
        return False


def _join_numbers(x: Number, y: Number, key: str, minimum: dict[str, int]) -> Number | Clash:
    expr = x.expr if x.expr == y.expr else _variable(x, y)
    below, known = _join_bounds(x, y, minimum), x.range | y.range
    same = x.same if x.same == y.same else None
    if x.kind == y.kind and x.flag is None and y.flag is None:
        value = x.value if repr(x.value) == repr(y.value) else None
        return Number(x.kind, expr, known, same, below, value=value)
    mixed = mixture(x, y)
    if mixed is None:
        return Clash(f"{x.weak or x.kind} on one path and {y.weak or y.kind} on another")
    strong, weak = mixed
    expr = next(number.expr for number in (x, y) if number.kind == strong)
    if t.is_float(strong):
        known = range_of(strong)
    return Number(strong, expr, known, same, below, weak, ir.Var("bool", f"{key}_weak"))


def _variable(x: Number, y: Number) -> ir.Expr:
    return x.expr if isinstance(x.expr, ir.Var) else y.expr


def _join_bounds(x: Number, y: Number, minimum: dict[str, int]) -> tuple[tuple[str, int], ...]:
    left, right, out = x.bounds(), y.bounds(), {}
    for symbol in {**left, **right}:
        a, b = left.get(symbol), right.get(symbol)
        if a is None and symbol in minimum:
            a = x.range.hi - minimum[symbol]
        if b is None and symbol in minimum:
            b = y.range.hi - minimum[symbol]
        if a is not None and b is not None and max(a, b) <= _FAR:
            out[symbol] = max(a, b)
    return tuple(sorted(out.items()))


def _join_memories(x: Memory, y: Memory, minimum: dict[str, int]) -> Memory | Clash:
    if x.kind != y.kind or (x.capacity is None) != (y.capacity is None):
        return Clash(f"{x.kind} on one path and {y.kind} on another")
    if x.strides != y.strides:
        return Clash("an array of different strides on different paths")
    dims = tuple(join_values(a, b, "", minimum) for a, b in zip(x.dims, y.dims, strict=True))
    return Memory(
        x.kind,
        x.data,
        dims,  # type: ignore[arg-type]
        x.strides,
        x.owner or y.owner,
        x.origins | y.origins,
        x.argument if x.argument == y.argument else None,
        x.whole and y.whole,
        x.capacity,
    )


def widen(old: State, new: State) -> State:
    """Push what still moves between two rounds of a loop to where it comes to rest."""
    out: State = {}
    for name, bound in new.items():
        before = old.get(name)
        if isinstance(bound, Bound) and isinstance(before, Bound):
            out[name] = Bound(_widen_value(before.value, bound.value), bound.certain)
        else:
            out[name] = bound
    return out


def _widen_value(old: Value, new: Value) -> Value:
    if isinstance(old, Number) and isinstance(new, Number):
        return _widen_number(old, new)
    if isinstance(old, Memory) and isinstance(new, Memory):
        return replace(new, dims=tuple(map(_widen_number, old.dims, new.dims)))
    if isinstance(old, Pack) and isinstance(new, Pack):
        return Pack(tuple(map(_widen_value, old.items, new.items)), new.argument)
    return new


def _widen_number(old: Number, new: Number) -> Number:
    before = dict(old.below)
    return replace(
        new,
        range=old.range.widened(new.range, range_of(new.kind)) if old.kind == new.kind else range_of(new.kind),
        below=tuple((s, c) for s, c in new.below if s not in before or c <= before[s]),
    )
