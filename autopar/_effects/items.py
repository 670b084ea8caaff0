"""Items, iteration and operators on abstract values."""

from __future__ import annotations

import builtins
import collections
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import changes, facts, lookup
from autopar._effects.values import (
    NOTHING,
    Args,
    ArraySlice,
    Atom,
    Fresh,
    Known,
    LibraryObject,
    Method,
    Outer,
    Value,
    type_of,
)

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_FEW = 48
"""A module-level container of at most so many members is looked into. Pulled out of the air."""
_KEYS = (str, int, bool, bytes, type(None))


# Following the methods that operators call


def walks(frame: Frame, function: types.FunctionType, atom: Atom, cls: type) -> bool:
    """Whether a method is followed into its body, or taken from the tables."""
    if not facts.in_tables(function, frame.analysis.own_modules):
        return True
    if type(atom) is Fresh or facts.immutable(cls):
        return False
    return facts.type_facts(cls) is None


def followable(frame: Frame, cls: type, name: str) -> types.FunctionType | None:
    """The Python function a class has for `name`, if it is one to follow."""
    if cls is LibraryObject or cls is ArraySlice:
        return None
    found = frame.analysis.dunders.get((cls, name), lookup.MISSING)
    if found is lookup.MISSING:
        found = lookup.python_method(cls, name)
        if found is not None and facts.in_tables(found, frame.analysis.own_modules):
            found = None
        frame.analysis.dunders[cls, name] = found
    return found  # type: ignore[no-any-return]


def follow_method(frame: Frame, function: types.FunctionType, receiver: Atom, args: Args) -> Value:
    """Follow a method with its object."""
    return frame.analysis.follow(frame.analysis.callee(function), args.behind(frozenset((receiver,))), frame)


def special(frame: Frame, value: Value, name: str, args: Args) -> Value:
    """Follow the Python methods that an operator calls on `value`, where its type is known; what they return."""
    found = NOTHING
    for atom in value:
        cls = type_of(atom)
        if cls is None or cls in _BUILTIN:
            if cls is None and type(atom) is Fresh and atom.site is not None and atom.site.namespace is not None:
                for member in frame.analysis.read_field(atom.site.namespace, "." + name):
                    if hasattr(member, "callee"):
                        bound = args.behind(frozenset((atom,)))
                        found = found | frame.analysis.follow(member.callee, bound, frame)
            continue
        function = followable(frame, cls, name)
        if function is not None:
            found = frame.analysis.pool.join(found, follow_method(frame, function, atom, args))
    return found


_BUILTIN = frozenset(
    {int, float, complex, bool, str, bytes, list, dict, set, tuple, frozenset, type(None), LibraryObject, ArraySlice}
)


# What is inside


def elements(frame: Frame, value: Value) -> Value:
    """What an item of the value, or an element it yields, may be; the value is looked at."""
    note_read(frame, value)
    return within(frame, value)


def within(frame: Frame, value: Value) -> Value:
    """The same where nothing is looked at: the objects are changed, or merely handed on."""
    found = NOTHING
    for atom in value:
        found = frame.analysis.pool.join(found, _elements(frame, atom))
    return found


def _elements(frame: Frame, atom: Atom) -> Value:
    analysis = frame.analysis
    if type(atom) is Fresh:
        if atom.type is str:
            return analysis.str
        if atom.site is None:
            return analysis.library if atom.type is LibraryObject else analysis.opaque
        inside = analysis.read_all(atom.site) if atom.type is None else analysis.read_items(atom.site)
        return (_at_any_depth(frame, atom, inside) if atom.site.nested else inside) or analysis.opaque
    if type(atom) is Known:
        return _members(frame, atom)
    if type(atom) is Outer:
        if facts.scalar(atom.type):
            return analysis.str if atom.type is str else analysis.library
        return analysis.pool.outer(atom.origin)
    if type(atom) is Method:
        return within(frame, frozenset((atom.receiver,)))
    return analysis.library


def _at_any_depth(frame: Frame, atom: Fresh, held: Value) -> Value:
    """What an item may be where the objects held may be items, items of items, or not items yet."""
    found = held | {atom}
    for part in held:
        if type(part) is Known:
            found = found | _members(frame, part)
        elif type(part) is Fresh and part.site is not None:
            found = found | frame.analysis.read_items(part.site)
    return found


def _members(frame: Frame, atom: Known) -> Value:
    """The members of a container of the program, if it is a small one of a built-in type."""
    analysis, obj = frame.analysis, atom.obj
    kind = type(obj)
    if kind is str:
        return analysis.str
    if facts.scalar(kind):
        return analysis.library
    if kind in (tuple, list, set, frozenset, dict, collections.OrderedDict, collections.deque) and len(obj) <= _FEW:
        found = NOTHING
        inside = list(obj.values()) + list(obj) if issubclass(kind, dict) else list(obj)
        for member in inside:
            found = analysis.pool.join(found, known_member(frame, atom, member))
        if kind not in (tuple, frozenset) and atom.origin is not None and not found:
            return analysis.pool.outer(atom.origin)
        return found
    return analysis.pool.outer(atom.origin) if atom.origin is not None else analysis.library


def known_member(frame: Frame, atom: Known, member: Any) -> Value:
    """A member of a container of the program."""
    if type(member) is float or (lookup.is_one_of(member, _KEYS) and member is not None):
        return frame.analysis.pool.fresh(type(member))
    return frame.analysis.pool.known(member, atom.origin)


def note_read(frame: Frame, value: Value) -> None:
    """What `value` holds was looked at."""
    for atom in value:
        if (type(atom) is Known or type(atom) is Outer) and atom.origin is not None:
            frame.analysis.recorder.read_content(atom.origin, frame)


def field_of(key: Value) -> str:
    """The field of a site for items under that key."""
    if len(key) == 1:
        for atom in key:
            if type(atom) is Known and type(atom.obj) in _KEYS:
                return f"[{int(atom.obj)}]" if type(atom.obj) is bool else f"[{atom.obj!r}]"
    return "[]"


def load(frame: Frame, container: Value, key: Value) -> Value:
    """BINARY_SUBSCR."""
    pool = frame.analysis.pool
    found = special(frame, container, "__getitem__", Args([key]))
    note_read(frame, container)
    sliced = any(type_of(atom) is slice for atom in key)
    for atom in container:
        cls = type_of(atom)
        if cls is not None and cls not in _BUILTIN and followable(frame, cls, "__getitem__"):
            continue
        if type(atom) is Known and lookup.is_class(atom.obj):
            found = pool.join(found, frozenset((atom,)))
        elif sliced:
            found = pool.join(found, _slice(frame, atom, cls))
        else:
            found = pool.join(found, _item(frame, atom, cls, key))
    return found


def _item(frame: Frame, atom: Atom, cls: type | None, key: Value) -> Value:
    analysis = frame.analysis
    if cls is collections.defaultdict and type(atom) is not Fresh:
        changes.mutate(frame, frozenset((atom,)))
    field = field_of(key)
    if type(atom) is Fresh and atom.site is not None and field != "[]" and cls in (dict, tuple):
        exact = analysis.read_field(atom.site, field)
        other = analysis.read_field(atom.site, "[]")
        if exact:
            return analysis.pool.join(exact, other)
        if not field.startswith("[-") and other:
            return other
    constant = next(iter(key)) if len(key) == 1 else None
    # The hash of a key of another type may be the user's code.
    hashable = type(constant) is Known and type(constant.obj) in (*_KEYS, type)
    if type(atom) is Known and type(atom.obj) is dict and hashable:
        assert type(constant) is Known
        member = dict.get(atom.obj, constant.obj, lookup.MISSING)
        if member is not lookup.MISSING:
            return known_member(frame, atom, member)
    return _elements(frame, atom)


def _slice(frame: Frame, atom: Atom, cls: type | None) -> Value:
    """``x[a:b]``: new for the built-in sequences, a view of anything else."""
    pool = frame.analysis.pool
    if cls in (str, bytes):
        return pool.fresh(cls)
    if cls in (list, tuple, bytearray) or (type(atom) is Fresh and cls is not None):
        inside = _elements(frame, atom)
        return frame.container(cls or list, inside, "slice")
    if type(atom) is Outer and atom.type is None:
        return pool.outer(atom.origin, ArraySlice)
    return frozenset((atom,))


def put(frame: Frame, container: Value, field: str, value: Value) -> None:
    """Add to the fields of the fresh objects of `container`."""
    if field == "{}":
        special(frame, value, "__hash__", Args())
    value = without_methods(frame, value)
    for atom in container:
        if type(atom) is Fresh and atom.site is not None and value:
            frame.analysis.write_field(atom.site, field, value)


def without_methods(frame: Frame, value: Value) -> Value:
    """The value with what an undecided attribute may be besides a method."""
    if not any(type(atom) is Method for atom in value):
        return value
    extra = [within(frame, frozenset((a.receiver,))) for a in value if type(a) is Method]
    return value.union(*extra)


def store(frame: Frame, container: Value, key: Value, value: Value | None) -> None:
    """STORE_SUBSCR; with `value` None, DELETE_SUBSCR."""
    name = "__delitem__" if value is None else "__setitem__"
    special(frame, container, name, Args([key] if value is None else [key, value]))
    for atom in container:
        cls = type_of(atom)
        if cls is not None and cls not in _BUILTIN and followable(frame, cls, name):
            continue
        if type(atom) is Fresh and atom.site is not None and value:
            sliced = any(type_of(k) is slice for k in key)
            put(
                frame,
                frozenset((atom,)),
                "[]" if sliced else field_of(key),
                elements(frame, value) if sliced else value,
            )
            put(frame, frozenset((atom,)), "{}", key)
        changes.mutate(frame, frozenset((atom,)))


def copy_fields(frame: Frame, source: Value, target: Value) -> None:
    """``target.update(source)``."""
    for atom in source:
        if type(atom) is Fresh and atom.site is not None:
            for field in list(atom.site.fields):
                if field[0] in "[{":
                    put(frame, target, field, frame.analysis.read_field(atom.site, field))
        elif type(atom) is Known and type(atom.obj) is dict and len(atom.obj) <= _FEW:
            for key, member in atom.obj.items():
                field = f"[{key!r}]" if lookup.is_one_of(key, _KEYS) else "[]"
                put(frame, target, field, known_member(frame, atom, member))
        else:
            put(frame, target, "[]", _elements(frame, atom))


def spread(frame: Frame, star: Value, extra: Value | None) -> Args:
    """The arguments of ``f(*star, **extra)``."""
    args = Args()
    if len(star) == 1:
        (atom,) = star
        if type(atom) is Fresh and atom.site is not None and atom.type is tuple and "[]" not in atom.site.fields:
            for index in range(len(atom.site.fields)):
                args.positional.append(frame.analysis.read_field(atom.site, f"[{index}]"))
        elif type(atom) is Known and type(atom.obj) is tuple:
            args.positional += [known_member(frame, atom, member) for member in atom.obj]
        else:
            args.star = iterate(frame, star)
    else:
        args.star = iterate(frame, star)
    for atom in extra or NOTHING:
        if type(atom) is Fresh and atom.site is not None:
            for field in list(atom.site.fields):
                value = frame.analysis.read_field(atom.site, field)
                if field.startswith("['"):
                    args.keywords[field[2:-2]] = args.keywords.get(field[2:-2], NOTHING) | value
                elif field[0] == "[":
                    args.kwstar = (args.kwstar or NOTHING) | value
        else:
            args.kwstar = (args.kwstar or NOTHING) | _elements(frame, atom)
    return args


# Iteration


def iterator(frame: Frame, value: Value, name: str = "__iter__") -> Value:
    """GET_ITER: what the objects' own ``__iter__`` gives, else the objects themselves."""
    found = NOTHING
    for atom in value:
        cls = type_of(atom)
        function = None if cls is None or cls in _BUILTIN else followable(frame, cls, name)
        if function is not None:
            found = frame.analysis.pool.join(found, follow_method(frame, function, atom, Args()))
        else:
            found = found | {atom}
    return found


def advance(frame: Frame, value: Value, name: str = "__next__") -> Value:
    """FOR_ITER: the next element; an iterator that outlives the call is changed by it."""
    found = NOTHING
    for atom in value:
        cls = type_of(atom)
        function = None if cls is None or cls in _BUILTIN else followable(frame, cls, name)
        if function is not None:
            found = frame.analysis.pool.join(found, follow_method(frame, function, atom, Args()))
            continue
        if cls is not None and cls not in _BUILTIN:
            if facts.used_up(cls):
                changes.mutate(frame, frozenset((atom,)))
            else:
                note_read(frame, frozenset((atom,)))
                getter = followable(frame, cls, "__getitem__")
                if getter is not None:
                    index = Args([frame.analysis.int])
                    found = frame.analysis.pool.join(found, follow_method(frame, getter, atom, index))
        elif type(atom) is Fresh and atom.site is not None and atom.site.through:
            changes.mutate(frame, frozenset((atom,)))
        else:
            note_read(frame, frozenset((atom,)))
        found = frame.analysis.pool.join(found, _keys_or_members(frame, atom, cls))
    return found


def _keys_or_members(frame: Frame, atom: Atom, cls: type | None) -> Value:
    if cls is dict and type(atom) is Fresh and atom.site is not None:
        return frame.analysis.read_field(atom.site, "{}") or frame.analysis.opaque
    if type(atom) is Known and issubclass(type(atom.obj), builtins.type):
        members = lookup.in_class(atom.obj, "_member_map_")
        if type(members) is dict:  # an enumeration
            return NOTHING.union(*(frame.analysis.pool.known(m, atom.origin) for m in members.values()))
    return _elements(frame, atom)


def iterate(frame: Frame, value: Value) -> Value:
    """All elements of what is iterated over in one go."""
    return advance(frame, iterator(frame, value))


def unpack(frame: Frame, value: Value, count: int) -> list[Value]:
    """UNPACK_SEQUENCE: the parts, first one first."""
    parts = [NOTHING] * count
    for atom in value:
        one: Value = frozenset((atom,))
        if type(atom) is Fresh and atom.site is not None and atom.type in (tuple, list):
            for index in range(count):
                key = frame.analysis.pool.known(index)
                parts[index] = frame.analysis.pool.join(parts[index], _item(frame, atom, atom.type, key))
        elif type(atom) is Known and type(atom.obj) is tuple and len(atom.obj) == count:
            for index, member in enumerate(atom.obj):
                parts[index] = frame.analysis.pool.join(parts[index], known_member(frame, atom, member))
        else:
            inside = iterate(frame, one)
            parts = [frame.analysis.pool.join(part, inside) for part in parts]
    return parts


def awaited(frame: Frame, value: Value) -> Value:
    """GET_AWAITABLE: the iterator of an awaitable."""
    own = special(frame, value, "__await__", Args())
    return own | value if own else value


def sent(frame: Frame, value: Value) -> Value:
    """SEND: what a sub-iterator returns or yields."""
    found = NOTHING
    for atom in value:
        if type(atom) is Fresh and atom.site is not None and "return" in atom.site.fields:
            found = frame.analysis.pool.join(found, frame.analysis.read_field(atom.site, "return"))
            found = frame.analysis.pool.join(found, frame.analysis.read_field(atom.site, "[]"))
        else:
            found = frame.analysis.pool.join(found, advance(frame, frozenset((atom,))))
    return found
