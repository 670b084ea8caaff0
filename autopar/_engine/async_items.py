"""The input of maps that run on an event loop: any iterables, some of them asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

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
