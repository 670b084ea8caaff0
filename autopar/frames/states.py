"""What is remembered of a function that is given something made for the call, as a row: its code decides, not ours."""

from __future__ import annotations

import dis
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from autopar._engine.functions import ArgumentTypes, FunctionState
from autopar._engine.memory import Memory
from autopar._model.compiler import Terms
from autopar._model.effects import Effect, EffectKind
from autopar._model.observation import Traits


class ItemState(FunctionState):
    """The state of a callable that makes an argument and calls the user's function with it.

    Parameters
    ----------
    base
        The state of the user's function, which shares its decisions.
    call
        The class of the callable.
    given
        The types of what the function is given.
    owns_items
        What is made is new for each call, and holds nothing that others have and that can be changed.
    """

    def __init__(self, base: FunctionState, call: type, given: ArgumentTypes | None, *, owns_items: bool) -> None:
        super().__init__(call(base.function))
        self._base = base
        self._given = given
        self._owns_items = owns_items
        self.memory = Memory(base.function, call.__name__)
        self.kept = base.kept

    @functools.cached_property
    def name(self) -> str:
        """That of the user's function."""
        return self._base.name

    @property
    def analysed(self) -> Callable[..., Any]:
        """The user's function, whatever it is given."""
        return self._base.analysed

    def under(self, terms: Terms) -> FunctionState:
        """What makes a row is not compiled, so there is nothing to differ."""
        return self

    def _observe(self, types: ArgumentTypes | None) -> Traits:
        found = super()._observe(None)  # which also notes the values of the names that the function reads
        return found if self._given is None else super()._observe(self._given)

    def _as_called(self, traits: Traits) -> Traits:
        traits = self._base._as_called(traits)
        if not self._owns_items or _renames_or_replaces(traits):
            return traits
        report = traits.report
        kept = tuple(effect for effect in report.effects if not self._changes_item(effect))
        return replace(traits, report=replace(report, effects=kept))

    def _changes_item(self, effect: Effect) -> bool:
        """Whether what is changed is the function's first argument."""
        code = getattr(self.analysed, "__code__", None)
        first = code.co_varnames[0] if code is not None and code.co_argcount else None
        return effect.kind is EffectKind.WRITES_ARGUMENT and effect.what == f"argument '{first}'"


def _renames_or_replaces(traits: Traits) -> bool:
    """Whether it may give new names to the axes of a frame, which the frames made of it share."""
    return any(
        (instruction.opname == "STORE_ATTR" and instruction.argval in ("name", "names"))
        or instruction.argval == "set_names"
        or (type(instruction.argval) is tuple and "inplace" in instruction.argval)
        for code in traits.report.codes
        for instruction in dis.get_instructions(code)
    )


def state_over(
    base: FunctionState, call: type, given: ArgumentTypes | None = None, *, owns_items: bool = False
) -> ItemState:
    """The state of a function that is called in this way with such arguments, one for each."""
    way = call, given, owns_items
    found = base.ways.get(way)
    if found is None:
        found = base.ways.setdefault(way, ItemState(base, call, given, owns_items=owns_items))
    return cast(ItemState, found)
