"""Making objects: classes of the program, of the library, and classes made during the call."""

from __future__ import annotations

import collections
import types
from typing import TYPE_CHECKING

from autopar._effects import facts, items, library, local_classes, lookup
from autopar._effects.values import NOTHING, Args, CellAtom, Fresh, Function, Known, Site, Value, type_of
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
        finder = items.followable(frame, cls, "_missing_")
        if finder is not None:
            items.follow_method(frame, finder, atom, args)
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
        items.special(frame, frozenset((new,)), "__del__", Args())
        if not followed or maker is not lookup.in_class(object, "__new__"):
            items.put(frame, library.nest(frozenset((new,))), "[]", library.carried(frame, args.joined()))
    if not followed and _USER_CONTAINERS.intersection(lookup.mro(cls)):
        for new in made:  # whose __init__ puts its arguments in by the methods of the class
            items.own_methods(frame, new, cls, "update" if collections.UserDict in lookup.mro(cls) else "append", args)
    if not followed:
        library.run_callbacks(frame, lookup.class_name(cls), args)
    return made


_USER_CONTAINERS = frozenset({collections.UserDict, collections.UserList})


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
    space = frame.analysis.pool.site(("no body", frame.here()))
    cells = NOTHING
    for body in args.get(0) or NOTHING:
        if type(body) is Function:
            cells = cells | frame.analysis.follow(body.callee, Args(), frame)
            space = frame.analysis.pool.site((id(body.callee.code), "namespace", frame.here()))
    keywords = {name: value for name, value in args.keywords.items() if name != "metaclass"}
    made = _class_of(frame, space, args.positional[2:], args.keywords.get("metaclass", NOTHING), keywords)
    for cell in cells:
        if type(cell) is CellAtom:  # of the name `__class__` that `super()` reads
            frame.analysis.write_field(cell.site, "cell", made)
    return made


def make_class(frame: Frame, args: Args) -> Value:
    """``type(name, bases, namespace)``."""
    space = frame.site("class namespace")
    for atom in args.get(2) or NOTHING:
        if type(atom) is Fresh and atom.site is not None:
            for field in list(atom.site.fields):
                if field.startswith("['"):
                    frame.analysis.write_field(space, f".{field[2:-2]}", frame.analysis.read_field(atom.site, field))
    return _class_of(frame, space, [items.elements(frame, args.get(1) or NOTHING)], NOTHING, args.keywords)


def _class_of(frame: Frame, space: Site, bases: list[Value], metaclass: Value, keywords: dict[str, Value]) -> Value:
    """A class with its members in `space`: its bases, metaclass and members are told of it."""
    analysis = frame.analysis
    site = frame.site("class")
    site.namespace = space
    made = analysis.pool.fresh(type, site)
    analysis.write_field(space, "class", made)
    analysis.write_field(space, "bases", NOTHING.union(*bases))
    items.special(frame, NOTHING.union(*bases), "__mro_entries__", Args(star=analysis.library))
    for base in NOTHING.union(*bases):
        if type(base) is Known and lookup.is_class(base.obj):
            starter = items.followable(frame, base.obj, "__init_subclass__")
            if starter is not None:
                analysis.follow(analysis.callee(starter), Args([made], keywords), frame)
            if type(base.obj) is not type:
                metaclass = metaclass | analysis.pool.known(type(base.obj))
        elif type(base) is Fresh and base.site is not None and base.site.namespace is not None:
            for starter_of_base in local_classes.member(frame, base.site.namespace, "__init_subclass__"):
                if type(starter_of_base) is Function:
                    analysis.follow(starter_of_base.callee, Args([made], keywords), frame)
            metaclass = metaclass | analysis.read_field(base.site.namespace, "metaclass")
    analysis.write_field(space, "metaclass", metaclass)
    _by_metaclass(frame, metaclass)
    for field in list(space.fields):
        if field[0] == ".":
            items.special(frame, analysis.read_field(space, field), "__set_name__", Args([made, analysis.str]))
    return made


def _by_metaclass(frame: Frame, metaclass: Value) -> None:
    """What a metaclass does when a class of it is made."""
    given = Args(star=frame.analysis.library)
    for atom in metaclass:
        if type(atom) is Known and lookup.is_class(atom.obj):
            for name in ("__prepare__", "__new__", "__init__"):
                function = items.followable(frame, atom.obj, name)
                if function is not None:
                    items.follow_method(frame, function, atom, given)
        elif type(atom) is Fresh and atom.site is not None and atom.site.namespace is not None:
            for name in ("__prepare__", "__new__", "__init__"):
                local_classes.call_method(frame, atom.site.namespace, atom, name, given)


def local_instance(frame: Frame, atom: Fresh, args: Args) -> Value:
    """An object of a class that was made during the call."""
    analysis = frame.analysis
    assert atom.site is not None
    space = atom.site.namespace
    assert space is not None
    made = NOTHING
    for meta in analysis.read_field(space, "metaclass"):
        if type(meta) is Known and items.followable(frame, meta.obj, "__call__"):
            function = items.followable(frame, meta.obj, "__call__")
            if function is not None:
                made = made | items.follow_method(frame, function, atom, args)
        elif type(meta) is Fresh and meta.site is not None and meta.site.namespace is not None:
            made = made | local_classes.call_method(frame, meta.site.namespace, atom, "__call__", args)
    site = frame.site("local instance")
    site.namespace = space
    made = made | analysis.pool.fresh(None, site) | local_classes.call_method(frame, space, atom, "__new__", args)
    (new,) = analysis.pool.fresh(None, site)
    local_classes.call_method(frame, space, new, "__del__", Args())
    starters = local_classes.member(frame, space, "__init__")
    local_classes.call_method(frame, space, new, "__init__", args)
    if not any(type(starter) is Function for starter in starters):  # as of a dataclass
        items.put(frame, frozenset((new,)), "[]", library.carried(frame, args.joined()))
    for base in analysis.read_field(space, "bases"):
        if type(base) is Known and lookup.is_class(base.obj):
            kind = analysis.pool.fresh(base.obj, site)
            _check_bases(frame, base.obj)
            made = made | kind
    return made
