"""Iteration, unpacking and awaiting on abstract values, and the arguments of a starred call."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from autopar._effects import changes, facts, items, lookup
from autopar._effects.values import NOTHING, Args, Atom, Fresh, Known, LibraryObject, Value, type_of

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


def spread(frame: Frame, star: Value, extra: Value | None) -> Args:
    """The arguments of ``f(*star, **extra)``."""
    args = Args()
    if len(star) == 1:
        (atom,) = star
        if type(atom) is Fresh and atom.site is not None and atom.type is tuple and "[]" not in atom.site.fields:
            for index in range(len(atom.site.fields)):
                args.positional.append(frame.analysis.read_field(atom.site, f"[{index}]"))
        elif type(atom) is Known and type(atom.obj) is tuple:
            args.positional += [items.known_member(frame, atom, member) for member in atom.obj]
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
            args.kwstar = (args.kwstar or NOTHING) | items.element_of(frame, atom)
    return args


# Iteration


def iterator(frame: Frame, value: Value, name: str = "__iter__") -> Value:
    """GET_ITER: what the objects' own ``__iter__`` gives, else the objects themselves."""
    found = NOTHING
    for atom in value:
        if items.may_have_methods(frame, atom):
            own = items.special(frame, frozenset((atom,)), name, Args())
            if items.answers(frame, atom, name):
                found = frame.analysis.pool.join(found, own)
                continue
        found = found | {atom}
    return found


def advance(frame: Frame, value: Value, name: str = "__next__") -> Value:
    """FOR_ITER: the next element; an iterator that outlives the call is changed by it."""
    found = NOTHING
    for atom in value:
        cls = type_of(atom)
        if items.may_have_methods(frame, atom):
            one: Value = frozenset((atom,))
            own = items.special(frame, one, name, Args())
            if items.answers(frame, atom, name):
                found = frame.analysis.pool.join(found, own)
                continue
            indexed = items.special(frame, one, "__getitem__", Args([frame.analysis.int]))
            found = frame.analysis.pool.join(found, indexed)
        if (cls is not None and cls not in items.BUILTIN and facts.used_up(cls)) or (
            type(atom) is Fresh and atom.site is not None and atom.site.through
        ):
            changes.mutate(frame, frozenset((atom,)))
        else:
            items.note_read(frame, frozenset((atom,)))
        found = frame.analysis.pool.join(found, keys_or_members(frame, atom, cls))
    return found


def keys_or_members(frame: Frame, atom: Atom, cls: type | None) -> Value:
    if cls is dict and type(atom) is Fresh and atom.site is not None:
        return frame.analysis.read_field(atom.site, "{}") or frame.analysis.opaque
    if type(atom) is Known and issubclass(type(atom.obj), builtins.type):
        members = lookup.in_class(atom.obj, "_member_map_")
        if type(members) is dict:  # an enumeration
            return NOTHING.union(*(frame.analysis.pool.known(m, atom.origin) for m in members.values()))
    return items.element_of(frame, atom)


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
                parts[index] = frame.analysis.pool.join(parts[index], items.item_of(frame, atom, atom.type, key))
        elif type(atom) is Known and type(atom.obj) is tuple and len(atom.obj) == count:
            for index, member in enumerate(atom.obj):
                parts[index] = frame.analysis.pool.join(parts[index], items.known_member(frame, atom, member))
        else:
            inside = iterate(frame, one)
            parts = [frame.analysis.pool.join(part, inside) for part in parts]
    return parts


def awaited(frame: Frame, value: Value) -> Value:
    """GET_AWAITABLE: the iterator of an awaitable."""
    own = items.special(frame, value, "__await__", Args())
    return own | value if own else value


def anext(frame: Frame, value: Value) -> Value:
    """GET_ANEXT: what is awaited for the next element."""
    own = frozenset(atom for atom in value if items.answers(frame, atom, "__anext__"))
    found = items.special(frame, own, "__anext__", Args())
    others = advance(frame, value - own, "__anext__")
    if not others:
        return found
    site = frame.site("anext")
    frame.analysis.write_field(site, "return", others)
    return found | frame.analysis.pool.fresh(LibraryObject, site)


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
