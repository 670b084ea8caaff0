"""Which wrapper a callable gets."""

from __future__ import annotations

from types import FunctionType
from typing import Any, Generic

from autopar._api.async_wrapper import AsyncParallel
from autopar._api.later import load_engine
from autopar._api.variables import P, R, T
from autopar._api.wrapper import Parallel
from autopar._native_api import settle
from autopar.errors import HintTypeError

CO_COROUTINE = 0x80
"""The flag of code written with ``async def``; ``inspect``, which names it, takes longer to import than all of this."""


class ParallelFunction(Parallel[P, R], Generic[P, R]):
    """A plain Python function: what is called as a method of an instance need not be bound to it first."""

    _of_a_function = True


class AsyncParallelFunction(AsyncParallel[P, T], Generic[P, T]):
    """The same for ``async def``."""

    _of_a_function = True


settle(Parallel, False)
settle(AsyncParallel, False)
settle(ParallelFunction, True)
settle(AsyncParallelFunction, True)


def checked_hints(hints: dict[str, Any]) -> dict[str, Any]:
    """Those of the decorator, in their normal form; without any, what checks them is not loaded."""
    if not hints:
        return hints
    from autopar._model.hints import DECORATOR, check_hints

    return check_hints(hints, where=DECORATOR)


def wrap(function: Any, hints: dict[str, Any]) -> Any:
    """Wrap any callable; a wrapper's hints are merged.

    Raises
    ------
    HintTypeError
        It is not a function, method or other callable that can be decorated.
    """
    checked = checked_hints(hints)
    if isinstance(function, type):
        raise HintTypeError(
            f"@parallel takes a function, not the class {function.__name__}; decorate its methods, "
            "or use autopar.map() to call the class itself"
        )
    if issubclass(type(function), Parallel):  # isinstance() would ask what is wrapped
        return type(function)(function.__wrapped__, {**function._self_hints, **checked}, function._self_state)
    inner = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    if not callable(inner):
        raise HintTypeError(f"@parallel takes a function, not {type(function).__name__}")
    if "c" in checked or "c_source" in checked:
        function, checked = own_c_function(function, checked)
    kind = _kind_for(function)
    load_engine(coroutines=issubclass(kind, AsyncParallel))
    return kind(function, checked)


def own_c_function(function: Any, hints: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The C function that the hints put in place of a Python function's body, and the other hints.

    Raises
    ------
    HintTypeError, HintValueError, UnavailableError
        The function or its annotations do not fit, or the library or file cannot be used.
    """
    from autopar._compilers.native.own_function import OwnFunction

    named = {name: hints[name] for name in ("c", "c_source") if hints.get(name) is not None}
    rest = {name: value for name, value in hints.items() if name not in ("c", "c_source")}
    if len(named) > 1:
        raise HintTypeError("@parallel takes one of c and c_source, not both")
    for hint, where in named.items():
        function = OwnFunction(function, hint, where, rtol=rest.get("rtol", 0.0))
    return function, rest


def is_coroutine_function(function: Any) -> bool:
    """Calling it gives a coroutine: ``async def``, also as a partial, a method or a callable object."""
    if type(function) is FunctionType and not function.__dict__:  # where it could be marked as one
        return bool(function.__code__.co_flags & CO_COROUTINE)
    import inspect

    if inspect.iscoroutinefunction(function):
        return True
    call = getattr(type(function), "__call__", None)  # noqa: B004
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(call)


def _kind_for(function: Any) -> type[Parallel[..., Any]]:
    inner = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    plain = type(function) is FunctionType
    if is_coroutine_function(inner):
        return AsyncParallelFunction if plain else AsyncParallel
    return ParallelFunction if plain else Parallel
