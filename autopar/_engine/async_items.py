"""The input of maps that run on an event loop: any iterables, some of them asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from autopar._engine.functions import ArgumentTypes, FunctionState
from autopar._model.observation import Traits

Items = Iterable[Any] | AsyncIterable[Any]


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
