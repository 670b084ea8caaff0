"""What the names of a function that are not its own variables stand for, and the facts that rest on it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from autopar._kernel import ir

__all__ = ["Facts"]


class Facts:
    """Looks names up as the function would, and remembers each look-up as a fact to guard."""

    def __init__(self) -> None:
        self.found: dict[tuple[Any, ...], ir.Fact] = {}
        self.given: Mapping[str, Any] = {}  # names that no program has, and that so need no guard

    def name(self, function: FunctionType, name: str) -> Any:
        """Return the object that a free or global name means in a function; raise NameError if there is none."""
        if name in self.given:
            return self.given[name]
        code = function.__code__
        if name in code.co_freevars:
            cell = (function.__closure__ or ())[code.co_freevars.index(name)]
            try:
                value = cell.cell_contents
            except ValueError:
                raise NameError(name) from None
            self._note(("cell", id(cell)), name, value, lambda: cell.cell_contents, cell)
            return value
        namespace = function.__globals__
        there: Any = namespace.get("__builtins__", builtins)
        fallback = there if isinstance(there, dict) else vars(there)

        def now() -> Any:
            return namespace[name] if name in namespace else fallback[name]

        try:
            value = now()
        except KeyError:
            raise NameError(name) from None
        self._note(("global", id(namespace), name), name, value, now, namespace)
        return value

    def attribute(self, module: ModuleType, path: str, name: str) -> Any:
        """Return an attribute of a module."""
        value = getattr(module, name)
        self._note(("attribute", id(module), name), f"{path}.{name}", value, lambda: getattr(module, name), module)
        return value

    def default(self, function: FunctionType, name: str, value: Any) -> None:
        """Note that a parameter took its default, which the function's own fact covers."""
        own = {function.__name__: function}  # a namespace is looked at without a call of Python
        self._note(("function", id(function)), function.__name__, function, lambda: function, own)

    def _note(self, key: tuple[Any, ...], name: str, value: Any, now: Callable[[], Any], namespace: Any) -> None:
        if key in self.found:
            return
        by, noted = "identity", value
        if isinstance(value, FunctionType):
            by, noted = "function", (value, value.__code__, value.__defaults__, value.__kwdefaults__)
        elif type(value) in (int, float, bool):
            by = "value"
        self.found[key] = ir.Fact(name, by, noted, now, namespace)
