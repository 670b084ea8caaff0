"""What a glance at a function's code tells, before anything that looks closer is imported.

Which functions the compilers of numeric code are likely to refuse or could not make quicker, and which can only hold
the GIL.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from opcode import opmap, opname
from types import CodeType, FunctionType
from typing import Any

_SELDOM = "FORMAT_VALUE FORMAT_SIMPLE FORMAT_WITH_SPEC BUILD_STRING BUILD_MAP BUILD_CONST_KEY_MAP BUILD_SET".split()
_SELDOM_COMPILED = frozenset(opmap[name] for name in _SELDOM if name in opmap)

COMPILED_BUILTINS = frozenset(
    "abs all any bool divmod enumerate float int len map max min pow range reversed round sum zip".split()
)
"""Builtin functions that the native fragment has."""

_FOREIGN_METHODS = frozenset(dir(str) + dir(bytes) + dir(dict) + dir(set)) - frozenset([*dir(list), *dir(float), "add"])

_PLAIN_BUILTINS = COMPILED_BUILTINS | frozenset(
    "bytes chr dict frozenset hash isinstance list ord repr set sorted str tuple type".split()
)
_PLAIN_METHODS = frozenset(
    name for kind in (list, tuple, dict, set, str, bytes, int, float) for name in dir(kind) if not name.startswith("_")
)
_PLAIN_VALUES = (int, float, complex, str, bytes, tuple, list, dict, set, frozenset, range, type(None))

_CALLS = frozenset({"CALL", "CALL_FUNCTION_EX", "CALL_KW"})
_AROUND_A_CALL = frozenset(
    "BUILD_TUPLE CACHE COPY_FREE_VARS KW_NAMES NOP NOT_TAKEN PRECALL PUSH_NULL RESUME RETURN_VALUE".split()
)
"""Instructions that do no work of their own; so do those that load something."""

_DEEP = 3
"""Functions that call one another, one inside the other, that are looked into: chosen, so that it ends."""


def is_likely_refused(function: Callable[..., Any]) -> bool:
    """It works on texts, dicts or sets, or calls a builtin function that has nothing to do with numbers.

    Examples
    --------
    >>> is_likely_refused(lambda x: f"{x}"), is_likely_refused(lambda x: {1: x}), is_likely_refused(lambda x: [x])
    (True, True, False)
    >>> is_likely_refused(lambda x: sorted(x)), is_likely_refused(lambda x: x.split()), is_likely_refused(lambda x: -x)
    (True, True, False)
    """
    if type(function) is not FunctionType:
        return False  # such as what Numba has compiled: there is nothing to be seen
    return any(_looks_foreign(part, function.__globals__) for part in _with_inner(function.__code__))


def is_one_call(function: Callable[..., Any]) -> bool:
    """It calls something with what it was given, and does nothing else.

    Examples
    --------
    >>> import math
    >>> is_one_call(lambda x: math.hypot(x, 2.0)), is_one_call(lambda x: math.hypot(x, x + 1.0))
    (True, False)
    """
    if type(function) is not FunctionType:
        return False
    names = [opname[code] for code in function.__code__.co_code[::2]]
    others = {name for name in names if not name.startswith("LOAD_")} - _AROUND_A_CALL
    return others <= _CALLS and sum(name in _CALLS for name in names) == 1


def _looks_foreign(code: CodeType, own: Mapping[str, Any]) -> bool:
    """``own`` are names that the program has given."""
    if not _SELDOM_COMPILED.isdisjoint(code.co_code[::2]):
        return True
    names = {name for name in code.co_names if name not in own}
    if not names.isdisjoint(_FOREIGN_METHODS):
        return True
    called = (getattr(builtins, name, None) for name in names - COMPILED_BUILTINS)
    return any(callable(found) and not _is_exception(found) for found in called)


def seems_to_hold_the_gil(function: Callable[..., Any], deep: int = _DEEP) -> bool:
    """All that it names are builtin functions, methods of builtin objects, and other such functions.

    Names tell no more than that: a method of that name may be another object's.

    Examples
    --------
    >>> import math
    >>> seems_to_hold_the_gil(lambda x: sorted(x)[0]), seems_to_hold_the_gil(lambda x: math.sqrt(x))
    (True, False)
    """
    if type(function) is not FunctionType:
        return False
    own = function.__globals__
    return all(_is_plain(name, own, deep) for part in _with_inner(function.__code__) for name in part.co_names)


def _is_plain(name: str, own: dict[str, Any], deep: int) -> bool:
    if name in own:
        value = own[name]
        if type(value) is FunctionType:
            return deep > 0 and seems_to_hold_the_gil(value, deep - 1)
        return type(value) in _PLAIN_VALUES
    return name in _PLAIN_BUILTINS or name in _PLAIN_METHODS or _is_exception(getattr(builtins, name, None))


def _is_exception(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseException)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
