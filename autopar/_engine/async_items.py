"""The input of maps that run on an event loop: any iterables, some of them asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sized
from typing import Any

from autopar._engine.functions import ArgumentTypes, FunctionState
from autopar._model.observation import Traits

Items = Iterable[Any] | AsyncIterable[Any]

Taken = tuple[int, Any] | None
"""Position and item, or None at the end."""


class Input:
    """The items of one map, taken one at a time by whoever is free.

    Parameters
    ----------
    items
        One iterable.

    Attributes
    ----------
    waits
        An item has to be awaited: :meth:`take_async` takes it, and otherwise :meth:`take`.
    length
        Items in all, or None.
    taken
        Items taken so far.
    exhausted
        Nothing more will come.
    error
        What the input raised instead of its next item.
    """

    def __init__(self, items: Items) -> None:
        self.waits = isinstance(items, AsyncIterable)
        self.length = len(items) if isinstance(items, Sized) else None
        self.taken = 0
        self.exhausted = False
        self.error: BaseException | None = None
        self._items = items
        self._iterator: Any = None

    def start(self) -> None:
        """Ask for the iterator."""
        self._one_at_a_time = asyncio.Lock()
        self._iterator = aiter(self._items) if isinstance(self._items, AsyncIterable) else iter(self._items)

    def take(self) -> Taken:
        """The next item."""
        iterator: Iterator[Any] = self._iterator
        if self.exhausted:
            return None
        try:
            item = next(iterator)
        except StopIteration:
            self.end(None)
            return None
        except BaseException as error:
            self.end(error)
            return None
        self.taken += 1
        return self.taken - 1, item

    async def take_async(self) -> Taken:
        """The next item, once it has come."""
        iterator: AsyncIterator[Any] = self._iterator
        async with self._one_at_a_time:
            if self.exhausted:
                return None
            try:
                item = await anext(iterator)
            except StopAsyncIteration:
                self.end(None)
                return None
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self.end(error)
                return None
            self.taken += 1
            return self.taken - 1, item

    def end(self, error: BaseException | None) -> None:
        """Nothing more is taken; an error ends the map after the items before it."""
        self.exhausted, self.error = True, error


def items_of(iterables: tuple[Items, ...], star: bool) -> tuple[Items, bool]:
    """Several iterables as one of tuples."""
    if len(iterables) == 1:
        return iterables[0], star
    if any(isinstance(each, AsyncIterable) for each in iterables):
        return _azip(iterables), True
    if all(hasattr(each, "__len__") for each in iterables):
        return list(zip(*iterables, strict=False)), True
    return zip(*iterables, strict=False), True


async def _azip(iterables: tuple[Items, ...]) -> AsyncIterator[tuple[Any, ...]]:
    iterators = [aiter(each) if isinstance(each, AsyncIterable) else _as_async(each) for each in iterables]
    while True:
        row = []
        for iterator in iterators:
            try:
                row.append(await anext(iterator))
            except StopAsyncIteration:
                return
        yield tuple(row)


async def _as_async(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def traits_of(state: FunctionState, items: Items, *, star: bool, kwargs: dict[str, Any]) -> Traits:
    """Static facts; where all items are here to be looked at, of calls with their types."""
    traits = state.traits()
    if type(items) not in (list, tuple) or not items:
        return traits
    first = items[0]  # type: ignore[index]
    types = ArgumentTypes.of(first if star and type(first) is tuple else (first,), kwargs)
    if types.plain and not traits.report.effects:
        return traits
    if not types.fit(list(items), star=star):  # type: ignore[arg-type]
        return traits
    typed = state.traits(types)
    return typed if not types.plain or len(typed.report.effects) < len(traits.report.effects) else traits
