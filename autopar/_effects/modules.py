"""Module-level names: what they stand for now, stores to them, and imports inside functions."""

from __future__ import annotations

import builtins
import sys
import types
from typing import TYPE_CHECKING, Any

from autopar._effects import facts, lookup
from autopar._effects.values import NOTHING, Args, Known, Origin, Value
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_STANDARD = frozenset(sys.stdlib_module_names)


def in_standard_library(module: str) -> bool:
    """Whether a module of that name belongs to Python itself."""
    return module.partition(".")[0] in _STANDARD


def load_global(frame: Frame, name: str) -> Value:
    """LOAD_GLOBAL: the object the name stands for, and what the analysed code stores there."""
    callee, analysis = frame.callee, frame.analysis
    key = (id(callee.global_names), name)
    found = analysis.globals.get(key)
    if found is None:
        found = analysis.globals[key] = _resolve(frame, name)
    stored = analysis.stored.get(key)
    if dict.get(callee.global_names, name, lookup.MISSING) is not lookup.MISSING or stored:
        if not in_standard_library(callee.module):
            analysis.recorder.read(callee.module, name)
        if stored is not None:
            analysis.recorder.read_content(_origin(frame, name), frame)
            return analysis.pool.join(found, stored)
    return found


def _origin(frame: Frame, name: str) -> Origin:
    module = frame.callee.module
    return frame.analysis.pool.origin(EffectKind.WRITES_SHARED, f"global '{name}'", (module, name))


def _resolve(frame: Frame, name: str) -> Value:
    pool = frame.analysis.pool
    value = dict.get(frame.callee.global_names, name, lookup.MISSING)
    if value is not lookup.MISSING:
        return pool.known(value, _origin(frame, name))
    own = dict.get(frame.callee.global_names, "__builtins__", builtins)
    if type(own) is types.ModuleType:
        own = lookup.module_dict(own)
    value = dict.get(own, name, lookup.MISSING) if type(own) is dict else lookup.MISSING
    return pool.outer(_origin(frame, name)) if value is lookup.MISSING else pool.known(value)


def store_global(frame: Frame, name: str, value: Value) -> None:
    """STORE_GLOBAL and DELETE_GLOBAL."""
    origin = _origin(frame, name)
    frame.effect(EffectKind.WRITES_GLOBAL, f"global '{name}'")
    frame.analysis.recorder.wrote(origin)
    frame.analysis.remember(id(frame.callee.global_names), name, value)


def load_attribute(frame: Frame, atom: Known, name: str) -> Value:
    """An attribute of a module."""
    module: types.ModuleType = atom.obj
    pool = frame.analysis.pool
    own = lookup.module_name(module)
    dotted = f"{own}.{name}"
    if name == "__dict__":
        space = pool.origin(EffectKind.WRITES_GLOBAL, f"globals() of {own}", (own, "*"))
        return pool.known(lookup.module_dict(module), space)
    if not in_standard_library(own) and not in_standard_library(frame.callee.module):
        frame.analysis.recorder.read(own, name)
    value = lookup.in_module(module, name)
    stored = frame.analysis.stored.get((id(module), name), NOTHING)
    if value is lookup.MISSING:
        value = dict.get(sys.modules, dotted, lookup.MISSING)
        if value is lookup.MISSING:
            getter = lookup.in_module(module, "__getattr__")
            if type(getter) is types.FunctionType and not facts.in_library(own):
                made = frame.analysis.follow(frame.analysis.callee(getter), Args([frame.analysis.str]), frame)
                return pool.join(made, stored)
            return pool.join(pool.dotted(dotted), stored)
    origin = pool.origin(EffectKind.WRITES_SHARED, dotted, (own, name), dotted)
    if stored:
        frame.analysis.recorder.read_content(origin, frame)
    return pool.join(pool.known(value, origin), stored)


def store_attribute(frame: Frame, atom: Known, name: str, value: Value | None) -> None:
    """Rebinding a name of a module from outside."""
    own = lookup.module_name(atom.obj)
    kind = EffectKind.PROCESS_STATE if in_standard_library(own) else EffectKind.WRITES_GLOBAL
    frame.effect(kind, f"{own}.{name}")
    origin = frame.analysis.pool.origin(EffectKind.WRITES_SHARED, f"{own}.{name}", (own, name), f"{own}.{name}")
    frame.analysis.recorder.wrote(origin)
    frame.analysis.remember(id(atom.obj), name, value or NOTHING)


def import_name(frame: Frame, name: str, level: Value, names: Value) -> Value:
    """IMPORT_NAME: the module if it is loaded already, else its name alone."""
    steps = _constant(level)
    if type(steps) is int and steps > 0:
        package = dict.get(frame.callee.global_names, "__package__") or frame.callee.module
        parts = str(package).split(".")
        parts = parts[: len(parts) - steps + 1]
        name = ".".join([*parts, name] if name else parts)
    if _constant(names) is None:
        name = name.partition(".")[0]
    return module_value(frame, name)


def module_value(frame: Frame, name: str) -> Value:
    """A module by name."""
    pool = frame.analysis.pool
    module: Any = dict.get(sys.modules, name)
    if module is None:
        return pool.dotted(name)
    return pool.known(module, pool.origin(EffectKind.WRITES_SHARED, f"module {name}", None, name))


def _constant(value: Value) -> Any:
    for atom in value:
        if type(atom) is Known:
            return atom.obj
    return None
