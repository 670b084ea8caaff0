"""The kinds of case: a small function, the effects it has, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from autopar._model.effects import EffectKind

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Case:
    """One function and what the analysis must say of it.

    Attributes
    ----------
    function
        What is analysed.
    kinds
        The kinds of effect it has; empty for a pure function.
    because
        Why, in a line.
    types
        The types of the arguments of a call, where the analysis is told them.
    """

    function: Callable[..., Any]
    kinds: frozenset[EffectKind]
    because: str
    types: tuple[type, ...] | None = None

    def __str__(self) -> str:
        name: str = getattr(self.function, "__qualname__", type(self.function).__name__)
        return name.rpartition("<locals>.")[2]


class Table:
    """Collects cases by decorating functions, which stay what they are."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def add(self, function: Callable[..., Any], *kinds: EffectKind, because: str) -> None:
        """Take in a callable that no decorator can be put on."""
        self.cases.append(Case(function, frozenset(kinds), because))

    def impure(self, *kinds: EffectKind, because: str, types: Sequence[type] | None = None) -> Callable[[F], F]:
        """Take in a function that has these effects."""

        def register(function: F) -> F:
            self.cases.append(Case(function, frozenset(kinds), because, tuple(types) if types is not None else None))
            return function

        return register

    def pure(self, because: str, types: Sequence[type] | None = None) -> Callable[[F], F]:
        """Take in a function that has none."""
        return self.impure(because=because, types=types)
