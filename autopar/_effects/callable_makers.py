"""Partials, getters and decorators: callables that stand for others."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

from autopar._effects import attributes, hooks, items, local_classes, lookup
from autopar._effects.special import SPECIAL, first, handles, strings
from autopar._effects.values import NOTHING, Args, Atom, Fresh, Function, Known, LibraryObject, Site, Value
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


def _call(frame: Frame, called: Value, args: Args) -> Value:
    return frame.analysis.links.call(frame, called, args)


@handles("functools.partial", "functools.partialmethod")
def _partial(frame: Frame, args: Args) -> Value:
    site = frame.site("partial")
    analysis = frame.analysis
    analysis.write_field(site, "partial", first(args))
    for index, value in enumerate(args.positional[1:]):
        analysis.write_field(site, f"[{index}]", value)
    for name, value in args.keywords.items():
        analysis.write_field(site, f"['{name}']", value)
    return analysis.pool.fresh(functools.partial, site)


def _make_getter(cls: type, frame: Frame, args: Args) -> Value:
    return frame.display(cls, {f"[{index}]": value for index, value in enumerate(args.positional)})


for _getter in (operator.itemgetter, operator.attrgetter, operator.methodcaller):
    SPECIAL[f"operator.{_getter.__name__}"] = functools.partial(_make_getter, _getter)


def call_getter(frame: Frame, atom: Atom, cls: type, args: Args) -> Value:
    """A call of what `operator.itemgetter`, `attrgetter` or `methodcaller` made."""
    analysis = frame.analysis
    names = None
    if cls is operator.itemgetter:
        hooks.run(frame, first(args), ("__getitem__",), Args([frame.analysis.library]))
    if type(atom) is Fresh and atom.site is not None:
        names = strings(analysis.read_field(atom.site, "[0]"))
    given = first(args)
    if cls is operator.itemgetter:
        return items.elements(frame, given) | frame.container(tuple, items.elements(frame, given), "items")
    if names is None:
        if cls is operator.methodcaller:
            frame.effect(EffectKind.UNKNOWN, "a method of a name held by operator.methodcaller")
        return items.elements(frame, given) | analysis.library
    found = NOTHING
    for name in names:
        parts = name.split(".")
        value = given
        for part in parts:
            value = attributes.load(frame, value, part)
        found = found | value
    if cls is operator.methodcaller:
        rest: list[Value] = []
        while type(atom) is Fresh and atom.site is not None and f"[{len(rest) + 1}]" in atom.site.fields:
            rest.append(analysis.read_field(atom.site, f"[{len(rest) + 1}]"))
        return _call(frame, found, Args(rest))
    return found | frame.container(tuple, found, "attributes")


def call_partial(frame: Frame, site: Site, args: Args) -> Value:
    """A call of a `functools.partial` made during the call."""
    analysis = frame.analysis
    stored: list[Value] = []
    while f"[{len(stored)}]" in site.fields:
        stored.append(analysis.read_field(site, f"[{len(stored)}]"))
    named = {name[2:-2]: analysis.read_field(site, name) for name in list(site.fields) if name.startswith("['")}
    called = analysis.read_field(site, "partial")
    if site in analysis.calling:  # a partial of itself
        return NOTHING
    analysis.calling.add(site)
    try:
        return _call(
            frame, called, Args([*stored, *args.positional], {**named, **args.keywords}, args.star, args.kwstar)
        )
    finally:
        analysis.calling.discard(site)


@handles(
    *"""functools.wraps functools.lru_cache functools.total_ordering functools.cache functools.cmp_to_key
    functools.update_wrapper dataclasses.dataclass contextlib.contextmanager contextlib.asynccontextmanager
    abc.abstractmethod typing.overload typing.final
    typing.no_type_check""".split()
)
def _decorate(frame: Frame, args: Args) -> Value:
    """A decorator that gives back something that calls its argument: the argument stands for it."""
    given = first(args)
    made = frozenset(atom for atom in given if type(atom) is Function or (type(atom) is Fresh and atom.type is type))
    known = frozenset(atom for atom in given if type(atom) is Known and callable_known(atom))
    return (made | known) or frame.container(LibraryObject, NOTHING, "decorator")


def callable_known(atom: Known) -> bool:
    """Whether a known object is a function or class."""
    return lookup.is_class(atom.obj) or type(atom.obj) is type(callable_known)


def _descriptor(kind: type, frame: Frame, args: Args) -> Value:
    """Looked up through an object, it gives what its function gives, or the function."""
    site = frame.site(kind)
    for field, value in zip(("func", "setter", "deleter"), args.positional, strict=False):
        frame.analysis.write_field(site, field, value)
    return frame.analysis.pool.fresh(kind, site)


for _kind in local_classes.DESCRIPTORS:
    SPECIAL[f"{_kind.__module__}.{_kind.__name__}"] = functools.partial(_descriptor, _kind)


@handles("types.MethodType", "builtins.method")
def _method(frame: Frame, args: Args) -> Value:
    """``types.MethodType(function, object)``: a partial of the function."""
    return _partial(frame, args)
