"""What operators do: arithmetic, comparison, in-place changes, and turning a value into text."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from autopar._effects import array_work, changes, facts, hooks, items, lookup
from autopar._effects.values import (
    NOTHING,
    Args,
    ArraySlice,
    Atom,
    Fresh,
    Known,
    LibraryObject,
    Outer,
    Value,
    type_of,
)
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

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
_SYMBOLS = "+ & // << @ * % | ** >> - / ^".split()
_REMAINDER = 6
_TIMES = 5
_HOLDING = frozenset({0, 5, 7, 10, 1, 12})  # + * | - & ^ may give a container with the operands' members


def binary(frame: Frame, left: Value, right: Value, which: int) -> Value:
    """BINARY_OP: new objects, which may hold what their operands held."""
    array_work.note(frame, _SYMBOLS[which], left | right)
    name = _OPERATORS[which]
    own = items.special(frame, left, f"__{name}__", Args([right]))
    own = own | items.special(frame, right, f"__r{name}__", Args([left]))
    return (
        frame.analysis.pool.join(own, _computed(frame, left, right, which))
        if own
        else _computed(frame, left, right, which)
    )


def _computed(frame: Frame, left: Value, right: Value, which: int) -> Value:
    analysis = frame.analysis
    kinds = {type_of(atom) for atom in left | right}
    if kinds <= {int, bool}:
        return analysis.int if which != 11 else analysis.pool.fresh(float)
    if kinds <= {int, float, bool, complex}:
        return analysis.pool.fresh(complex if complex in kinds else float)
    if which == _REMAINDER and str in {type_of(atom) for atom in left}:
        hooks.shown(frame, right)
        hooks.run(frame, right | items.within(frame, right), (*hooks.WHOLE, *hooks.REAL, "__getitem__"))
    if kinds == {str} or (which == _REMAINDER and all(type_of(atom) is str for atom in left)):
        return analysis.str
    if kinds == {str, int}:
        return analysis.str
    if which == _TIMES:
        hooks.run(frame, left | right, ("__index__",))
    sequences = kinds - {int, bool}
    one = next(iter(sequences)) if len(sequences) == 1 else None
    if which not in _HOLDING:
        return analysis.opaque
    inside = NOTHING
    for atom in left | right:
        cls = type_of(atom)
        if not facts.scalar(cls) and not _is_array(cls):
            inside = analysis.pool.join(inside, items.element_of(frame, atom))
    if one in (list, dict, set, tuple):
        return frame.container(one, inside)
    return analysis.opaque if inside <= analysis.opaque | analysis.library else untyped(frame, inside)


def untyped(frame: Frame, inside: Value) -> Value:
    """A new object of a type not known, with `inside` in it."""
    site = frame.site()
    frame.analysis.write_field(site, "[]", inside)
    return frame.analysis.pool.fresh(None, site)


def _is_array(cls: type | None) -> bool:
    return cls is not None and lookup.class_name(cls) == "numpy.ndarray"


def inplace(frame: Frame, left: Value, right: Value, which: int) -> Value:
    """``left += right``: changes the left operand if that is of a type that can be changed."""
    array_work.note(frame, f"{_SYMBOLS[which]}=", left | right)
    name = _OPERATORS[which]
    found = items.special(frame, left, f"__i{name}__", Args([right]))
    plain = NOTHING
    for atom in left:
        cls = type_of(atom)
        if items.answers(frame, atom, f"__i{name}__"):
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
    return frame.analysis.pool.join(found, binary(frame, plain, right, which)) if plain else found


def unary(frame: Frame, value: Value) -> Value:
    """``-x``, ``~x``, ``+x``."""
    array_work.note(frame, "-", value)
    own = hooks.run(frame, value, ("__neg__", "__invert__", "__pos__"))
    kinds = {type_of(atom) for atom in value}
    if len(kinds) == 1 and kinds <= {int, float}:
        return frame.analysis.pool.fresh(next(iter(kinds)))
    return own | frame.analysis.opaque


_COMPARISONS = (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge)
_COMPARED = (bool, int, float, str, bytes, type(None))


def _compare_constants(frame: Frame, left: Value, right: Value, which: int) -> Value | None:
    """The outcome where both sides are constants; None where they are not."""
    if len(left) != 1 or len(right) != 1:
        return None
    (one,), (other,) = left, right
    if type(one) is not Known or type(other) is not Known or one.origin is not None or other.origin is not None:
        return None
    if type(one.obj) not in _COMPARED or type(other.obj) not in _COMPARED:
        return None
    try:
        return frame.analysis.pool.known(_COMPARISONS[which](one.obj, other.obj))
    except TypeError:
        return None


def compare(frame: Frame, left: Value, right: Value, which: int) -> Value:
    """COMPARE_OP, decided where both sides are constants."""
    decided = _compare_constants(frame, left, right, which)
    if decided is not None:
        return decided
    array_work.note(frame, "< <= == != > >=".split()[which], left | right)
    own = hooks.compared(frame, left, right, hooks.EQUALITY if which in (2, 3) else hooks.ORDERING + hooks.EQUALITY)
    if own:
        return own | frame.analysis.opaque
    kinds = {type_of(atom) for atom in left | right}
    if kinds & {None} or not all(facts.scalar(kind) for kind in kinds):
        return frame.analysis.opaque
    return frame.analysis.bool


def identical(frame: Frame, left: Value, right: Value, inverted: bool) -> Value:
    """IS_OP, decided where both sides are single known objects, or one is None and the other's type is known."""
    if len(left) == 1 and len(right) == 1:
        (one,), (other,) = left, right
        if type(one) is Known and type(other) is Known and _fixed(one) and _fixed(other):
            return frame.analysis.pool.known((one.obj is other.obj) is not inverted)
        for value, against in ((left, other), (right, one)):
            answer = is_none(value) if type(against) is Known and against.obj is None else None
            if answer is not None:
                return frame.analysis.pool.known(answer is not inverted)
    return frame.analysis.bool


def tested(frame: Frame, value: Value) -> None:
    """A condition: the objects' own ``__bool__`` or ``__len__``."""
    hooks.run(frame, value, hooks.TRUTH)


def is_none(value: Value) -> bool | None:
    """Whether the value is None; None where it may be or not."""
    answers: set[bool | None] = set()
    for atom in value:
        cls = certain_type(atom)
        answers.add(None if cls is None else cls is type(None))
    return answers.pop() if len(answers) == 1 else None


def certain_type(atom: Atom) -> type | None:
    """The type that the atom has in every run: what a name stands for now may be something else later."""
    if type(atom) is Known and atom.origin is not None:
        return None
    if type(atom) is Outer and atom.origin.kind is not EffectKind.WRITES_ARGUMENT:
        return None
    cls = type_of(atom)
    return None if cls is LibraryObject or cls is ArraySlice else cls


def _fixed(atom: Known) -> bool:
    """Whether the value is this very object whatever happens: a constant, or an object passed on as it is."""
    return atom.origin is None or (type(atom.obj) not in (bool, type(None)) and facts.immutable(type(atom.obj)))
