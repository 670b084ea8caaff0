"""What a kernel rests on besides its arguments: globals, closure cells, functions that it calls, and its own code."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

from autopar._compilers.native.warning_state import rows_of_state
from autopar._kernel.kernel import Fact, Kernel

_Row = tuple[Any, str, Any, Any, Any, Any, Any, Any]


def rows_of(kernel: Kernel, function: Callable[..., Any]) -> tuple[_Row, ...]:
    """The facts as :class:`KernelEntry` looks at them; the function's own code is the first."""
    own = _row({"": function}, "", None, None, function, *_parts(function))
    by_name = [_row(names, name, None, None, value) for names, name, value in keyword_defaults(kernel)]
    return (own, *map(_fact_row, kernel.facts), *by_name, *rows_of_state(kernel))


def keyword_defaults(kernel: Kernel) -> list[tuple[dict[str, Any], str, Any]]:
    """The keyword defaults of the functions that the kernel calls, whose dicts may be changed in place: each item."""
    found = [fact.value[3] for fact in kernel.facts if fact.by == "function" and fact.value[3]]
    return [(names, name, value) for names in found for name, value in names.items()]


def changed(kernel: Kernel) -> str:
    """The name of the first fact that does not hold any more, or an empty string."""
    return next((fact.name for fact in kernel.facts if not _holds(fact)), "")


def _row(namespace: Any, name: str, inbuilt: Any, now: Any, value: Any, *parts: Any) -> _Row:
    code, defaults, kwdefaults = parts or (None, None, None)
    return (namespace, name, inbuilt, now, value, code, defaults, kwdefaults)


def _parts(function: Any) -> tuple[Any, Any, Any]:
    return function.__code__, function.__defaults__, function.__kwdefaults__


def _fact_row(fact: Fact) -> _Row:
    parts = ()
    if fact.by == "function":
        _, *parts = fact.value
    current = fact.now()
    namespace = fact.namespace
    if type(namespace) is dict:
        if namespace.get(fact.name) is current and fact.name in namespace:
            return _row(namespace, fact.name, None, None, current, *parts)
        inbuilt = namespace.get("__builtins__", builtins)
        inbuilt = inbuilt if type(inbuilt) is dict else vars(inbuilt)
        if fact.name not in namespace and inbuilt.get(fact.name) is current:
            return _row(namespace, fact.name, inbuilt, None, current, *parts)
    return _row(None, fact.name, None, fact.now, current, *parts)


def _holds(fact: Fact) -> bool:
    try:
        current = fact.now()
    except Exception:
        return False
    if fact.by == "function":
        function, *parts = fact.value
        return current is function and all(now is then for now, then in zip(_parts(current), parts, strict=True))
    if fact.by == "identity":
        return current is fact.value
    return type(current) is type(fact.value) and _same_number(current, fact.value)


def _same_number(one: Any, other: Any) -> bool:
    if isinstance(one, float):
        return (one == other and math.copysign(1.0, one) == math.copysign(1.0, other)) or (
            one != one and other != other
        )
    return bool(one == other)
