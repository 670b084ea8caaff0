"""What a map does to one item: callables that travel to workers, and import there what they need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autopar.frames.groups import Groups
    from autopar.frames.options import Options
    from autopar.frames.rows import Rows


class RowKeptError(BaseException):
    """A function keeps a row of its frame, which in pandas' own loop turns into the next one.

    It is no error of the item's, so neither a retry nor ``on_error`` has to do with it.
    """


class RowCall:
    """Calls a function with a row or column of a frame, by position."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(
        self, position: int, /, *, rows: Rows, options: Options, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        row = rows.at(position)
        if not rows.shared:
            result = options.call(self._function, (row, *args), kwargs)
            return result if rows.pack is None else rows.pack(result)
        references = sys.getrefcount(row)
        result = options.call(self._function, (row, *args), kwargs)
        if isinstance(result, type(row)):
            result = result.copy(deep=False)  # as pandas does, since the row is about to change
        if sys.getrefcount(row) > references:
            raise RowKeptError
        return result if rows.pack is None else rows.pack(result)


class GroupCall:
    """Calls a function with a group, by position."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(
        self, position: int, /, *, groups: Groups, options: Options, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        return options.call(self._function, (groups.at(position), *args), kwargs)


class ElementCall:
    """Calls a function with an element and further positional arguments, the same for all."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, element: Any, /, *, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return self._function(element, *args, **kwargs)


class VectorCall:
    """Calls a function with some arguments of its own for each item, and others that are the same for all."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(
        self,
        item: tuple[Any, ...],
        /,
        *,
        places: tuple[int, ...],
        names: tuple[str, ...],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        positional = list(args)
        for place, value in zip(places, item, strict=False):
            positional[place] = value
        return self._function(*positional, **{**kwargs, **dict(zip(names, item[len(places) :], strict=True))})
