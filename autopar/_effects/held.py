"""The types of all that a call's arguments hold: items of containers and attributes of objects, at any depth."""

from __future__ import annotations

import abc
import collections
import enum
import types
from collections.abc import Collection, Iterable
from itertools import chain, zip_longest
from typing import Any

from autopar._effects import facts, lookup
from autopar._model.work import UNCHANGING

LOOKED_AT = 10_000
"""Objects looked at for each value given, at about 25 ns each in a list of numbers: a quarter of a millisecond."""

DEEPEST = 4
"""Levels that are told apart: a list of rows of points has three. Pulled out of the air."""

Held = tuple[frozenset[type], ...]

_SEQUENCES = (list, tuple, set, frozenset, collections.deque)
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
_METACLASSES = {type, abc.ABCMeta, enum.EnumMeta}
"""Those of which it is known that they leave the hash of a class alone."""
_ANYTHING = frozenset({object})
_NUMBERS = "biufcSUmM"  # kinds of NumPy arrays that hold no objects


def held_types(values: Collection[Any]) -> Held:
    """Find the types of what some values hold, without running any of the user's code.

    Parameters
    ----------
    values
        The arguments of a call, or of several.

    Returns
    -------
    tuple of frozenset of type
        Exact types, by level: of the items and attributes of the values, of those of the items and attributes, and so
        on; the last of `DEEPEST` levels has those of all levels below, too. `object` among them says that there may be
        others, since something could not be looked into or was too large.

    Examples
    --------
    >>> held_types(([[1], [2.5]],)) == (frozenset({list}), frozenset({int, float}))
    True
    >>> held_types((1, "a"))
    ()
    """
    levels: list[frozenset[type]] = []
    left = LOOKED_AT * len(values)
    here = _changing(values)
    seen: set[int] = set()
    while here:
        if len(levels) < DEEPEST:
            seen = set()
        groups: list[Collection[Any]] = []
        unseen = False
        for value in here:
            if id(value) not in seen:
                seen.add(id(value))
                for group in _parts(value):
                    if group is None or len(group) > left:
                        unseen = True
                    else:
                        left -= len(group)
                        groups.append(group)
        if not set(map(type, map(type, chain.from_iterable(groups)))) <= _METACLASSES:
            levels.append(_ANYTHING)
            break
        kinds = frozenset(map(type, chain.from_iterable(groups)))
        levels.append(kinds | _ANYTHING if unseen else kinds)
        here = [] if kinds <= UNCHANGING else _changing(chain.from_iterable(groups))
    if levels and not levels[-1]:
        levels.pop()
    return (*levels[: DEEPEST - 1], frozenset().union(*levels[DEEPEST - 1 :]))[: len(levels)]


def join_held(one: Held, other: Held) -> Held:
    """What either holds, level by level."""
    nothing: frozenset[type] = frozenset()
    return tuple(a | b for a, b in zip_longest(one, other, fillvalue=nothing))


def _changing(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if type(type(value)) is not type or type(value) not in UNCHANGING]


def _parts(value: Any) -> Iterable[Collection[Any] | None]:
    """What one object holds, in groups; None for a group that cannot be seen."""
    cls = type(value)
    if type(cls) not in _METACLASSES:
        return (None,)
    if cls in _SEQUENCES:
        return (value,)
    if cls in _MAPPINGS:
        return (dict.keys(value), dict.values(value))
    if lookup.class_name(cls) == "numpy.ndarray":
        return ((value, value.dtype.type()),) if value.dtype.kind in _NUMBERS else (None,)
    attributes = lookup.instance_dict(value)
    if facts.scalar(cls):
        return (list(attributes.values()),)  # of a member of an enumeration
    return _parts_of_object(value, cls, attributes)


def _parts_of_object(value: Any, cls: type, attributes: dict[str, Any]) -> list[Collection[Any] | None]:
    """The attributes of an object of a class written in Python, and its items where it is a container."""
    groups: list[Collection[Any] | None] = [list(attributes.values())]
    for base in lookup.mro(cls):
        if base in _SEQUENCES:
            groups.append(list(base.__iter__(value)))
        elif base is dict:
            groups += [list(dict.keys(value)), list(dict.values(value))]
        elif base is not object and base not in UNCHANGING and lookup.written_in_c(base):
            groups.append(None)
        for name, slot in list(lookup.class_dict(base).items()):
            if type(slot) is types.MemberDescriptorType and base is not type:
                held = lookup.in_object(value, name)
                if held is not lookup.MISSING:
                    groups.append((held,))
    return groups if cls is not object else []
