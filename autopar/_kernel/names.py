"""What the names of a function that are not its own variables stand for, and the facts that rest on it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from autopar._kernel.kernel import Fact

__all__ = ["Facts"]


class Facts:
    """Looks names up as the function would, and remembers each look-up as a fact to guard.

    `lookups` says how to find the same again: "name" or "attribute", the place among `owners` of the function or module
    in which to look, and the name, of an attribute with what the module goes by. Owners
    are the function itself and then what was found that may be looked into.
    """

    def __init__(self, function: FunctionType) -> None:
        self.found: dict[tuple[Any, ...], Fact] = {}
        self.owners: list[Any] = [function]
        self.lookups: list[tuple[str, int, str]] = []
        self.all_traced = True
        self.given: Mapping[str, Any] = {}  # names that no program has, and that so need no guard
        own = {function.__name__: function}  # a namespace is looked at without a call of Python
        self._note(("function", id(function)), function.__name__, function, lambda: function, own)

    @classmethod
    def again(cls, function: FunctionType, lookups: Iterable[tuple[str, int, str]]) -> Facts:
        """The facts of a function by the look-ups of an earlier time; what has changed since gives others or raises."""
        facts = cls(function)
        for kind, owner, name in lookups:
            if kind == "name":
                facts.name(facts.owners[owner], name)
            else:
                path, _, name = name.rpartition(".")
                facts.attribute(facts.owners[owner], path, name)
        return facts

    def _looked_up(self, kind: str, owner: Any, name: str, value: Any) -> None:
        place = next((i for i, known in enumerate(self.owners) if known is owner), None)
        if place is None:
            self.all_traced = False  # a function that was a default value, say
        if place is None or (kind, place, name) in self.lookups:
            return
        self.lookups.append((kind, place, name))
        if isinstance(value, (FunctionType, ModuleType)) and not any(known is value for known in self.owners):
            self.owners.append(value)

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
            self._looked_up("name", function, name, value)
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
        self._looked_up("name", function, name, value)
        self._note(("global", id(namespace), name), name, value, now, namespace)
        return value

    def attribute(self, module: ModuleType, path: str, name: str) -> Any:
        """Return an attribute of a module."""
        value = getattr(module, name)
        self._looked_up("attribute", module, f"{path}.{name}", value)
        self._note(("attribute", id(module), name), f"{path}.{name}", value, lambda: getattr(module, name), module)
        return value

    def _note(self, key: tuple[Any, ...], name: str, value: Any, now: Callable[[], Any], namespace: Any) -> None:
        if key in self.found:
            return
        by, noted = "identity", value
        if isinstance(value, FunctionType):
            by, noted = "function", (value, value.__code__, value.__defaults__, value.__kwdefaults__)
        elif type(value) in (int, float, bool):
            by = "value"
        self.found[key] = Fact(name, by, noted, now, namespace)
