"""Making objects: classes of the program, of the library, and classes made during the call."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

from autopar._effects import facts, items, library, lookup
from autopar._effects.values import NOTHING, Args, Fresh, Function, Known, Value, type_of
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


def construct(frame: Frame, atom: Known, args: Args) -> Value:
    """``C(...)``."""
    cls: type = atom.obj
    analysis = frame.analysis
    module = lookup.module_of(cls)
    if facts.in_library(module) and module.partition(".")[0] not in analysis.own_modules:
        found = library.call(frame, lookup.class_name(cls), args, cls)
        if found is not None:
            return found
    if type(lookup.in_class(cls, "_member_map_")) is dict:
        return analysis.pool.fresh(cls)
    caller = items.followable(frame, type(cls), "__call__")
    if caller is not None:
        return items.follow_method(frame, caller, atom, args)
    return instantiate(frame, atom, cls, args)


def instantiate(frame: Frame, atom: Known, cls: type, args: Args) -> Value:
    """``type.__call__``: ``__new__``, then ``__init__``."""
    analysis = frame.analysis
    maker = lookup.in_class(cls, "__new__")
    maker = maker.__func__ if type(maker) is staticmethod else maker
    made: Value
    if type(maker) is types.FunctionType and _follows(frame, maker):
        made = analysis.follow(analysis.callee(maker), args.behind(frozenset((atom,))), frame)
    else:
        _check_bases(frame, cls)
        made = frame.container(cls, NOTHING, "new")
    starter = lookup.in_class(cls, "__init__")
    followed = type(starter) is types.FunctionType and _follows(frame, starter)
    for new in made:
        kind = type_of(new)
        if kind is None or cls not in lookup.mro(kind):
            continue
        if followed:
            items.follow_method(frame, starter, new, args)
        if not followed or maker is not lookup.in_class(object, "__new__"):
            items.put(frame, library.nest(frozenset((new,))), "[]", library.carried(frame, args.joined()))
    if not followed:
        library.run_callbacks(frame, lookup.class_name(cls), args)
    return made


def _follows(frame: Frame, function: types.FunctionType) -> bool:
    return not facts.in_tables(function, frame.analysis.own_modules)


def _check_bases(frame: Frame, cls: type) -> None:
    """A class with a base of which nothing is known makes objects of which nothing is known."""
    for base in lookup.mro(cls):
        module = lookup.module_of(base)
        if base is object:
            continue
        if facts.in_library(module):
            known, kind = facts.effect_of(facts.canonical(lookup.class_name(base)))
            if known and kind is not None:
                frame.effect(kind, f"{lookup.class_name(base)}()")
        elif lookup.written_in_c(base):
            frame.effect(EffectKind.UNKNOWN, f"{lookup.class_name(base)}()")


def build_class(frame: Frame, args: Args) -> Value:
    """A ``class`` statement inside a function."""
    site = frame.site("class")
    for body in args.get(0) or NOTHING:
        if type(body) is Function:
            frame.analysis.follow(body.callee, Args(), frame)
            site.namespace = frame.analysis.pool.site((id(body.callee.code), "namespace", frame.here()))
    bases = args.positional[2:]
    for base in bases:
        for atom in base:
            if type(atom) is Known and lookup.is_class(atom.obj):
                starter = items.followable(frame, atom.obj, "__init_subclass__")
                if starter is not None:
                    items.follow_method(frame, starter, atom, Args())
    frame.analysis.write_field(site, "bases", NOTHING.union(*bases))
    return frame.analysis.pool.fresh(type, site)


def local_instance(frame: Frame, atom: Fresh, args: Args) -> Value:
    """An object of a class that was made during the call."""
    analysis = frame.analysis
    assert atom.site is not None
    assert atom.site.namespace is not None
    site = frame.site("local instance")
    site.namespace = atom.site.namespace
    made = analysis.pool.fresh(None, site)
    starters = analysis.read_field(atom.site.namespace, ".__init__")
    for starter in starters:
        if type(starter) is Function:
            analysis.follow(starter.callee, args.behind(made), frame)
    for base in analysis.read_field(atom.site, "bases"):
        if type(base) is Known and lookup.is_class(base.obj):
            kind = analysis.pool.fresh(base.obj, site)
            if not starters:
                starter_of_base = items.followable(frame, base.obj, "__init__")
                if starter_of_base is not None:
                    items.follow_method(frame, starter_of_base, next(iter(kind)), args)
            _check_bases(frame, base.obj)
            items.put(frame, kind, "[]", library.carried(frame, args.joined()))
            made = made | kind
    return made
