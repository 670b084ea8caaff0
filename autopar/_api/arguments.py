"""Checks of what the map methods are given, before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from autopar._model.hints import HINTS, check_hints
from autopar.errors import HintTypeError, HintValueError

_VARKEYWORDS = 0x08


def split_keywords(
    function: Callable[..., Any], keywords: dict[str, Any], operation: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell the function's own keyword arguments from hints of this one call; the function comes first.

    Raises
    ------
    HintTypeError
        A keyword is neither.
    """
    if not keywords:
        return keywords, {}
    names, takes_any = keyword_names(function)
    if names is None:
        # What a built-in takes cannot be asked; none takes the name of a hint.
        names = frozenset(keywords).difference(HINTS)
    if takes_any:
        return keywords, {}
    own = {name: value for name, value in keywords.items() if name in names}
    rest = {name: value for name, value in keywords.items() if name not in names}
    for name in rest:
        if name not in HINTS:
            called = getattr(function, "__qualname__", type(function).__name__)
            raise HintTypeError(f"{operation}() got {name!r}, which is neither a parameter of {called} nor a hint")
    return own, check_hints(rest, where=f"{operation}()")


def keyword_names(function: Callable[..., Any]) -> tuple[frozenset[str] | None, bool]:
    """Parameters that can be passed by name, None if they are not known, and whether any name can."""
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__signature__"):
        first = code.co_posonlyargcount
        last = code.co_argcount + code.co_kwonlyargcount
        return frozenset(code.co_varnames[first:last]), bool(code.co_flags & _VARKEYWORDS)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None, False
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    any_name = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    return frozenset(parameter.name for parameter in parameters if parameter.kind in by_name), any_name


def check_iterables(iterables: tuple[Any, ...], operation: str, *, asynchronous: bool = False) -> None:
    """Refuse what cannot be iterated, at once.

    Raises
    ------
    HintTypeError
        Names the argument and its type.
    """
    if not iterables:
        raise HintTypeError(f"{operation}() needs at least one iterable of items")
    for position, each in enumerate(iterables, 1):
        if type(each) is list or isinstance(each, Iterable) or hasattr(type(each), "__getitem__"):
            continue
        if isinstance(each, AsyncIterable):
            if asynchronous:
                continue
            raise HintTypeError(
                f"{operation}() got an asynchronous iterable ({type(each).__name__}) as argument {position}; "
                "use amap() or aimap()"
            )
        raise HintTypeError(f"{operation}() needs iterables of items; argument {position} is {type(each).__name__}")


def check_buffersize(buffersize: Any) -> int | None:
    """A positive number of items, or None.

    Raises
    ------
    HintTypeError, HintValueError
        It is not.
    """
    if buffersize is None:
        return None
    if isinstance(buffersize, bool) or not hasattr(type(buffersize), "__index__"):
        raise HintTypeError(f"buffersize must be a whole number of at least 1 or None, not {type(buffersize).__name__}")
    number = int(buffersize.__index__())
    if number < 1:
        raise HintValueError(f"buffersize must be at least 1, not {number}")
    return number
