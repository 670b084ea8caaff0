"""From a call as it was written to one value for each parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from autopar._kernel.types import Type, type_of

_VARIABLE = 0x04 | 0x08
"""Flags of code that takes ``*args`` or ``**kwargs``."""


def bind(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The values of a Python function's parameters in order, or None if the call does not fit it.

    Defaults are those that the function has now.

    Examples
    --------
    >>> bind(lambda a, b=2, *, c=3: None, (1,), {"c": 5})
    (1, 2, 5)
    """
    if type(function) is not FunctionType or function.__code__.co_flags & _VARIABLE:
        return None
    code = function.__code__
    positional, total = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    if len(args) > positional:
        return None
    names = code.co_varnames[:total]
    found: dict[str, Any] = dict(zip(names, args, strict=False))
    by_name = names[code.co_posonlyargcount :]
    for name, value in kwargs.items():
        if name in found or name not in by_name:
            return None
        found[name] = value
    defaults = function.__defaults__ or ()
    for name, value in zip(names[positional - len(defaults) : positional], defaults, strict=True):
        found.setdefault(name, value)
    for name, value in (function.__kwdefaults__ or {}).items():
        if name in names[positional:]:
            found.setdefault(name, value)
    return tuple([found[name] for name in names]) if len(found) == total else None


def as_call(function: Callable[..., Any], bound: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The values of all parameters as a call: those to be passed by position, and those by name.

    Examples
    --------
    >>> as_call(lambda a, b=2, *, c=3: None, (1, 2, 5))
    ((1, 2), {'c': 5})
    """
    code = function.__code__
    first, total = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    return bound[:first], dict(zip(code.co_varnames[first:total], bound[first:], strict=True))


def signature_of(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Type, ...] | None:
    """The types of a call's parameters, or None if native code takes no such call."""
    values = bind(function, args, kwargs)
    return None if values is None else types_of(values)


def types_of(values: tuple[Any, ...]) -> tuple[Type, ...] | None:
    """The types of values, or None if native code does not take one of them."""
    kinds: list[Type] = []
    for value in values:
        kind = type_of(value)
        if kind is None:
            return None
        kinds.append(kind)
    return tuple(kinds)
