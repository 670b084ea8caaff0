"""Calls of library callables, as the tables say."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import array_work, changes, facts, hooks, items, iteration, lookup
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
    Outer,
    Value,
    type_of,
)
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_TYPES: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "complex": complex,
    "bytes": bytes,
    "bool": bool,
}
_LOOKS_ONLY = frozenset(
    f"builtins.{name}"
    for name in [
        "isinstance",
        "issubclass",
        "id",
        "type",
        "len",
        "repr",
        "str",
        "hash",
        "callable",
        "hasattr",
        "iter",
        "print",
    ]
)


def call(frame: Frame, name: str, args: Args, obj: Any = None) -> Value | None:
    """The result of calling a library callable; None if the tables do not have it."""
    name = facts.canonical(name)
    known, kind = facts.effect_of(name)
    if not known:
        return None
    frame.analysis.recorder.called(name)
    array_work.note_call(frame, name, args)
    special = frame.analysis.links.special.get(name)
    if special is not None:
        return special(frame, args)
    if kind is not None:
        frame.effect(kind, f"{name.removeprefix('builtins.')}()")
    for position in facts.writes_of(name):
        changed = args.get(position) if type(position) is int else args.keywords.get(str(position))
        if changed is not None:
            changes.mutate(frame, changed)
            hooks.run(frame, changed, ("write", "read", "readline"), Args(star=frame.analysis.str))
    change_in_place(frame, name, args)
    if name.startswith("numpy."):
        changes.mutate(frame, args.keywords.get("out", NOTHING))
    elif name not in _LOOKS_ONLY:
        use_up(frame, args)
        if not name.startswith(_ASKS_NOTHING) and not _is_error(obj):
            for value in args.values():
                hooks.handed_over(frame, value)
    returned = run_callbacks(frame, name, args)
    if facts.result_of(name) == "shared":
        pool = frame.analysis.pool
        return pool.outer(pool.origin(kind or EffectKind.WRITES_SHARED, f"{name}()"), LibraryObject)
    return result(frame, name, args, obj, returned)


def change_in_place(frame: Frame, name: str, args: Args) -> None:
    """What ``+=`` and the like in the callable's own code do to arguments of types that can be changed so."""
    for position in facts.in_place_of(name):
        given = args.get(position) if type(position) is int else args.keywords.get(str(position))
        if given is not None:
            changes.mutate(frame, given)
            hooks.run(frame, given, hooks.IN_PLACE, Args(star=frame.analysis.library))


_ASKS_NOTHING = ("weakref.", "typing.", "threading.", "asyncio.", "concurrent.", "contextlib.", "types.", "queue.")


def _is_error(obj: Any) -> bool:
    return lookup.is_class(obj) and BaseException in lookup.mro(obj)


def result(frame: Frame, name: str, args: Args, obj: Any, returned: Value) -> Value:
    """What the call gives, by the table of results."""
    if lookup.is_class(obj):
        wanted = facts.result_of(name)
        through = name in facts.WRAPPERS
        content = NOTHING if wanted == "fresh" and not through else carried(frame, args.joined()) | returned
        made = nest(frame.container(obj, content))
        if name == "contextlib._GeneratorContextManager":
            items.put(frame, made, "enter", items.within(frame, returned))
        if through:
            _hand_through(frame, made, content)
        return made
    kind = "shell" if name in facts.WRAPPERS else facts.result_of(name)
    made = made_as(frame, kind, args.joined(), args) | returned
    if name in facts.WRAPPERS:
        _hand_through(frame, made, carried(frame, args.joined()))
    return made


def _hand_through(frame: Frame, value: Value, wrapped: Value) -> None:
    """Changes of `value` are changes of what it wraps."""
    items.put(frame, value, "wrapped", wrapped)
    for atom in value:
        if type(atom) is Fresh and atom.site is not None:
            atom.site.through = True


def made_as(frame: Frame, kind: str, source: Value, args: Args | None = None) -> Value:
    """A result of a kind that the tables name, made of `source`."""
    analysis = frame.analysis
    if kind in _TYPES:
        return analysis.pool.fresh(_TYPES[kind])
    if "." in kind:
        return frame.container(_loaded_class(kind) or LibraryObject, NOTHING, "made")
    if kind == "list" or kind == "tuple":
        return frame.container(list if kind == "list" else tuple, analysis.str, "made")
    if kind == "fresh":
        return frame.container(LibraryObject, NOTHING, "made")
    if kind == "array":
        return _array(frame, args)
    if kind == "opaque":
        return analysis.opaque
    if kind == "item":
        return items.elements(frame, source) | analysis.library
    if kind == "alias":
        return untyped(frame, source) | analysis.library
    if kind == "same" and args is not None:
        return args.get(0) or analysis.library
    if kind == "second" and args is not None:
        return args.get(1) or analysis.library
    return shell(frame, source)


def _loaded_class(name: str) -> type | None:
    """A class of the library by its dotted name, if its module is loaded."""
    module, _, rest = name.rpartition(".")
    found = lookup.in_module(sys.modules[module], rest) if module in sys.modules else None
    return found if lookup.is_class(found) else None


def _array(frame: Frame, args: Args | None) -> Value:
    """A new NumPy array: what is stored in it is copied, unless it holds objects."""
    module = sys.modules.get("numpy")
    cls: Any = lookup.in_module(module, "ndarray") if module is not None else lookup.MISSING
    if module is None:
        return frame.analysis.library
    if not lookup.is_class(cls) or (args is not None and "dtype" in args.keywords):
        return frame.container(LibraryObject, NOTHING, "made")
    return frame.analysis.pool.fresh(cls)


def untyped(frame: Frame, value: Value) -> Value:
    """The same objects, perhaps seen as something else."""
    found = NOTHING
    for atom in value:
        if (type(atom) is Outer or type(atom) is Known) and atom.origin is not None:
            if not facts.scalar(type_of(atom)):
                found = found | frame.analysis.pool.outer(atom.origin)
        elif type(atom) is Fresh and atom.site is not None:
            found = found | {atom}
    return found


def shell(frame: Frame, source: Value) -> Value:
    """A new object of the library that may hold `source`."""
    return nest(frame.container(LibraryObject, carried(frame, source), "shell"))


def nest(value: Value) -> Value:
    """Note that it is not known how deep in its objects lies what was put into them."""
    for atom in value:
        if type(atom) is Fresh and atom.site is not None:
            atom.site.nested = True
    return value


def carried(frame: Frame, value: Value) -> Value:
    """The objects and their members, without those that nothing can happen to."""
    found = NOTHING
    for atom in value:
        if type(atom) is Known and (atom.origin is None or facts.scalar(type(atom.obj))):
            if not _is_called(atom):
                continue
        elif type(atom) is Outer and facts.scalar(atom.type):
            continue
        elif type(atom) is Fresh:
            if atom.site is None or not atom.site.fields:
                if items.may_have_methods(frame, atom):
                    found = found | {atom}
                continue
            found = frame.analysis.pool.join(found, items.elements(frame, frozenset((atom,))))
        elif type(atom) is Method:
            atom_value = items.elements(frame, frozenset((atom.receiver,)))
            found = frame.analysis.pool.join(found, atom_value)
            continue
        elif type(atom) is Dotted:
            continue
        found = frame.analysis.pool.join(found, frozenset((atom,)))
    return found


def _is_called(atom: Atom) -> bool:
    return type(atom) is Known and type(atom.obj) in (types.FunctionType, types.MethodType)


def use_up(frame: Frame, args: Args) -> None:
    """Iterators and files of the program that are handed to a library function are taken to be consumed."""
    for value in args.values():
        for atom in value:
            if type(atom) is Known or type(atom) is Outer:
                if facts.used_up(type_of(atom)):
                    changes.mutate(frame, frozenset((atom,)))
            elif type(atom) is Fresh and atom.site is not None and atom.site.through:
                changes.mutate(frame, frozenset((atom,)))
            cls = type_of(atom)
            if cls is None or type(atom) is Bound or type(atom) is Function:
                continue
            if any(items.followable(frame, cls, name) for name in ("__iter__", "__next__")):
                iteration.iterate(frame, frozenset((atom,)))


def run_callbacks(frame: Frame, name: str, args: Args) -> Value:
    """Call what the library callable calls; returns what those calls return."""
    returned = NOTHING
    positions = facts.callbacks_of(name)
    handed: list[Value] = []
    for position, value in enumerate(args.positional):
        handed.append(_callable_part(value, position in positions))
    for keyword, value in args.keywords.items():
        handed.append(_callable_part(value, keyword in positions))
    if args.star is not None:
        handed.append(_callable_part(args.star, False))
    if not any(handed):
        return NOTHING
    others = NOTHING
    for value in args.values():
        others = others | items.elements(frame, value)
        if not name.startswith(("builtins.", "itertools.", "heapq.", "bisect.")):
            others = others | carried(frame, value)
    passed = Args(star=others or frame.analysis.library)
    for value in handed:
        if value:
            returned = returned | frame.analysis.links.call(frame, value, passed)
    if "cls" in positions:  # objects of that class do the work
        for atom in returned:
            cls = type_of(atom)
            if cls is not None:
                items.own_methods(frame, atom, cls, "encode", passed)
                items.own_methods(frame, atom, cls, "decode", passed)
    return returned


def _callable_part(value: Value, is_callback: bool) -> Value:
    """What of an argument the callee calls."""
    if is_callback:
        return frozenset(atom for atom in value if not (type(atom) is Known and atom.obj is None))
    return frozenset(atom for atom in value if _surely_called(atom))


def _surely_called(atom: Atom) -> bool:
    """Whether an argument is something that is there to be called."""
    if type(atom) is Function or type(atom) is Bound or (_is_called(atom) and _user(atom)):
        return True
    if type(atom) is Method:
        cls = type_of(atom.receiver)
        if cls is None or cls is LibraryObject:
            return facts.mutating(atom.name)
        return type(lookup.in_class(cls, atom.name)) is types.MethodDescriptorType
    if type(atom) is Known and type(atom.obj) is types.BuiltinFunctionType:
        own = atom.obj.__self__
        return own is not None and type(own) is not types.ModuleType and not lookup.is_class(own)
    return False


def _user(atom: Atom) -> bool:
    function = atom.obj  # type: ignore[attr-defined]
    if type(function) is types.MethodType:
        function = function.__func__
    return type(function) is types.FunctionType and not facts.in_tables(function)


def single_dispatch(frame: Frame, function: types.FunctionType, args: Args) -> Value | None:
    """A call of a `functools.singledispatch` function: any of its implementations; None for other functions."""
    if function.__code__.co_name != "wrapper" or function.__globals__.get("__name__") != "functools":
        return None
    registry = function.__dict__.get("registry")
    if type(registry) is not types.MappingProxyType:
        return None
    found = NOTHING
    for implementation in list(registry.values()):
        found = found | frame.analysis.links.call(frame, frame.analysis.pool.known(implementation), args)
    return found
