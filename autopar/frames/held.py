"""What rows and groups of a frame hold: numbers and texts, or objects that have methods and can be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autopar import _effects
from autopar._engine.functions import ArgumentTypes
from autopar._model.work import UNCHANGING

_MORE: _effects.Held = (frozenset({object}),)
"""What a row holds besides its elements is pandas' own affair: `object` stands for anything."""

_VALUES = ("datetime", "decimal", "fractions", "uuid", "numpy", "pandas")
"""Modules whose scalars stay what they are."""


def types_given(kind: type, data: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> ArgumentTypes:
    """The types of a call with an argument of this kind, made of a frame or series, and further arguments."""
    others = ArgumentTypes.of(args, dict(kwargs))
    held = _effects.join_held(_effects.join_held(_MORE, _held_by(data)), others.held)
    return ArgumentTypes((kind, *others.positional), others.keyword, held)


def holds_nothing_that_changes(data: Any) -> bool:
    """Whether who changes an element of this puts another in its place, since none can be changed itself."""
    kinds = {kind for values in _objects_in(data) for kind in set(map(type, values))}
    return all(kind in UNCHANGING or _is_value(kind) for kind in kinds)


def _is_value(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _VALUES and kind.__name__ not in ("ndarray", "DataFrame", "Series")


def _held_by(data: Any) -> _effects.Held:
    held: _effects.Held = ()
    for values in _objects_in(data):
        # Only of objects that may have methods of the program is it worth to look at all they hold.
        if not UNCHANGING.issuperset(map(type, values)):
            held = _effects.join_held(held, _effects.held_types((values,)))
    return held


def _objects_in(data: Any) -> Iterator[list[Any]]:
    """The columns and the levels of the axes that hold objects, as lists."""
    columns = [data] if data.ndim == 1 else [data.iloc[:, place] for place in range(data.shape[1])]
    levels = [level for axis in data.axes for level in getattr(axis, "levels", [axis])]
    for values in (*columns, *levels):
        categories = getattr(values.dtype, "categories", None)
        objects = values if categories is None else categories
        if str(objects.dtype) == "object":
            yield list(objects)
