"""Attribute look-up that runs none of the user's code: no property, no `__getattr__`, no metaclass."""

from __future__ import annotations

import functools
import io
import types
from collections.abc import Callable
from typing import Any

MISSING = object()
"""What a look-up returns that found nothing."""

_mro = type.__dict__["__mro__"].__get__
_class_dict: Any = type.__dict__["__dict__"].__get__
_type_name = type.__dict__["__name__"].__get__
_type_qualname = type.__dict__["__qualname__"].__get__
_type_module = type.__dict__["__module__"].__get__
_module_dict: Any = vars(types.ModuleType)["__dict__"].__get__


def mro(cls: type) -> tuple[type, ...]:
    """The classes `cls` inherits from, itself first."""
    found: tuple[type, ...] = _mro(cls)
    return found


def class_dict(cls: type) -> Any:
    """The namespace of a class itself."""
    return _class_dict(cls)


def in_class(cls: type, name: str, behind: type | None = None) -> Any:
    """What the class or a base has under `name`; with `behind`, only bases after that one count."""
    seen = behind is None
    for base in _mro(cls):
        if seen:
            found = _class_dict(base).get(name, MISSING)
            if found is not MISSING:
                return found
        elif base is behind:
            seen = True
    return MISSING


PYTHON_CODE = (types.FunctionType, types.MethodType, functools.partial, type(functools.lru_cache(lambda: None)))
"""Types of objects that call a Python function when they are called."""


def python_method(cls: type, name: str) -> types.FunctionType | None:
    """The Python function that the class has under `name`, if it is one; for a class method the function in it."""
    found = in_class(cls, name)
    if type(found) is classmethod or type(found) is staticmethod:
        found = found.__func__
    return found if type(found) is types.FunctionType else None


_RECURSION_GUARDS = frozenset(
    {"_recursive_repr.<locals>.wrapper", "recursive_repr.<locals>.decorating_function.<locals>.wrapper"}
)


def behind_recursion_guard(function: types.FunctionType) -> types.FunctionType:
    """The ``__repr__`` that `reprlib.recursive_repr` or a dataclass wrapped: what the guard notes is its own."""
    code = function.__code__
    if code.co_qualname in _RECURSION_GUARDS and function.__globals__.get("__name__") in ("dataclasses", "reprlib"):
        held = (function.__closure__ or ())[code.co_freevars.index("user_function")].cell_contents
        if type(held) is types.FunctionType:
            return held
    return function


def attributes_of(cls: type) -> Callable[[Any], dict[str, Any]]:
    """A function that finds the attributes in an object of the class; it finds none where there is no usual dict."""
    found = in_class(cls, "__dict__")
    if type(found) is not types.GetSetDescriptorType:
        return lambda obj: {}

    def attributes(obj: Any) -> dict[str, Any]:
        value = found.__get__(obj)
        if type(value) is dict:
            return value
        return dict.copy(value) if issubclass(type(value), dict) else {}

    return attributes


def instance_dict(obj: Any) -> dict[str, Any]:
    """The attributes in the object itself; empty where it has no dict of the ordinary kind."""
    return attributes_of(type(obj))(obj)


def in_object(obj: Any, name: str) -> Any:
    """What the object itself has under `name`: in its dict or in a slot."""
    found = dict.get(instance_dict(obj), name, MISSING)
    if found is MISSING:
        slot = in_class(type(obj), name)
        if type(slot) is types.MemberDescriptorType or slot is _BUFFER:
            try:
                return slot.__get__(obj)
            except (AttributeError, ValueError):  # empty, or a stream that was taken apart
                return MISSING
    return found


_BUFFER = vars(io.TextIOWrapper)["buffer"]
"""A plain field up to Python 3.13, and from 3.14 on one behind a lock."""


def in_module(module: types.ModuleType, name: str) -> Any:
    """What the module has under `name`, without its `__getattr__`."""
    return dict.get(module_dict(module), name, MISSING)


def module_dict(module: types.ModuleType) -> dict[str, Any]:
    """The namespace of a module."""
    found: dict[str, Any] = _module_dict(module)
    return found


def module_name(module: types.ModuleType) -> str:
    """The name a module has for itself."""
    name = dict.get(module_dict(module), "__name__")
    return name if type(name) is str else "?"


def class_name(cls: type) -> str:
    """The dotted name of a class."""
    return f"{module_of(cls)}.{_type_qualname(cls)}"


def in_class_dict(cls: type, name: str) -> bool:
    """Whether the class itself, not a base, has `name`."""
    return name in _class_dict(cls)


def module_of(cls: type) -> str:
    """The name of the module that a class says it is from."""
    if cls is type:
        return "builtins"  # its own __module__ is the descriptor that other classes use
    try:
        module = _type_module(cls)
    except AttributeError:
        return "?"
    return module if type(module) is str else "?"


def short_name(cls: type) -> str:
    """The name of a class without its module."""
    return str(_type_qualname(cls))


_OWN_NAMES = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.MethodWrapperType,
)


def object_name(obj: Any) -> str | None:
    """The dotted name a function or class has for itself; None where it has none that can be read safely."""
    if is_class(obj):
        return class_name(obj)
    kind = type(obj)
    if kind is types.ModuleType:
        return module_name(obj)
    if is_one_of(obj, _OWN_NAMES):
        owner = getattr(obj, "__objclass__", None)
        if owner is not None:
            return f"{class_name(owner)}.{obj.__name__}"
        own = getattr(obj, "__self__", None)
        if own is not None and is_class(own):
            return f"{class_name(own)}.{obj.__name__}"
        module = obj.__module__
        return f"{module if type(module) is str else 'builtins'}.{obj.__qualname__}"
    attributes = instance_dict(obj)
    module = attributes.get("__module__", MISSING)
    name = attributes.get("__qualname__", attributes.get("__name__", MISSING))
    if module is MISSING:
        module = _read_slot(obj, "__module__")
    if name is MISSING:
        name = _read_slot(obj, "__name__")
    return f"{module}.{name}" if type(name) is str and type(module) is str else None


def _read_slot(obj: Any, name: str) -> Any:
    """An attribute that a type written in C computes, or a plain string of the class."""
    found = in_class(type(obj), name)
    if type(found) is types.GetSetDescriptorType or type(found) is types.MemberDescriptorType:
        try:
            return found.__get__(obj)
        except AttributeError:
            return MISSING
    return found


def is_one_of(obj: Any, kinds: tuple[type, ...]) -> bool:
    """``type(obj) in kinds`` without asking a metaclass what equals what."""
    own = type(obj)
    return any(own is kind for kind in kinds)


def compares_by_identity(cls: type) -> bool:
    """Whether a class may be looked for in sets and tuples of classes: no metaclass says what it equals."""
    meta = type(cls)
    if meta is type:
        return True
    return all(type(in_class(meta, name)) is types.WrapperDescriptorType for name in ("__eq__", "__hash__"))


def is_class(obj: Any) -> bool:
    """``isinstance(obj, type)`` that does not ask the object for its `__class__`."""
    return issubclass(type(obj), type)


_C_MEMBERS = (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)


def written_in_c(cls: type) -> bool:
    """Whether a class has methods of its own that are written in C: no ``class`` statement makes such a class."""
    return any(is_one_of(member, _C_MEMBERS) and member.__objclass__ is cls for member in _class_dict(cls).values())


def proxy_part(obj: Any, name: str) -> Any:
    """An attribute of a wrapt proxy, or of an object of this package, without asking what it stands for."""
    found = in_object(obj, name)
    return _read_slot(obj, name) if found is MISSING else found
