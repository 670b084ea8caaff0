"""Classes made during the call: their members, those of their bases, and what a look-up through an object gives."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from autopar._effects import lookup
from autopar._effects.values import NOTHING, Args, Atom, Fresh, Function, Known, Site, Value
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

DESCRIPTORS = (property, staticmethod, classmethod, functools.cached_property)


def namespace_of(atom: Atom) -> Site | None:
    """The namespace of the class made during the call that the object is of; None for any other object."""
    if type(atom) is Fresh and atom.site is not None and atom.type is not type:
        return atom.site.namespace
    return None


def member(frame: Frame, namespace: Site, name: str, seen: tuple[Site, ...] = ()) -> Value:
    """What the class, or the first of its bases that has it, may have under a name."""
    analysis = frame.analysis
    found = analysis.read_field(namespace, "." + name)
    if found or namespace in seen:
        return found
    for base in analysis.read_field(namespace, "bases"):
        if type(base) is Fresh and base.site is not None and base.site.namespace is not None:
            found = found | member(frame, base.site.namespace, name, (*seen, namespace))
        elif type(base) is Known and lookup.is_class(base.obj):
            held = lookup.in_class(base.obj, name)
            if held is not lookup.MISSING:
                what = f"class attribute {lookup.short_name(base.obj)}.{name}"
                found = found | analysis.pool.known(held, analysis.pool.origin(EffectKind.WRITES_SHARED, what))
    return found


def has_method(frame: Frame, namespace: Site, name: str) -> bool:
    """Whether the class has a method of that name that can be followed."""
    return any(
        type(atom) is Function
        or (type(atom) is Fresh and atom.type in DESCRIPTORS)
        or (type(atom) is Known and type(atom.obj) in lookup.PYTHON_CODE)
        for atom in member(frame, namespace, name)
    )


def own_class(frame: Frame, namespace: Site) -> Value:
    """The class itself."""
    return frame.analysis.read_field(namespace, "class")


def part(frame: Frame, descriptor: Atom, field: str = "func") -> Value:
    """The function in a property, static method or class method made during the call."""
    if type(descriptor) is Fresh and descriptor.site is not None and descriptor.type in DESCRIPTORS:
        return frame.analysis.read_field(descriptor.site, field)
    return NOTHING


def call_method(frame: Frame, namespace: Site, receiver: Atom, name: str, args: Args) -> Value:
    """Call the special method `name`, if the class has one that can be followed."""
    analysis = frame.analysis
    found = NOTHING
    for atom in member(frame, namespace, name):
        if type(atom) is Function:
            result = analysis.follow(atom.callee, args.behind(frozenset((receiver,))), frame)
        elif type(atom) is Fresh and atom.type is classmethod:
            result = analysis.links.call(frame, part(frame, atom), args.behind(own_class(frame, namespace)))
        elif type(atom) is Fresh and atom.type is staticmethod:
            result = analysis.links.call(frame, part(frame, atom), args)
        elif type(atom) is Known and type(atom.obj) in lookup.PYTHON_CODE:
            result = analysis.links.call(frame, frozenset((atom,)), args.behind(frozenset((receiver,))))
        else:
            continue
        found = analysis.pool.join(found, result)
    return found


def bind(frame: Frame, atom: Atom, receiver: Atom, namespace: Site) -> Value:
    """A member of the class, looked up through an object of it."""
    analysis = frame.analysis
    if type(atom) is Function:
        return analysis.pool.bound(atom.callee, receiver)
    if type(atom) is Fresh and atom.type in DESCRIPTORS:
        held = part(frame, atom)
        if atom.type is staticmethod:
            return held
        if atom.type is classmethod:
            classes = own_class(frame, namespace)
            return NOTHING.union(
                *(analysis.pool.bound(f.callee, c) for f in held if type(f) is Function for c in classes)
            )
        return analysis.links.call(frame, held, Args([frozenset((receiver,))]))
    own = namespace_of(atom)
    if own is not None and member(frame, own, "__get__"):
        return call_method(frame, own, atom, "__get__", Args([frozenset((receiver,)), own_class(frame, namespace)]))
    return frozenset((atom,))
