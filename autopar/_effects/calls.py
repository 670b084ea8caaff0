"""Calls: what each thing that is called may be, and where the call goes."""

from __future__ import annotations

import functools
import operator
import types
import weakref
from typing import TYPE_CHECKING, Any

from autopar._effects import (
    builtin_calls,
    callable_makers,
    construct,
    facts,
    items,
    library,
    local_classes,
    lookup,
    methods,
    object_calls,
)
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

RULES = (builtin_calls, callable_makers, object_calls)
"""Importing these fills the table of library callables with rules of their own."""

_Lru = type(functools.lru_cache(lambda: None))
_HOLD_CODE = frozenset(
    {
        types.FunctionType,
        types.BuiltinFunctionType,
        types.MethodType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        types.MethodWrapperType,
        functools.partial,
        staticmethod,
        classmethod,
        _Lru,
    }
)
_NOT_CALLABLE = frozenset(
    {int, float, complex, bool, str, bytes, tuple, list, dict, set, frozenset, type(None), range, slice, type(...)}
)


def call(frame: Frame, called: Value, args: Args) -> Value:
    """CALL: the results of all that may be called."""
    found = NOTHING
    for atom in called:
        found = frame.analysis.pool.join(found, call_atom(frame, atom, args))
    return found


def call_atom(frame: Frame, atom: Atom, args: Args) -> Value:
    """The result of calling one thing."""
    analysis = frame.analysis
    if type(atom) is Function:
        return analysis.follow(atom.callee, args, frame)
    if type(atom) is Bound:
        return analysis.follow(atom.callee, args.behind(frozenset((atom.receiver,))), frame)
    if type(atom) is Method:
        return methods.call_method(frame, atom.receiver, atom.name, args)
    if type(atom) is Known:
        return _call_known(frame, atom, args)
    if type(atom) is Dotted:
        found = library.call(frame, atom.name, args)
        return _unseen(frame, f"{atom.name}(), not imported yet", args) if found is None else found
    cls = type_of(atom)
    if cls in _NOT_CALLABLE:
        return NOTHING
    space = local_classes.namespace_of(atom)
    if space is not None and local_classes.member(frame, space, "__call__"):
        return local_classes.call_method(frame, space, atom, "__call__", args)
    if type(atom) is Fresh and atom.site is not None:
        if atom.site.namespace is not None and atom.type is type:
            return construct.local_instance(frame, atom, args)
        if "partial" in atom.site.fields:
            return callable_makers.call_partial(frame, atom.site, args)
    if cls is not None and cls is not LibraryObject and not _runs_other_code(cls):
        function = items.followable(frame, cls, "__call__")
        if function is not None:
            return items.follow_method(frame, function, atom, args)
        if facts.in_library(lookup.module_of(cls)):
            if cls in (operator.itemgetter, operator.attrgetter, operator.methodcaller):
                return callable_makers.call_getter(frame, atom, cls, args)
            held = items.within(frame, frozenset((atom,))) if type(atom) is Fresh and atom.site is not None else NOTHING
            return (library.call(frame, f"{lookup.class_name(cls)}.__call__", args) or NOTHING) | held
    if cls is LibraryObject:
        return library.shell(frame, args.joined() | frozenset((atom,)))
    if type(atom) is Outer:
        return _unseen(frame, f"calls {atom.origin.what}", args)
    return _unseen(frame, "calls a value that is not known", args)


def _runs_other_code(cls: type) -> bool:
    """Whether calling an object of that class runs code that its class does not tell."""
    return cls in _HOLD_CODE or issubclass(cls, type)


def _unseen(frame: Frame, what: str, args: Args) -> Value:
    frame.effect(EffectKind.UNKNOWN, what)
    for atom in args.joined():
        if type(atom) is Function:
            frame.analysis.follow(atom.callee, Args(star=frame.analysis.library), frame)
    return library.shell(frame, args.joined())


def _call_known(frame: Frame, atom: Known, args: Args) -> Value:
    obj, analysis = atom.obj, frame.analysis
    kind = type(obj)
    if kind is types.FunctionType:
        return _call_function(frame, atom, obj, args)
    if lookup.is_class(obj):
        return construct.construct(frame, atom, args)
    if kind is types.MethodType:
        if methods.shared_stream(obj.__self__) is not None:
            return methods.call_bound(frame, atom, obj.__self__, obj.__func__.__name__, args)
        receiver = next(iter(analysis.pool.known(obj.__self__, atom.origin)))
        if type(obj.__func__) is types.FunctionType:
            if items.walks(frame, obj.__func__, receiver, type(obj.__self__)):
                return analysis.follow(analysis.callee(obj.__func__), args.behind(frozenset((receiver,))), frame)
            return methods.call_method(frame, receiver, obj.__func__.__name__, args)
        name = lookup.proxy_part(obj.__func__, "__name__")
        if type(name) is str and not lookup.is_class(obj.__func__):
            return methods.call_method(frame, receiver, name, args)
        return _unseen(frame, "calls a bound object", args)
    if kind is types.BuiltinFunctionType or kind is types.MethodWrapperType:
        own = obj.__self__
        if own is not None and type(own) is not types.ModuleType and not lookup.is_class(own):
            return methods.call_bound(frame, atom, own, obj.__name__, args)
    if kind in (types.MethodDescriptorType, types.WrapperDescriptorType):
        return _call_unbound(frame, obj, args)
    if kind is weakref.ReferenceType:
        return analysis.pool.known(obj(), atom.origin) | analysis.none
    if kind is functools.partial:
        stored = Args(
            [*(analysis.pool.known(a, atom.origin) for a in obj.args), *args.positional],
            {**{k: analysis.pool.known(v, atom.origin) for k, v in obj.keywords.items()}, **args.keywords},
            args.star,
            args.kwstar,
        )
        return call(frame, analysis.pool.known(obj.func, atom.origin), stored)
    if kind is _Lru:
        wrapped = lookup.in_object(obj, "__wrapped__")
        name = lookup.object_name(wrapped) or "a function"
        frame.effect(EffectKind.WRITES_SHARED, f"the cache of {name.rpartition('.')[2]}")
        return call(frame, analysis.pool.known(wrapped, atom.origin), args)
    if kind in _NOT_CALLABLE:
        return NOTHING
    if kind in (operator.itemgetter, operator.attrgetter, operator.methodcaller):
        return callable_makers.call_getter(frame, atom, kind, args)
    return _call_object(frame, atom, args)


def _call_object(frame: Frame, atom: Known, args: Args) -> Value:
    """A callable that is neither function nor class."""
    obj, analysis = atom.obj, frame.analysis
    kind = type(obj)
    inner = transparent(obj)
    if inner is not lookup.MISSING:
        wrapper = lookup.proxy_part(obj, "_self_wrapper")
        if wrapper is lookup.MISSING:
            return call(frame, analysis.pool.known(inner, atom.origin), args)
        packed = frame.display(tuple, {f"[{i}]": v for i, v in enumerate(args.positional)})
        named = frame.container(dict, NOTHING.union(*args.keywords.values()), "kwargs")
        passed = Args([analysis.pool.known(inner, atom.origin), analysis.none, packed, named])
        return call(frame, analysis.pool.known(wrapper, atom.origin), passed)
    function = items.followable(frame, kind, "__call__")
    if function is not None:
        return items.follow_method(frame, function, atom, args)
    for name in (atom.origin.dotted if atom.origin else None, lookup.object_name(obj), lookup.class_name(kind)):
        found = library.call(frame, name, args, obj) if name else None
        if found is not None:
            return found
    return _unseen(frame, _called(atom, lookup.class_name(kind)), args)


def _called(atom: Known, fallback: str) -> str:
    return f"calls {atom.origin.what if atom.origin else fallback}"


def transparent(obj: Any) -> Any:
    """What a wrapt proxy or a decorated function of this package stands for; MISSING for anything else."""
    for base in lookup.mro(type(obj)):
        head = lookup.module_of(base).partition(".")[0]
        if (
            head in ("wrapt", "autopar", "_wrappers")
            and lookup.class_name(base).rpartition(".")[2] != "LazyObjectProxy"
        ):
            inner = lookup.proxy_part(obj, "__wrapped__")
            if inner is not lookup.MISSING:
                return inner
    return lookup.MISSING


def _call_function(frame: Frame, atom: Known, function: types.FunctionType, args: Args) -> Value:
    analysis = frame.analysis
    module = str(function.__globals__.get("__name__", "?"))
    if facts.in_tables(function):
        names = [f"{module}.{function.__qualname__}"]
        if atom.origin is not None and atom.origin.dotted is not None:
            names.insert(0, atom.origin.dotted)
        exact = any(facts.stated(name) for name in names)
        if exact or module.partition(".")[0] not in analysis.own_modules:
            dispatched = library.single_dispatch(frame, function, args)
            if dispatched is not None:
                return dispatched
            for name in names:
                found = library.call(frame, name, args, function)
                if found is not None:
                    return found
    return analysis.follow(analysis.callee(function), args, frame)


def _call_unbound(frame: Frame, descriptor: Any, args: Args) -> Value:
    """``str.lower(x)``, ``object.__setattr__(self, name, value)``."""
    owner, name = descriptor.__objclass__, descriptor.__name__
    if owner is object or owner is type:
        found = object_calls.of_object(frame, name, args)
        if found is not None:
            return found
    if not args.positional:
        return library.shell(frame, args.joined())
    rest = Args(args.positional[1:], args.keywords, args.star, args.kwstar)
    result = NOTHING
    for receiver in args.positional[0]:
        if type_of(receiver) is None and type(receiver) is Outer:
            receiver = next(iter(frame.analysis.pool.outer(receiver.origin, owner)))
        result = frame.analysis.pool.join(result, methods.call_method(frame, receiver, name, rest))
    return result


def make_super(frame: Frame, cls: Value, receiver: Value) -> Value:
    """``super(cls, receiver)``."""
    found = NOTHING
    for one in cls:
        for other in receiver:
            if type(one) is Known and lookup.is_class(one.obj):
                found = found | frame.analysis.pool.super_(one.obj, other)
            elif type(one) is Fresh and one.site is not None and one.site.namespace is not None:
                bases = frame.analysis.read_field(one.site.namespace, "bases")
                found = found | frame.analysis.pool.super_(object, other, bases | frame.analysis.pool.known(object))
            else:
                found = found | {other}
    return found


def raised(frame: Frame, value: Value) -> None:
    """RAISE_VARARGS: a class that is raised is called; what is raised may be caught anywhere."""
    for atom in value:
        if type(atom) is Known and lookup.is_class(atom.obj):
            value = value | construct.construct(frame, atom, Args())
    caught = frozenset(atom for atom in value if type(atom) is Fresh or type(atom) is Outer)
    frame.analysis.write_field(frame.analysis.exceptions, "[]", caught)
