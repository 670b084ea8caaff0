"""How context variables cross to a worker process: by the name under which a module holds them, with their value.

A `ContextVar` does not pickle, and it does not know who holds it. Its holder is looked for once among the attributes of
loaded modules and of their classes. A variable of `__main__`, or one that only a closure holds, travels with whatever
refers to it and becomes one and the same new variable in each worker.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from collections.abc import Iterator
from contextvars import Context, ContextVar, copy_context
from types import ModuleType
from typing import Any

Holder = tuple[str, str]
"""Module and dotted attribute."""

_NOT_OURS = ("autopar", "decimal", "_pydecimal", "warnings", "_py_warnings", "__main__", "__mp_main__")
"""Modules whose variables are set in another way, or would be another module's in a worker."""

_holders: dict[int, tuple[ContextVar[Any], Holder | None]] = {}
_tokens: dict[int, tuple[ContextVar[Any], str]] = {}
_by_token: dict[str, ContextVar[Any]] = {}
_numbers = itertools.count(1)
_in_worker = False


def receive() -> None:
    """From now on variables that arrive bring their values along; called once, in a worker process."""
    global _in_worker
    _in_worker = True


def holder_of(variable: ContextVar[Any]) -> Holder | None:
    """Where another process finds this variable after importing a module, or None."""
    known = _holders.get(id(variable))
    if known is None:
        # Kept alive by being remembered, so that its id stays its own.
        known = _holders[id(variable)] = variable, None if _is_decimals(variable) else _find(variable)
    return known[1]


def find(holder: Holder) -> ContextVar[Any]:
    """The variable that a module holds."""
    found: Any = importlib.import_module(holder[0])
    for name in holder[1].split("."):
        found = getattr(found, name)
    if not isinstance(found, ContextVar):
        raise LookupError(f"{holder[0]}.{holder[1]} is no context variable in this process")
    return found


def reduce_variable(variable: Any) -> Any:
    """What pickle needs; the value must pickle too, since whoever refers to the variable reads it."""
    if type(variable) is not ContextVar:
        return NotImplemented
    value = (variable.get(),) if variable in copy_context() else ()
    holder = holder_of(variable)
    if holder is not None:
        return _arrived, (holder, value)
    return _made, (_token(variable), variable.name, Context().run(_default_of, variable), value)


def _default_of(variable: ContextVar[Any]) -> tuple[Any, ...]:
    try:
        return (variable.get(),)
    except LookupError:
        return ()


def _arrived(holder: Holder, value: tuple[Any, ...]) -> ContextVar[Any]:
    return _set(find(holder), value)


def _made(token: str, name: str, default: tuple[Any, ...], value: tuple[Any, ...]) -> ContextVar[Any]:
    variable = _by_token.get(token)
    if variable is None:
        variable = ContextVar(name, default=default[0]) if default else ContextVar(name)
        _tokens[id(variable)] = variable, token
        _by_token[token] = variable
    return _set(variable, value)


def _set(variable: ContextVar[Any], value: tuple[Any, ...]) -> ContextVar[Any]:
    """Only a worker takes the value over: what a result refers to must not change the caller's context."""
    if _in_worker and value:
        variable.set(value[0])
    return variable


def _token(variable: ContextVar[Any]) -> str:
    known = _tokens.get(id(variable))
    if known is None:
        known = _tokens[id(variable)] = variable, f"{os.getpid()}:{next(_numbers)}"
        _by_token[known[1]] = variable
    return known[1]


def _is_decimals(variable: ContextVar[Any]) -> bool:
    """It is the one of the decimal module in C, which no module holds: to look through all of them takes 4 ms."""
    decimal = sys.modules.get("_decimal")
    if decimal is None:
        return False
    context = Context()
    context.run(decimal.getcontext)
    return variable in context


def _find(variable: ContextVar[Any]) -> Holder | None:
    modules = [
        (name, module)
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and not name.startswith(_NOT_OURS)
    ]
    for name, module in modules:
        for attribute, value in list(vars(module).items()):
            if value is variable:
                return name, attribute
    for name, module in modules:
        for cls_name, attribute in _in_classes(module, variable):
            return name, f"{cls_name}.{attribute}"
    return None


def _in_classes(module: ModuleType, variable: ContextVar[Any]) -> Iterator[tuple[str, str]]:
    for cls_name, cls in list(vars(module).items()):
        if isinstance(cls, type) and cls.__module__ == module.__name__:
            for attribute, value in list(vars(cls).items()):
                if value is variable:
                    yield cls_name, attribute
