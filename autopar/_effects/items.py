"""Items, iteration and operators on abstract values."""

from __future__ import annotations

import collections
import functools
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import changes, facts, local_classes, lookup
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
from autopar._model.effects import EffectKind

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


def may_have_methods(frame: Frame, atom: Atom) -> bool:
    """Whether the object may be of a class of the program, whose special methods are to be followed."""
    cls = type_of(atom)
    if cls is None:
        if type(atom) is Outer:
            return bool(frame.analysis.held_classes) and frame.analysis.is_argument(atom.origin)
        return local_classes.namespace_of(atom) is not None
    return cls not in BUILTIN and _of_program(frame, cls)


def answers(frame: Frame, atom: Atom, name: str) -> bool:
    """Whether the object's class has a method of that name to follow."""
    cls = type_of(atom)
    if cls is None:
        namespace = local_classes.namespace_of(atom)
        return namespace is not None and local_classes.has_method(frame, namespace, name)
    return cls not in BUILTIN and followable(frame, cls, name) is not None


def _of_program(frame: Frame, cls: type) -> bool:
    """Whether the class or a base of it is written in Python and not taken from the tables."""
    analysis = frame.analysis
    known = analysis.dunders.get((cls, ""))
    if known is None:
        modules = [lookup.module_of(base) for base in lookup.mro(cls)]
        known = not all(
            facts.in_library(module) and module.partition(".")[0] not in analysis.own_modules for module in modules
        )
        analysis.dunders[cls, ""] = known
    return bool(known)


def special(frame: Frame, value: Value, name: str, args: Args) -> Value:
    """Follow the Python methods that an operator calls on `value`, where its type is known; what they return."""
    found = NOTHING
    for atom in value:
        cls = type_of(atom)
        if cls is None:
            found = found | _special_of_untyped(frame, atom, name, args)
        elif cls not in BUILTIN and _of_program(frame, cls):
            found = frame.analysis.pool.join(found, _special_of(frame, atom, cls, name, args))
    return found


def _special_of(frame: Frame, atom: Atom, cls: type, name: str, args: Args) -> Value:
    function = followable(frame, cls, name)
    if function is not None:
        return follow_method(frame, function, atom, args)
    held = lookup.in_class(cls, name)
    if type(held) in _BINDS:
        # A method that is remembered or made from another: the object is its first argument where it is a function.
        origin = frame.analysis.pool.origin(EffectKind.WRITES_SHARED, f"{lookup.short_name(cls)}.{name}")
        called = frame.analysis.pool.known(held.func if type(held) is functools.partialmethod else held, origin)
        return frame.analysis.links.call(frame, called, args.behind(frozenset((atom,))))
    if held is not lookup.MISSING and held is not None and followable(frame, type(held), "__call__"):
        origin = frame.analysis.pool.origin(EffectKind.WRITES_SHARED, f"{lookup.short_name(cls)}.{name}")
        return frame.analysis.links.call(frame, frame.analysis.pool.known(held, origin), args)
    if type(held) is types.FunctionType:
        own_methods(frame, atom, cls, name, args)
    return NOTHING


_BINDS = (types.MethodType, functools.partial, functools.partialmethod, type(functools.lru_cache(lambda: None)))
_CALLS_NO_METHODS = frozenset({"builtins", "enum", "typing", "abc", "dataclasses"})
_NOT_BY_THE_LIBRARY = frozenset(
    {"__init__", "__new__", "__init_subclass__", "__class_getitem__", "__set_name__", "__del__"}
)


def own_methods(frame: Frame, receiver: Atom, cls: type, name: str, args: Args) -> None:
    """A method that a class of the program has from the library calls those that the class itself defines."""
    if name in _NOT_BY_THE_LIBRARY:
        return
    giver = next((base for base in lookup.mro(cls) if lookup.in_class_dict(base, name)), object)
    module = lookup.module_of(giver)
    if not facts.in_library(module) or module in _CALLS_NO_METHODS:
        return
    given = Args(star=args.joined() | frame.analysis.library)
    for base in lookup.mro(cls):
        if facts.in_library(lookup.module_of(base)):
            continue
        for own, member in list(lookup.class_dict(base).items()):
            if type(member) is not types.FunctionType or own == name or own in _NOT_BY_THE_LIBRARY:
                continue
            if not facts.in_tables(member, frame.analysis.own_modules):
                follow_method(frame, member, receiver, given)


def _special_of_untyped(frame: Frame, atom: Atom, name: str, args: Args) -> Value:
    namespace = local_classes.namespace_of(atom)
    if namespace is not None:
        return local_classes.call_method(frame, namespace, atom, name, args)
    found = NOTHING
    if type(atom) is Outer and frame.analysis.held_classes and frame.analysis.is_argument(atom.origin):
        for cls in frame.analysis.held_classes:
            for typed in frame.analysis.pool.outer(atom.origin, cls):
                found = found | _special_of(frame, typed, cls, name, args)
    return found


BUILTIN = frozenset(
    {
        int, float, complex, bool, str, bytes, bytearray, list, dict, set, tuple, frozenset, type(None), slice, range,
        type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, LibraryObject, ArraySlice,
    }
)  # fmt: skip


# What is inside


def elements(frame: Frame, value: Value) -> Value:
    """What an item of the value, or an element it yields, may be; the value is looked at."""
    note_read(frame, value)
    return within(frame, value)


def within(frame: Frame, value: Value) -> Value:
    """The same where nothing is looked at: the objects are changed, or merely handed on."""
    found = NOTHING
    for atom in value:
        found = frame.analysis.pool.join(found, element_of(frame, atom))
    return found


def element_of(frame: Frame, atom: Atom) -> Value:
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
        return analysis.inside(atom.origin)
    if type(atom) is Method:
        return within(frame, frozenset((atom.receiver,)))
    return analysis.library


def _at_any_depth(frame: Frame, atom: Fresh, held: Value) -> Value:
    """What an item may be where the objects held may be items, items of items, or not items yet."""
    found = held | {atom}
    for part in held:
        if type(part) is Known:
            found = found | _members(frame, part)
        elif type(part) is Outer and part.type is not None:
            found = found | element_of(frame, part)
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


def holds_nothing(cls: type) -> bool:
    """Whether objects of the class have attributes alone, and no items as those of a container."""
    return not any(base in (list, tuple, dict, set, frozenset, collections.deque) for base in lookup.mro(cls))


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
        if answers(frame, atom, "__getitem__"):
            continue
        if answers(frame, atom, "__missing__"):
            found = pool.join(found, special(frame, frozenset((atom,)), "__missing__", Args([key])))
        if type(atom) is Known and lookup.is_class(atom.obj):
            getter = lookup.python_method(atom.obj, "__class_getitem__")
            if getter is not None and walks(frame, getter, atom, atom.obj):
                found = pool.join(found, follow_method(frame, getter, atom, Args([key])))
            found = pool.join(found, frozenset((atom,)))
        elif sliced:
            found = pool.join(found, _slice(frame, atom, cls))
        else:
            found = pool.join(found, item_of(frame, atom, cls, key))
    return found


def item_of(frame: Frame, atom: Atom, cls: type | None, key: Value) -> Value:
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
    return element_of(frame, atom)


def _slice(frame: Frame, atom: Atom, cls: type | None) -> Value:
    """``x[a:b]``: new for the built-in sequences, a view of anything else."""
    pool = frame.analysis.pool
    if cls in (str, bytes):
        return pool.fresh(cls)
    if cls in (list, tuple, bytearray) or (type(atom) is Fresh and cls is not None):
        inside = element_of(frame, atom)
        return frame.container(cls or list, inside, "slice")
    if type(atom) is Outer and atom.type is None:
        return pool.outer(atom.origin, ArraySlice)
    return frozenset((atom,))


def put(frame: Frame, container: Value, field: str, value: Value) -> None:
    """Add to the fields of the fresh objects of `container`."""
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
        if answers(frame, atom, name):
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
        elif type(atom) is Known and type(atom.obj) is dict and 0 < len(atom.obj) <= _FEW:
            for key, member in atom.obj.items():
                field = f"[{key!r}]" if lookup.is_one_of(key, _KEYS) else "[]"
                put(frame, target, field, known_member(frame, atom, member))
        else:
            put(frame, target, "[]", element_of(frame, atom))
