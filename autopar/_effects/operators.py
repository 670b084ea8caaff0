"""What operators do: arithmetic, comparison, in-place changes, and turning a value into text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autopar._effects import changes, facts, items, lookup
from autopar._effects.values import (
    NOTHING,
    Args,
    Fresh,
    Known,
    Value,
    type_of,
)

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_FEW = 48
"""A module-level container of at most so many members is looked into. Pulled out of the air."""
_KEYS = (str, int, bool, bytes, type(None))
_OPERATORS = [
    "add",
    "and",
    "floordiv",
    "lshift",
    "matmul",
    "mul",
    "mod",
    "or",
    "pow",
    "rshift",
    "sub",
    "truediv",
    "xor",
]
_HOLDING = frozenset({0, 5, 7, 10, 1, 12})  # + * | - & ^ may give a container with the operands' members


def binary(frame: Frame, left: Value, right: Value, operator: int) -> Value:
    """BINARY_OP: new objects, which may hold what their operands held."""
    name = items._OPERATORS[operator]
    own = items.special(frame, left, f"__{name}__", Args([right]))
    own = own | items.special(frame, right, f"__r{name}__", Args([left]))
    return (
        frame.analysis.pool.join(own, _computed(frame, left, right, operator))
        if own
        else _computed(frame, left, right, operator)
    )


def _computed(frame: Frame, left: Value, right: Value, operator: int) -> Value:
    analysis = frame.analysis
    kinds = {type_of(atom) for atom in left | right}
    if kinds <= {int, bool}:
        return analysis.int if operator != 11 else analysis.pool.fresh(float)
    if kinds <= {int, float, bool, complex}:
        return analysis.pool.fresh(complex if complex in kinds else float)
    if kinds == {str} or (operator == 6 and all(type_of(atom) is str for atom in left)):
        return analysis.str
    if kinds == {str, int}:
        return analysis.str
    one = next(iter(kinds)) if len(kinds) == 1 else None
    if operator not in items._HOLDING:
        return analysis.opaque
    inside = NOTHING
    for atom in left | right:
        cls = type_of(atom)
        if not facts.scalar(cls) and not _is_array(cls):
            inside = analysis.pool.join(inside, items._elements(frame, atom))
    if inside <= analysis.opaque | analysis.library:
        return analysis.pool.fresh(one) if one in (list, dict, set, tuple) else analysis.opaque
    return frame.container(one, inside) if one in (list, dict, set, tuple) else untyped(frame, inside)


def untyped(frame: Frame, inside: Value) -> Value:
    """A new object of a type not known, with `inside` in it."""
    site = frame.site()
    frame.analysis.write_field(site, "[]", inside)
    return frame.analysis.pool.fresh(None, site)


def _is_array(cls: type | None) -> bool:
    return cls is not None and lookup.class_name(cls) == "numpy.ndarray"


def inplace(frame: Frame, left: Value, right: Value, operator: int) -> Value:
    """``left += right``: changes the left operand if that is of a type that can be changed."""
    name = items._OPERATORS[operator]
    found = items.special(frame, left, f"__i{name}__", Args([right]))
    plain = NOTHING
    for atom in left:
        cls = type_of(atom)
        if cls is not None and cls not in items._BUILTIN and items.followable(frame, cls, f"__i{name}__"):
            continue
        if facts.immutable(cls):
            plain = plain | {atom}
        else:
            changes.mutate(frame, frozenset((atom,)))
            found = found | {atom}
            if type(atom) is Fresh and atom.site is not None and cls in (list, set, dict, None):
                items.put(frame, frozenset((atom,)), "[]", items.elements(frame, right))
            if cls is None:
                plain = plain | {atom}
    return frame.analysis.pool.join(found, binary(frame, plain, right, operator)) if plain else found


def unary(frame: Frame, value: Value) -> Value:
    """``-x``, ``~x``, ``+x``."""
    for name in ("__neg__", "__invert__", "__pos__"):
        items.special(frame, value, name, Args())
    kinds = {type_of(atom) for atom in value}
    return (
        frame.analysis.pool.fresh(next(iter(kinds)))
        if len(kinds) == 1 and kinds <= {int, float}
        else frame.analysis.opaque
    )


def compare(frame: Frame, left: Value, right: Value) -> Value:
    """COMPARE_OP."""
    for name in ("__eq__", "__lt__", "__gt__", "__le__", "__ge__", "__ne__"):
        items.special(frame, left, name, Args([right]))
        items.special(frame, right, name, Args([left]))
    kinds = {type_of(atom) for atom in left | right}
    if kinds & {None} or not all(facts.scalar(kind) for kind in kinds):
        return frame.analysis.opaque
    return frame.analysis.bool


def identical(frame: Frame, left: Value, right: Value, inverted: bool) -> Value:
    """IS_OP, decided where both sides are single known objects."""
    if len(left) == 1 and len(right) == 1:
        (one,), (other,) = left, right
        if type(one) is Known and type(other) is Known and _fixed(one) and _fixed(other):
            return frame.analysis.pool.known((one.obj is other.obj) is not inverted)
    return frame.analysis.bool


def _fixed(atom: Known) -> bool:
    """Whether the value is this very object whatever happens: a constant, or an object passed on as it is."""
    return atom.origin is None or (type(atom.obj) not in (bool, type(None)) and facts.immutable(type(atom.obj)))


def to_text(frame: Frame, value: Value) -> None:
    """Formatting: the objects' own ``__format__``, ``__str__`` or ``__repr__``."""
    for name in ("__format__", "__str__", "__repr__"):
        items.special(frame, value, name, Args([frame.analysis.str] if name == "__format__" else []))
