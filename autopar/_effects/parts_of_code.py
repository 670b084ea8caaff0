"""Attributes of functions, methods, properties and partials: what they are made of."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from autopar._effects.values import Bound, Known, Value
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
