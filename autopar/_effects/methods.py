"""Calls of methods that are decided by the object's type, where it is known, or by the method's name."""

from __future__ import annotations

import abc
import collections
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import array_work, attributes, changes, facts, hooks, items, iteration, library, lookup
from autopar._effects.tables_types import TypeFacts
from autopar._effects.values import (
    NOTHING,
    Args,
    ArraySlice,
    Atom,
    Fresh,
    Function,
    Known,
    LibraryObject,
    Outer,
    Value,
    type_of,
)
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_LIST_ONLY = frozenset({"append", "extend", "insert", "pop", "remove", "clear"})
_ADDING = frozenset({"append", "appendleft", "add", "insert", "put", "put_nowait", "push", "send", "fill"})
_ADDING_ALL = frozenset({"extend", "extendleft", "update", "union", "intersection_update", "writelines"})
_FILLING = frozenset("shuffle readinto readinto1 recv_into recvfrom_into recvmsg_into pack_into backup".split())
"""Methods that change their first argument, whatever object they are of."""
_RETURNS_ITSELF = frozenset({"__enter__", "__iter__", "__aenter__", "__aiter__", "__await__", "__reversed__"})
_OF_SPECIAL_DICTS = {
    "most_common": "items",
    "elements": "keys",
    "total": "total",
    "subtract": "subtract",
    "move_to_end": "move_to_end",
}
_CONTAINERS = (list, dict, set, tuple, frozenset, bytearray, collections.deque, collections.OrderedDict)


def call_method(frame: Frame, receiver: Atom, name: str, args: Args) -> Value:
    """The result of ``receiver.name(...)``."""
    cls = type_of(receiver)
    if type(receiver) is Known and lookup.is_class(receiver.obj):
        return _of_class(frame, receiver, name, args)
    if name in ("__get__", "cache_clear") and (special := _of_callable(frame, receiver, name, args)) is not None:
        return special
    if type(receiver) is Function:
        return frame.analysis.library
    array_work.note(frame, f".{name}()", frozenset((receiver,)))
    if "out" in args.keywords:
        changes.mutate(frame, args.keywords["out"])
    if name in _FILLING:
        changes.mutate(frame, args.get(0) or args.keywords.get("target", NOTHING))
    if cls is not None and facts.may_change_in_place(name):
        for base in lookup.mro(cls):
            library.change_in_place(frame, facts.canonical(f"{lookup.class_name(base)}.{name}"), args)
    _as_of_a_frame(frame, receiver, name, args)
    if name == "at" and cls is not None and lookup.class_name(cls) == "numpy.ufunc":
        changes.mutate(frame, args.get(0) or NOTHING)
    returned = library.run_callbacks(frame, f"{lookup.class_name(cls)}.{name}" if cls else name, args)
    hooks.of_method(frame, receiver, name, args, returned)
    if returned and cls not in _CONTAINERS:
        return returned | library.shell(frame, returned) | _called(frame, receiver, cls, name, args)
    return _called(frame, receiver, cls, name, args)


def _as_of_a_frame(frame: Frame, receiver: Atom, name: str, args: Args) -> None:
    """What the method does beside its result if the object is one of pandas, which an unknown one may be."""
    if "inplace" in args.keywords:
        changes.mutate(frame, frozenset((receiver,)))
    cls = type_of(receiver)
    kind = facts.of_frames(None if cls is LibraryObject else cls, name)
    if kind is EffectKind.RANDOM and "random_state" in args.keywords:
        changes.mutate(frame, args.keywords["random_state"])
    elif kind is not None:
        frame.effect(kind, f"{'numpy.random: ' if kind is EffectKind.RANDOM else ''}{name}()")


def _of_callable(frame: Frame, receiver: Atom, name: str, args: Args) -> Value | None:
    """``__get__`` of a function or a property, and the emptying of a cache; None for anything else."""
    pool = frame.analysis.pool
    if name == "cache_clear":
        if type(receiver) is Known or type(receiver) is Outer:
            changes.report(frame, receiver)
        return frame.analysis.none
    callee = None
    if type(receiver) is Function:
        callee = receiver.callee
    elif type(receiver) is Known and type(receiver.obj) is types.FunctionType:
        callee = frame.analysis.callee(receiver.obj)
    elif type(receiver) is Known and type(receiver.obj) is property:
        getter = pool.known(receiver.obj.fget, receiver.origin)
        return frame.analysis.links.call(frame, getter, Args(args.positional[:1]))
    if callee is None:
        return None
    return NOTHING.union(*(pool.bound(callee, one) for one in args.get(0) or NOTHING))


def _called(frame: Frame, receiver: Atom, cls: type | None, name: str, args: Args) -> Value:
    if name in ("__init__", "__setattr__", "__delattr__", "__init_subclass__") and type(receiver) is Fresh:
        items.put(frame, library.nest(frozenset((receiver,))), "[]", library.carried(frame, args.joined()))
        return frame.analysis.none
    if type(receiver) is Fresh:
        return _on_fresh(frame, receiver, cls, name, args)
    if cls is None or cls is LibraryObject or cls is ArraySlice:
        return _by_name(frame, receiver, cls, name, args)
    return _by_type(frame, receiver, cls, name, args)


def call_bound(frame: Frame, atom: Known, owner: Any, name: str, args: Args) -> Value:
    """A method written in C that is held by itself, such as ``draw = rng.random`` or `random.random`."""
    pool = frame.analysis.pool
    if atom.origin is not None and atom.origin.dotted is not None:
        found = library.call(frame, atom.origin.dotted, args)
        if found is not None:
            return found
    kind = shared_stream(owner)
    if kind is not None:
        frame.analysis.recorder.called(kind + name)
        frame.effect(EffectKind.RANDOM, f"{kind}{name}()")
        if name == "shuffle":
            changes.mutate(frame, args.get(0) or NOTHING)
        return items.elements(frame, args.joined()) | frame.analysis.library
    origin = atom.origin or pool.origin(EffectKind.WRITES_SHARED, f"the object of {name}()")
    return call_method(frame, next(iter(pool.known(owner, origin))), name, args)


def shared_stream(owner: Any) -> str | None:
    """The module whose shared random generator `owner` is."""
    import sys

    module = sys.modules.get("random")
    if module is not None and owner is lookup.in_module(module, "_inst"):
        return "random."
    if lookup.class_name(type(owner)) == "numpy.random.mtrand.RandomState":
        legacy = sys.modules.get("numpy.random.mtrand")
        if legacy is not None and owner is lookup.in_module(legacy, "_rand"):
            return "numpy.random."
    return None


def _of_class(frame: Frame, receiver: Known, name: str, args: Args) -> Value:
    """``dict.fromkeys(...)``, ``datetime.now()``, ``C.__subclasses__()``."""
    if name == "__new__":
        return frame.container(receiver.obj, library.carried(frame, args.joined()))
    if name == "register" and type(receiver.obj) is abc.ABCMeta:
        frame.effect(EffectKind.PROCESS_STATE, f"{lookup.short_name(receiver.obj)}.register()")
        return args.get(0) or NOTHING
    for base in lookup.mro(receiver.obj):
        found = library.call(frame, f"{lookup.class_name(base)}.{name}", args)
        if found is not None:
            if name == "from_iterable":
                return frame.container(LibraryObject, items.within(frame, items.within(frame, args.joined())))
            if name in ("fromkeys", "_make"):
                return frame.container(receiver.obj, library.carried(frame, args.joined()))
            return found
    if facts.mutating(name) or name == "register":
        changes.report(frame, receiver)
        return frame.analysis.library
    if facts.reading(name) is not None or name in _CLASS_METHODS:
        return frame.analysis.library
    frame.effect(EffectKind.UNKNOWN, f"{lookup.short_name(receiver.obj)}.{name}()")
    return library.shell(frame, args.joined())


_CLASS_METHODS = frozenset({"mro", "__subclasses__", "__instancecheck__", "__subclasscheck__", "__prepare__"})


def _on_fresh(frame: Frame, receiver: Fresh, cls: type | None, name: str, args: Args) -> Value:
    """A method of an object that the call itself has made."""
    analysis = frame.analysis
    own: Value = frozenset((receiver,))
    if cls in _CONTAINERS or cls is str or cls is bytes:
        if lookup.in_class(cls, name) is lookup.MISSING:
            if (
                cls is dict and receiver.site is not None and name in _OF_SPECIAL_DICTS
            ):  # which are taken for plain ones
                return _of_mapping(frame, receiver, _OF_SPECIAL_DICTS[name], args)
            return NOTHING
        return _of_container(frame, receiver, cls, name, args)
    if name in ("__enter__", "__aenter__") and receiver.site is not None:
        yielded = analysis.read_items(receiver.site) if "return" in receiver.site.fields else NOTHING
        return analysis.read_field(receiver.site, "enter") | yielded or own
    if name in _RETURNS_ITSELF:
        return own | items.elements(frame, own)
    if cls is property and name in ("getter", "setter", "deleter") and receiver.site is not None:
        analysis.write_field(receiver.site, "func" if name == "getter" else name, args.joined())
        return own
    if name in ("send", "asend") and receiver.site is not None:
        analysis.write_field(receiver.site, "sent", args.joined())
    if name in ("_replace", "__replace__") and cls is not None and tuple in lookup.mro(cls):
        return frame.container(cls, items.elements(frame, own) | args.joined())
    if name in ("enter_context", "enter_async_context"):
        entering, leaving = (f"__{'a' if 'async' in name else ''}{step}__" for step in ("enter", "exit"))
        analysis.links.call(frame, attributes.load(frame, args.joined(), leaving), Args(star=analysis.library))
        return analysis.links.call(frame, attributes.load(frame, args.joined(), entering), Args())
    if cls is not None and receiver.site is not None and not receiver.site.through and facts.keeps_nothing(cls):
        return _answered(frame, receiver, cls, name, args)
    given = library.carried(frame, args.joined())
    if receiver.site is not None:
        if receiver.site.through and (facts.mutating(name) or facts.reading(name) is None):
            changes.mutate(frame, own)
        if given and facts.reading(name) is None:
            items.put(frame, own, "[]", given)
    if cls is None and not facts.mutating(name) and facts.reading(name) is None and name not in _SAFE_OF_UNKNOWN:
        found = _stored_callable(frame, receiver, name, args)
        if found is not None:
            return found
        frame.effect(EffectKind.UNKNOWN, f"method '{name}' of a value of unknown type")
        return library.shell(frame, own | args.joined())
    if cls is None or cls is LibraryObject or facts.in_library(lookup.module_of(cls)):
        kind = facts.reading(name)
        if kind in ("str", "bytes", "bool", "int", "float"):
            return library.made_as(frame, kind, own, args)
        inside = items.elements(frame, own) if receiver.site is not None else NOTHING
        return library.shell(frame, own | args.joined()) | inside
    found = _stored_callable(frame, receiver, name, args)
    if found is not None:
        return found
    return _of_foreign(frame, receiver, cls, name, args)


_MAKERS = ("row_factory", "text_factory")
"""Attributes of a database connection or cursor: what makes the rows and texts of its answers."""


def _answered(frame: Frame, receiver: Fresh, cls: type, name: str, args: Args) -> Value:
    """A method of a connection, which only reads what it is given."""
    library.use_up(frame, args)
    made = NOTHING
    for maker in _MAKERS:
        made = made | (_stored_callable(frame, receiver, maker, Args(star=frame.analysis.library)) or NOTHING)
    answer = library.made_as(frame, facts.answer_of(cls, name), NOTHING)
    if made:
        items.put(frame, answer, "[]", made)
    return answer


_SAFE_OF_UNKNOWN = frozenset({"__getattr__", "__class_getitem__", "__set_name__"})


def _stored_callable(frame: Frame, receiver: Fresh, name: str, args: Args) -> Value | None:
    """A callable kept in an attribute of the object itself."""
    if receiver.site is None:
        return None
    stored = frame.analysis.read_field(receiver.site, "." + name)
    return frame.analysis.links.call(frame, stored, args) if stored else None


def _of_container(frame: Frame, receiver: Fresh, cls: type | None, name: str, args: Args) -> Value:
    """A method of a fresh list, dict, set, str or the like."""
    analysis = frame.analysis
    own: Value = frozenset((receiver,))
    if name == "update" and cls in (dict, collections.OrderedDict):
        for value in args.positional:
            items.copy_fields(frame, value, own)
        for keyword, value in args.keywords.items():
            items.put(frame, own, f"[{keyword!r}]", value)
    elif name == "setdefault":
        items.put(frame, own, items.field_of(args.get(0) or NOTHING), args.get(1) or analysis.none)
        items.put(frame, own, "{}", args.get(0) or NOTHING)
    elif name in _ADDING:
        items.put(frame, own, "[]", args.joined())
    elif name in _ADDING_ALL:
        for value in args.values():
            items.put(frame, own, "[]", iteration.iterate(frame, value))
    elif name == "__setitem__":
        items.store(frame, own, args.get(0) or NOTHING, args.get(1) or NOTHING)
    library.use_up(frame, args)
    if cls is str and name in ("format", "format_map"):
        _formatted(frame, args)
    if (
        cls is dict
        and receiver.site is not None
        and name in ("items", "keys", "values", "get", "pop", "setdefault", "popitem")
    ):
        return _of_mapping(frame, receiver, name, args)
    if cls is str or cls is bytes:
        kind = facts.reading(name)
        return library.made_as(
            frame, kind if kind in ("str", "bytes", "int", "bool", "list", "tuple") else "fresh", own
        )
    if name in ("pop", "popleft", "popitem", "__getitem__", "__next__"):
        return items.elements(frame, own)
    if name == "fromkeys":
        return frame.container(cls or dict, args.get(1) or analysis.none)
    if name in (
        "copy",
        "__copy__",
        "union",
        "intersection",
        "difference",
        "symmetric_difference",
        "__add__",
        "__mul__",
    ):
        joined = items.elements(frame, own)
        for value in args.values():
            joined = analysis.pool.join(joined, items.elements(frame, value))
        made = frame.container(cls or list, joined)
        items.copy_fields(frame, own, made)
        return made
    if name in _RETURNS_ITSELF:
        return own
    return analysis.none if facts.mutating(name) else analysis.library


def _of_mapping(frame: Frame, receiver: Fresh, name: str, args: Args) -> Value:
    analysis = frame.analysis
    assert receiver.site is not None
    keys = analysis.read_field(receiver.site, "{}") or analysis.str
    values = analysis.read_items(receiver.site) or analysis.opaque
    if name == "keys":
        return frame.container(LibraryObject, keys, "view")
    if name == "values":
        return frame.container(LibraryObject, values, "view")
    if name == "items" or name == "popitem":
        site = frame.site("pair")
        analysis.write_field(site, "[0]", keys)
        analysis.write_field(site, "[1]", values)
        pair = analysis.pool.fresh(tuple, site)
        return pair if name == "popitem" else frame.container(LibraryObject, pair, "view")
    if name in _OF_SPECIAL_DICTS:
        return analysis.int
    default = args.get(1) or analysis.none
    found = items.load(frame, frozenset((receiver,)), args.get(0) or NOTHING)
    return analysis.pool.join(found, default)


def _formatted(frame: Frame, args: Args) -> None:
    """``"{}".format(...)``: replacement fields may name attributes and items."""
    for value in args.values():
        hooks.shown(frame, value)
        if not hooks.plain(value):
            hooks.run(frame, value, ("__getitem__", "__missing__"), Args([frame.analysis.str]))
            attributes.load_all(frame, value)


_LOGS = frozenset("debug info warning warn error critical exception log".split())


def _by_type(frame: Frame, receiver: Atom, cls: type, name: str, args: Args) -> Value:
    """A method of an object that outlives the call and of which the class is known."""
    own: Value = frozenset((receiver,))
    if facts.immutable(cls):
        if lookup.in_class(cls, name) is lookup.MISSING and facts.scalar(cls):
            return NOTHING
        return _read(frame, receiver, cls, name, args)
    known = facts.type_facts(cls)
    if known is not None:
        if (cls in _CONTAINERS or cls is collections.defaultdict) and lookup.in_class(cls, name) is lookup.MISSING:
            return NOTHING
        if _writes(known, name):
            if name in _LOGS and facts.is_logger(cls):
                # A record is output and leaves the logger as it was.
                frame.effect(EffectKind.OUTPUT, f"logging.Logger.{name}()")
                return frame.analysis.none
            changes.mutate(frame, own)
            return items.within(frame, own) | own if name not in ("append", "add", "write") else frame.analysis.none
        library.use_up(frame, args)
        return _read(frame, receiver, cls, name, args)
    if lookup.in_class(cls, name) is lookup.MISSING:
        stored = _held_callable(frame, receiver, name, args)
        if stored is not None:
            return stored
        if type(receiver) is Outer and not facts.in_library(lookup.module_of(cls)):
            return _by_name(frame, receiver, None, name, args)
    return _of_foreign(frame, receiver, cls, name, args)


def _held_callable(frame: Frame, receiver: Atom, name: str, args: Args) -> Value | None:
    if type(receiver) is Known:
        held = lookup.in_object(receiver.obj, name)
        if held is not lookup.MISSING:
            return frame.analysis.links.call(frame, frame.analysis.pool.known(held, receiver.origin), args)
    return None


def _writes(known: TypeFacts, name: str) -> bool:
    return name not in known.reads if known.writes is None else name in known.writes


def _read(frame: Frame, receiver: Atom, cls: type, name: str, args: Args) -> Value:
    """The result of a method that changes nothing."""
    own: Value = frozenset((receiver,))
    items.note_read(frame, own)
    if name in ("copy", "__copy__") and cls in _CONTAINERS:
        made = frame.container(cls, items.within(frame, own), "copy")
        items.copy_fields(frame, own, made)
        return made
    if type(receiver) is Known and type(receiver.obj) is dict and name in ("items", "values", "keys", "get"):
        return _of_known_mapping(frame, receiver, name, args)
    if cls is str and name in ("join", "format", "format_map"):
        library.use_up(frame, args)
        _formatted(frame, args)
    if facts.scalar(cls):
        kind = facts.reading(name) or "fresh"
        return library.made_as(frame, kind if kind not in ("item", "alias", "shell") else "fresh", own, args)
    return library.made_as(frame, facts.reading(name) or "shell", own | args.joined(), args)


def _of_known_mapping(frame: Frame, receiver: Known, name: str, args: Args) -> Value:
    """A reading method of a dict of the program."""
    pool = frame.analysis.pool
    own: Value = frozenset((receiver,))
    if name == "get":
        default = args.get(1) or frame.analysis.none
        return pool.join(items.load(frame, own, args.get(0) or NOTHING), default)
    if name == "keys":
        return frame.container(LibraryObject, frame.analysis.library, "view")
    values = items.elements(frame, own)
    if name == "values":
        return frame.container(LibraryObject, values, "view")
    site = frame.site("pair")
    frame.analysis.write_field(site, "[0]", values)
    frame.analysis.write_field(site, "[1]", values)
    return frame.container(LibraryObject, pool.fresh(tuple, site), "view")


def _by_name(frame: Frame, receiver: Atom, cls: type | None, name: str, args: Args) -> Value:
    """A method of an object that outlives the call and of which nothing is known."""
    own: Value = frozenset((receiver,))
    what = receiver.origin.what if isinstance(receiver, Outer | Known) and receiver.origin else "a value"
    if cls is ArraySlice and name in _LIST_ONLY:
        return frame.analysis.library
    kind = facts.named_effect(name)
    if kind is not None:
        frame.effect(kind, f"{what}: {name}()")
        return frame.analysis.library
    library.use_up(frame, args)
    if facts.mutating(name):
        changes.mutate(frame, own)
        return items.within(frame, own) | own
    reads = facts.reading(name) if name != "find" else "alias"  # a position in a text, or an element of a tree
    if reads is None and cls is not LibraryObject:
        frame.effect(EffectKind.UNKNOWN, f"method '{name}' of {what}")
    items.note_read(frame, own)
    return library.made_as(frame, reads or "shell", own | args.joined(), args)


def _of_foreign(frame: Frame, receiver: Atom, cls: type, name: str, args: Args) -> Value:
    """A method of a class that no table has and that is not written in Python."""
    for base in lookup.mro(cls):
        if facts.type_facts(base) is not None or lookup.in_class(base, name) is lookup.MISSING:
            continue
    kind = facts.named_effect(name)
    own: Value = frozenset((receiver,))
    if name in _RETURNS_ITSELF and type(receiver) is Fresh:
        return own
    if type(receiver) is Fresh and _inherits_only(cls, name):
        return library.shell(frame, own | args.joined())
    if kind is None and facts.mutating(name):
        changes.mutate(frame, own)
        return items.within(frame, own)
    reads = "item" if lookup.module_of(cls).startswith("xml.") else facts.reading(name)
    if kind is None and reads is None and not facts.in_library(_module_of_attribute(cls, name)):
        kind = EffectKind.UNKNOWN
    if kind is not None:
        frame.effect(kind, f"{lookup.short_name(cls)}.{name}()")
    return library.made_as(frame, reads or "shell", own | args.joined(), args)


def _inherits_only(cls: type, name: str) -> bool:
    """Whether a user's class has the method from a class in the tables."""
    return facts.in_library(_module_of_attribute(cls, name))


def _module_of_attribute(cls: type, name: str) -> str:
    for base in lookup.mro(cls):
        if lookup.in_class_dict(base, name):
            return lookup.module_of(base)
    return "?"
