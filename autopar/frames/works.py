"""One kind of apply a class: how many items it has, how the rest of them are mapped, and what is in the way of that."""

from __future__ import annotations

import functools
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from autopar._engine.functions import FunctionState
from autopar._engine.maps import map_iterator, map_list
from autopar._model.effects import Effect, EffectKind
from autopar._model.hints import Settings
from autopar.frames.calls import ElementCall, GroupCall, RowCall
from autopar.frames.groups import Groups
from autopar.frames.held import holds_nothing_that_changes, types_given
from autopar.frames.options import Options
from autopar.frames.packing import unpacked
from autopar.frames.rows import Rows
from autopar.frames.states import ItemState, state_over

if TYPE_CHECKING:
    from pandas import DataFrame, Series

OPERATION = "apply"

PARALLEL_ALL_THE_SAME = frozenset({EffectKind.OUTPUT, EffectKind.LOCK})
"""Effects with which some way is open without a hint."""


class Work(ABC):
    """The calls of one `apply`, in the order in which pandas makes them.

    Parameters
    ----------
    base
        The state of the function.
    settings
        Resolved hints.
    args, kwargs
        The function's own arguments, besides the item.

    Attributes
    ----------
    count
        Calls that pandas is going to make.
    made_twice
        To know the items pandas has to make all of them, and then again when it asks for the results.
    """

    count: int
    made_twice = False

    def __init__(
        self, base: FunctionState, settings: Settings, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self._base = base
        self._args, self._kwargs = args, dict(kwargs)

    @functools.cached_property
    def state(self) -> ItemState:
        """The state of what is called with each item; to make it is to look at all objects in the frame."""
        return self._state()

    @abstractmethod
    def _state(self) -> ItemState: ...

    @abstractmethod
    def results(self, start: int) -> Iterator[Any]:
        """What the function returns for the items from this one on, in order; raises what it raises."""

    def obstacle(self) -> str:
        """Why only pandas' own loop keeps the answer; empty if nothing is in the way, or a hint says that it is not."""
        settings = self.settings
        if settings.pure or settings.thread_safe:
            return ""
        effects = self.state.traits().report.effects
        closing = [effect for effect in effects if not self._harmless(effect)]
        return f"{closing[0]}: pure=True would allow other ways, if that is harmless" if closing else ""

    def _harmless(self, effect: Effect) -> bool:
        seeded = effect.kind is EffectKind.RANDOM and self.settings.seed is not None
        return seeded or effect.kind in PARALLEL_ALL_THE_SAME


class RowWork(Work):
    """The rows or columns of a frame."""

    def __init__(
        self,
        base: FunctionState,
        settings: Settings,
        frame: DataFrame,
        axis: int,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        raw: bool,
    ) -> None:
        super().__init__(base, settings, args, kwargs)
        self._frame = frame
        self._rows = Rows(frame, axis, raw=raw)
        self._raw = raw
        self.count = len(self._rows)

    def _state(self) -> ItemState:
        import numpy
        import pandas

        kind = numpy.ndarray if self._raw else pandas.Series
        return state_over(self._base, RowCall, types_given(kind, self._frame, self._args, self._kwargs))

    def results(self, start: int) -> Iterator[Any]:
        """Map positions: the frame travels once to each worker."""
        items = (range(start, self.count),)
        given = {"rows": self._rows, "options": Options(), "args": self._args, "kwargs": self._kwargs}
        if self._raw:  # NumPy compares each result with the first before it asks for the next
            return map_iterator(self.state, items, given, self.settings, operation=OPERATION)
        return unpacked(iter(map_list(self.state, items, given, self.settings, operation=OPERATION)))


class GroupWork(Work):
    """The groups of a frame or series."""

    made_twice = True

    def __init__(
        self,
        base: FunctionState,
        settings: Settings,
        groups: Any,
        given: Mapping[str, Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        super().__init__(base, settings, args, kwargs)
        self._groups = groups
        self._given_to_pandas = dict(given)
        self.count = int(groups.ngroups)

    def _state(self) -> ItemState:
        data = self._groups.obj
        kind = type(data) if self._groups.ndim == 2 else type(data.iloc[:, 0] if data.ndim == 2 else data)
        given = types_given(kind, data, self._args, self._kwargs)
        found = state_over(self._base, GroupCall, given, owns_items=holds_nothing_that_changes(data))
        found.witnessed = True  # a groupby fills caches of its own when it is used, which would look like an effect
        return found

    def results(self, start: int) -> Iterator[Any]:
        """Map positions: the frame travels once to each worker, which makes the groups anew."""
        items = (range(start, self.count),)
        groups = Groups(self._groups, self._given_to_pandas)
        given = {"groups": groups, "options": Options(), "args": self._args, "kwargs": self._kwargs}
        return iter(map_list(self.state, items, given, self.settings, operation=OPERATION))


def elements_of(series: Series) -> list[Any]:
    """What pandas would call a function with: elements, or the categories of a categorical series."""
    items: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        series.apply(items.append)
    return items


def element_results(
    base: FunctionState,
    settings: Settings,
    items: list[Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> list[Any]:
    """The function's results over elements."""
    if not args:
        return map_list(base, (items,), dict(kwargs), settings, operation=OPERATION)
    state = state_over(base, ElementCall)
    return map_list(state, (items,), {"args": args, "kwargs": dict(kwargs)}, settings, operation=OPERATION)
