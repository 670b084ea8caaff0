"""Attribute look-up and stores on abstract values."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import changes, facts, items, local_classes, lookup, modules, parts_of_code
from autopar._effects.values import (
    NOTHING,
    Args,
    Atom,
    Bound,
    Dotted,
    Fresh,
    Function,
    Known,
    LibraryObject,
    Method,
    Origin,
    Outer,
    Site,
    Super,
    Value,
    type_of,
)
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_TEXTS = frozenset({"__name__", "__qualname__", "__module__", "__doc__"})


def load(frame: Frame, value: Value, name: str) -> Value:
    """LOAD_ATTR."""
    found = NOTHING
    for atom in value:
        frame.analysis.tick()
        found = frame.analysis.pool.join(found, _load(frame, atom, name))
    return found


def _load(frame: Frame, atom: Atom, name: str) -> Value:
    pool = frame.analysis.pool
    if type(atom) is Known:
        if type(atom.obj) is types.ModuleType or issubclass(type(atom.obj), types.ModuleType):
            return modules.load_attribute(frame, atom, name)
        if lookup.is_class(atom.obj):
            return _of_class(frame, atom, name)
    if type(atom) is Super:
        return _of_super(frame, atom, name)
    if type(atom) is Dotted:
        return pool.dotted(f"{atom.name}.{name}")
    if type(atom) is Method:
        found = frozenset(part for part in _reached(frame, atom) if type(part) is not Method)
        return load(frame, found, name)
    if name in _TEXTS:
        return frame.analysis.str
    if type(atom) is Fresh and atom.type is type and atom.site is not None and atom.site.namespace is not None:
        return _of_made_class(frame, atom, atom.site, name)
    if type(atom) is Bound and name == "__self__":
        return frozenset((atom.receiver,))
    if type(atom) is Bound and name == "__func__":
        return pool.function(atom.callee)
    if (type(atom) is Function or type(atom) is Bound) and name == "__globals__":
        return parts_of_code.globals_of(frame, atom.callee.global_names)
    if type(atom) is Function and name == "__get__":
        return pool.method(atom, name)
    if type(atom) is Function or type(atom) is Bound:
        return pool.method(atom, name) | frame.analysis.stored.get((id(atom.callee.code), name), NOTHING)
    if name == "__class__":
        cls = type_of(atom)
        return pool.known(cls) if cls is not None and cls is not LibraryObject else pool.outer(_class_origin(frame))
    if name == "__dict__":
        return _namespace(frame, atom)
    if name in parts_of_code.NAMES and (type(atom) is Known or type(atom) is Bound):
        part = parts_of_code.load(frame, atom, name)
        if part is not None:
            return part
    return _of_instance(frame, atom, name)


def _namespace(frame: Frame, atom: Atom) -> Value:
    """The dict behind an object."""
    pool = frame.analysis.pool
    if type(atom) is Fresh:
        return pool.fresh(None, atom.site)
    if (type(atom) is Known or type(atom) is Outer) and atom.origin is not None:
        return pool.outer(atom.origin, dict)
    return frame.analysis.library


def _class_origin(frame: Frame) -> Origin:
    return frame.analysis.pool.origin(EffectKind.WRITES_SHARED, "a class")


def _reached(frame: Frame, atom: Method) -> Value:
    """What the attribute is if it is no method: something in its object."""
    return field(frame, atom.receiver, atom.name)


def data(frame: Frame, value: Value) -> Value:
    """The value with attributes in place of undecided methods, as it is stored or handed on."""
    if not any(type(atom) is Method for atom in value):
        return value
    found = NOTHING
    for atom in value:
        found = found | (_reached(frame, atom) | {atom} if type(atom) is Method else frozenset((atom,)))
    return found


def field(frame: Frame, atom: Atom, name: str) -> Value:
    """What is stored under an attribute of one object, as far as it is known."""
    analysis = frame.analysis
    pool = analysis.pool
    if type(atom) is Fresh:
        if atom.site is None:
            return analysis.library if atom.type is LibraryObject else analysis.opaque
        found = analysis.read_field(atom.site, "." + name) | _computed(frame, atom, atom.site, name)
        if atom.type is not None and found and _plain_class(frame, atom.type):
            return found | analysis.read_field(atom.site, f"[{name!r}]") | analysis.read_field(atom.site, "[]")
        return found | items.elements(frame, frozenset((atom,))) | analysis.library
    if type(atom) is Known:
        if atom.origin is None:
            return analysis.library
        inside = lookup.in_object(atom.obj, name)
        stored = analysis.stored.get((id(atom.obj), name), NOTHING)
        if inside is not lookup.MISSING:
            return pool.join(pool.known(inside, atom.origin), stored)
        return stored if stored else analysis.inside(atom.origin)
    if type(atom) is Outer:
        if facts.scalar(atom.type):
            return analysis.library
        stored = analysis.stored.get((id(atom.origin), name), NOTHING)
        return pool.join(analysis.inside(atom.origin), stored)
    return analysis.library


def _computed(frame: Frame, atom: Fresh, site: Site, name: str) -> Value:
    """What was stored in the object under names that were computed, by its dict or in a dict that it shares."""
    if atom.type is None or not _plain_class(frame, atom.type) or not items.holds_nothing(atom.type):
        return NOTHING
    found = frame.analysis.read_field(site, f"[{name!r}]") | frame.analysis.read_field(site, "[]")
    return found | items.within(frame, frame.analysis.read_field(site, "wrapped")) if site.through else found


def _plain_class(frame: Frame, cls: type) -> bool:
    """Whether instances hold their attributes in the ordinary way, seen by the analysis."""
    if cls is LibraryObject:
        return False
    module = lookup.module_of(cls)
    return not facts.in_library(module) or module.partition(".")[0] in frame.analysis.own_modules


def _of_instance(frame: Frame, atom: Atom, name: str) -> Value:
    pool = frame.analysis.pool
    cls = type_of(atom)
    changes.thread_local(frame, atom, cls)
    if type(atom) is Known and type(atom.obj) is types.MethodType:
        return frame.analysis.library
    if cls is None or cls is LibraryObject:
        local = atom.site.namespace if type(atom) is Fresh and atom.site is not None else None
        if local is not None:
            return _of_local_class(frame, atom, local, name)
        return pool.method(atom, name)
    members = lookup.in_class(cls, "_member_map_")
    if type(members) is dict and name in ("value", "_value_"):
        origin = _class_attribute(frame, cls, name)
        return NOTHING.union(*(pool.known(lookup.in_object(one, "_value_"), origin) for one in members.values()))
    found = lookup.in_class(cls, name)
    if found is not lookup.MISSING:
        items.special(frame, frozenset((atom,)), "__getattribute__", Args([pool.known(name)]))
    if found is lookup.MISSING:
        getter = items.followable(frame, cls, "__getattribute__") or items.followable(frame, cls, "__getattr__")
        inside = field(frame, atom, name) if _has_field(frame, atom, name) else NOTHING
        if getter is not None and not inside:
            return items.follow_method(frame, getter, atom, Args([pool.known(name)]))
        if facts.type_facts(cls) is None and _plain_class(frame, cls):
            return inside or field(frame, atom, name)
        return pool.method(atom, name) | inside
    return _described(frame, atom, cls, name, found)


def _has_field(frame: Frame, atom: Atom, name: str) -> bool:
    if type(atom) is Fresh:
        if atom.site is None:
            return False
        return bool(frame.analysis.read_field(atom.site, "." + name) or _computed(frame, atom, atom.site, name))
    return type(atom) is Known and lookup.in_object(atom.obj, name) is not lookup.MISSING


def load_all(frame: Frame, value: Value) -> Value:
    """Any attribute of the objects, where a class of the program computes some."""
    found = NOTHING
    for atom in value:
        cls = type_of(atom)
        if cls is None or not items.may_have_methods(frame, atom):
            continue
        for base in lookup.mro(cls):
            if not facts.in_library(lookup.module_of(base)):
                for name, member in list(lookup.class_dict(base).items()):
                    if type(member) in local_classes.DESCRIPTORS or lookup.python_method(type(member), "__get__"):
                        found = found | _load(frame, atom, name)
        for getter in ("__getattribute__", "__getattr__"):
            found = found | items.special(frame, frozenset((atom,)), getter, Args([frame.analysis.str]))
    return found


def _of_local_class(frame: Frame, atom: Atom, namespace: Site, name: str) -> Value:
    """An attribute of an object of a class made during the call."""
    members = local_classes.member(frame, namespace, name)
    found = NOTHING
    for hook in ("__getattribute__",) if members else ("__getattribute__", "__getattr__"):
        found = found | local_classes.call_method(frame, namespace, atom, hook, Args([frame.analysis.str]))
    if not (members or found) or _has_field(frame, atom, name):
        found = found | field(frame, atom, name)
    for member in members:
        if type(member) is Known:
            found = found | _described(frame, atom, type_of(atom) or object, name, member.obj)
        else:
            found = found | local_classes.bind(frame, member, atom, namespace)
    return found


def _of_made_class(frame: Frame, atom: Fresh, site: Site, name: str) -> Value:
    """An attribute of a class made during the call, or of its bases."""
    assert site.namespace is not None
    found = NOTHING
    for member in frame.analysis.read_field(site.namespace, "." + name):
        if type(member) is Fresh and member.type in local_classes.DESCRIPTORS and member.type is not property:
            found = found | local_classes.bind(frame, member, atom, site.namespace)
        else:
            found = found | {member}
    if not found:
        found = load(frame, frame.analysis.read_field(site.namespace, "bases"), name)
    return found or frame.analysis.pool.method(atom, name)


def _described(frame: Frame, atom: Atom, cls: type, name: str, found: Any) -> Value:
    """An attribute found in the class of the object."""
    pool, analysis = frame.analysis.pool, frame.analysis
    kind = type(found)
    if kind is types.FunctionType:
        if not items.walks(frame, found, atom, cls):
            return pool.method(atom, name)
        bound = pool.bound(analysis.callee(found), atom)
        return bound | _in_place_of(frame, atom, name)
    if kind is functools.singledispatchmethod or kind is functools.partialmethod:
        return parts_of_code.dispatching(frame, atom, _class_attribute(frame, cls, name), name, found)
    if kind is property:
        getter = found.fget
        if type(getter) is types.FunctionType:
            if items.walks(frame, getter, atom, cls):
                return items.follow_method(frame, getter, atom, Args())
        elif getter is not None and items.may_have_methods(frame, atom):
            called = pool.known(getter, _class_attribute(frame, cls, name))
            return analysis.links.call(frame, called, Args([frozenset((atom,))]))
        return field(frame, atom, name)
    if kind is staticmethod:
        return pool.known(found.__func__, _class_attribute(frame, cls, name))
    if kind is classmethod:
        function = found.__func__
        if type(function) is types.FunctionType and items.walks(frame, function, atom, cls):
            receiver = next(iter(pool.known(cls, _class_attribute(frame, cls, name))))
            return pool.bound(analysis.callee(function), receiver)
        if type(function) in lookup.PYTHON_CODE and type(function) is not types.FunctionType:
            return pool.known(function, _class_attribute(frame, cls, name))
        return pool.method(atom, name)
    if kind is functools.cached_property:
        changes.mutate(frame, frozenset((atom,)))
        function = found.func
        if type(function) is types.FunctionType:
            return items.follow_method(frame, function, atom, Args())
        return field(frame, atom, name)
    if kind is types.MemberDescriptorType or kind is types.GetSetDescriptorType:
        return field(frame, atom, name)
    if kind is types.BuiltinFunctionType and not isinstance(found.__self__, types.ModuleType | type | None):
        return pool.known(found, _class_attribute(frame, cls, name))
    if kind in _C_METHODS:
        return pool.method(atom, name)
    getter = items.followable(frame, kind, "__get__")
    if getter is None and lookup.in_class(kind, "__get__") is not lookup.MISSING:
        return pool.method(atom, name)
    if getter is not None:
        owner = next(iter(pool.known(found, _class_attribute(frame, cls, name))))
        return items.follow_method(frame, getter, owner, Args([frozenset((atom,)), pool.known(cls)]))
    # An object that is not at hand may have an attribute of its own in place of its class's.
    own = field(frame, atom, name) if type(atom) is Outer or _has_field(frame, atom, name) else NOTHING
    return pool.join(pool.known(found, _class_attribute(frame, cls, name)), own)


def _in_place_of(frame: Frame, atom: Atom, name: str) -> Value:
    """What the object itself may hold in place of a method of its class."""
    if type(atom) is Fresh and atom.site is not None and not frame.analysis.read_field(atom.site, "." + name):
        held = _computed(frame, atom, atom.site, name)
        return frozenset(part for part in held if type(part) is Function or type(part) is Bound or _is_code(part))
    if _has_field(frame, atom, name):
        return field(frame, atom, name)
    if type(atom) is not Outer or not frame.analysis.knows_inside(atom.origin):
        return NOTHING
    inside = frame.analysis.inside(atom.origin)
    return frozenset(
        part for part in inside if lookup.in_class(type_of(part) or object, "__call__") is not lookup.MISSING
    )


_C_METHODS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.BuiltinFunctionType,
)


def _is_code(atom: Atom) -> bool:
    return type(atom) is Known and lookup.in_class(type(atom.obj), "__call__") is not lookup.MISSING


def _class_attribute(frame: Frame, cls: type, name: str) -> Origin:
    return frame.analysis.pool.origin(EffectKind.WRITES_SHARED, f"class attribute {lookup.short_name(cls)}.{name}")


def _of_class(frame: Frame, atom: Known, name: str) -> Value:
    """An attribute of a class."""
    pool = frame.analysis.pool
    cls: type = atom.obj
    if name in _TEXTS:
        return frame.analysis.str
    if name == "__dict__":
        return pool.outer(_class_attribute(frame, cls, name))
    members = lookup.in_class(cls, "_member_map_")
    if type(members) is dict and name in members:
        return pool.known(members[name], _class_attribute(frame, cls, name))
    found = lookup.in_class(cls, name)
    if found is lookup.MISSING or name == "__class__":
        meta = lookup.in_class(type(cls), name)
        if type(meta) is types.FunctionType and items.walks(frame, meta, atom, type(cls)):
            return pool.bound(frame.analysis.callee(meta), atom)
        getter = items.followable(frame, type(cls), "__getattr__")
        if meta is lookup.MISSING and getter is not None:
            return items.follow_method(frame, getter, atom, Args([pool.known(name)]))
        return pool.method(atom, name)
    origin = _class_attribute(frame, cls, name)
    kind = type(found)
    if kind is staticmethod:
        return pool.known(found.__func__, origin)
    if kind is classmethod and type(found.__func__) is types.FunctionType:
        if items.walks(frame, found.__func__, atom, cls):
            return pool.bound(frame.analysis.callee(found.__func__), atom)
        return pool.method(atom, name)
    if kind is classmethod and type(found.__func__) in lookup.PYTHON_CODE:
        return pool.known(found.__func__, origin)
    if kind is classmethod or kind is types.ClassMethodDescriptorType:
        return pool.method(atom, name)
    stored = frame.analysis.stored.get((id(cls), name), NOTHING)
    getter = items.followable(frame, kind, "__get__")
    if getter is not None:
        owner = next(iter(pool.known(found, origin)))
        return items.follow_method(frame, getter, owner, Args([frame.analysis.none, frozenset((atom,))]))
    return pool.join(pool.known(found, origin), stored)


def _of_super(frame: Frame, atom: Super, name: str) -> Value:
    pool = frame.analysis.pool
    if atom.bases:
        return _of_local_super(frame, atom, name)
    cls = type_of(atom.receiver)
    receiver = atom.receiver
    if type(receiver) is Known and lookup.is_class(receiver.obj):
        cls = receiver.obj
    if cls is None or cls is LibraryObject or atom.cls not in lookup.mro(cls):
        cls = atom.cls
    found = lookup.in_class(cls, name, behind=atom.cls)
    if type(found) is staticmethod:
        return pool.known(found.__func__, _class_attribute(frame, cls, name))
    if type(found) is classmethod:
        found = found.__func__
    if type(found) is types.FunctionType and items.walks(frame, found, receiver, cls):
        return pool.bound(frame.analysis.callee(found), receiver)
    if type(found) is types.BuiltinFunctionType:  # __new__ of a class written in C
        return pool.known(found, None)
    if type(found) is property and type(found.fget) is types.FunctionType:
        return items.follow_method(frame, found.fget, receiver, Args())
    return pool.method(receiver, name)


def _of_local_super(frame: Frame, atom: Super, name: str) -> Value:
    """An attribute of the bases of a class made during the call."""
    found = NOTHING
    for base in atom.bases:
        if type(base) is Known and lookup.is_class(base.obj):
            held = lookup.in_class(base.obj, name)
            if held is not lookup.MISSING:
                found = found | _described(frame, atom.receiver, base.obj, name, held)
        elif type(base) is Fresh and base.site is not None and base.site.namespace is not None:
            for member in local_classes.member(frame, base.site.namespace, name):
                if type(member) is Known:
                    found = found | _described(frame, atom.receiver, object, name, member.obj)
                else:
                    found = found | local_classes.bind(frame, member, atom.receiver, base.site.namespace)
    return found or frame.analysis.pool.method(atom.receiver, name)


def store(frame: Frame, owner: Value, name: str, value: Value | None) -> None:
    """STORE_ATTR; with `value` None, DELETE_ATTR."""
    for atom in owner:
        _store(frame, atom, name, None if value is None else data(frame, value))


def _store(frame: Frame, atom: Atom, name: str, value: Value | None) -> None:
    analysis = frame.analysis
    if type(atom) is Known and issubclass(type(atom.obj), types.ModuleType):
        modules.store_attribute(frame, atom, name, value)
        return
    cls = type_of(atom)
    if cls is not None and _store_by_method(frame, atom, cls, name, value):
        return
    namespace = local_classes.namespace_of(atom)
    if namespace is not None and _store_locally(frame, atom, namespace, name, value):
        return
    store_directly(frame, atom, name, value)
    if type(atom) is Function:
        analysis.remember(id(atom.callee.code), name, value or NOTHING)
    elif type(atom) is Known:
        analysis.remember(id(atom.obj), name, value or NOTHING)
    elif type(atom) is Outer:
        analysis.remember(id(atom.origin), name, value or NOTHING)


def _store_locally(frame: Frame, atom: Atom, namespace: Site, name: str, value: Value | None) -> bool:
    """The same for an object of a class made during the call."""
    given = Args([] if value is None else [value])
    hook = "__delattr__" if value is None else "__setattr__"
    if local_classes.member(frame, namespace, hook):
        local_classes.call_method(frame, namespace, atom, hook, given.behind(frame.analysis.str))
        return True
    stored = False
    for member in local_classes.member(frame, namespace, name):
        setter = local_classes.part(frame, member, "setter" if value is not None else "deleter")
        if setter:
            frame.analysis.links.call(frame, setter, given.behind(frozenset((atom,))))
            stored = True
        own = frozenset((atom,))
        items.special(frame, frozenset((member,)), "__set__" if value is not None else "__delete__", given.behind(own))
    return stored


def store_directly(frame: Frame, atom: Atom, name: str, value: Value | None) -> None:
    """``object.__setattr__``."""
    if type(atom) is Fresh:
        if atom.site is not None and value:
            if name == "__dict__":  # what is stored from now on goes there
                frame.analysis.write_field(atom.site, "wrapped", value)
                atom.site.through = True
            elif atom.site.through:
                changes.mutate(frame, frozenset((atom,)))
            frame.analysis.write_field(atom.site, "." + name, value)
    elif type(atom) is Known and lookup.is_class(atom.obj):
        frame.effect(EffectKind.WRITES_SHARED, f"class attribute {lookup.short_name(atom.obj)}.{name}")
    elif type(atom) is Super:
        changes.set_attribute(frame, atom.receiver, name)
    else:
        changes.set_attribute(frame, atom, name)


def _store_by_method(frame: Frame, atom: Atom, cls: type, name: str, value: Value | None) -> bool:
    """A property's setter, a descriptor's or the class's own ``__setattr__``; False if there is none to follow."""
    own = items.followable(frame, cls, "__delattr__" if value is None else "__setattr__")
    if own is not None:
        arguments = [frame.analysis.pool.known(name)] + ([] if value is None else [value])
        items.follow_method(frame, own, atom, Args(arguments))
        return True
    found = lookup.in_class(cls, name)
    if type(found) is property:
        setter = found.fdel if value is None else found.fset
        if type(setter) is types.FunctionType:
            items.follow_method(frame, setter, atom, Args([] if value is None else [value]))
            return True
    elif found is not lookup.MISSING:
        setter = items.followable(frame, type(found), "__delete__" if value is None else "__set__")
        if setter is not None:
            owner = next(iter(frame.analysis.pool.known(found, _class_attribute(frame, cls, name))))
            given: list[Value] = [frozenset((atom,)), *([] if value is None else [value])]
            items.follow_method(frame, setter, owner, Args(given))
            return True
    return False
