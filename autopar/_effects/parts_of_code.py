"""Attributes of functions, methods, properties and partials: what they are made of."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import lookup
from autopar._effects.values import NOTHING, Atom, Bound, Known, Origin, Value
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

NAMES = frozenset({"__self__", "__func__", "__globals__", "__wrapped__", "func", "fget", "fset", "fdel"})


def load(frame: Frame, atom: Known | Bound, name: str) -> Value | None:
    """What a known function, method, property or partial is made of; None where it is nothing of the kind."""
    obj = atom.obj if type(atom) is Known else None
    kind = type(obj)
    if kind is types.FunctionType and name == "__globals__":
        return globals_of(frame, obj.__globals__)  # type: ignore[union-attr]
    if (
        (kind is types.MethodType and name in ("__self__", "__func__"))
        or (kind is property and name in ("fget", "fset", "fdel"))
        or (kind is functools.partial and name == "func")
        or (kind is functools.cached_property and name == "func")
    ):
        origin = atom.origin if type(atom) is Known else None
        return frame.analysis.pool.known(getattr(obj, name), origin)
    return None


def globals_of(frame: Frame, names: dict[str, Any]) -> Value:
    """The namespace of a function's module."""
    module = str(dict.get(names, "__name__", "?"))
    origin = frame.analysis.pool.origin(EffectKind.WRITES_GLOBAL, f"globals() of {module}", (module, "*"))
    return frame.analysis.pool.known(names, origin)


def dispatching(frame: Frame, atom: Atom, origin: Origin, name: str, found: Any) -> Value:
    """A method that `functools.singledispatchmethod` or `partialmethod` made: a call of any that it stands for."""
    analysis = frame.analysis
    attributes = lookup.instance_dict(found)
    if type(found) is functools.partialmethod:
        site = frame.site(("partial method", name))
        given = [frozenset((atom,)), *(analysis.pool.known(value, origin) for value in attributes["args"])]
        for index, value in enumerate(given):
            analysis.write_field(site, f"[{index}]", value)
        for key, value in attributes["keywords"].items():
            analysis.write_field(site, f"['{key}']", analysis.pool.known(value, origin))
        analysis.write_field(site, "partial", analysis.pool.known(attributes["func"], origin))
        return analysis.pool.fresh(functools.partial, site)
    registry = lookup.instance_dict(attributes["dispatcher"]).get("registry", {})
    bound = NOTHING
    for function in list(registry.values()):
        if type(function) is types.FunctionType:
            bound = bound | analysis.pool.bound(analysis.callee(function), atom)
    return bound
