"""The types of all that a call's arguments hold: items of containers and attributes of objects, at any depth."""

from __future__ import annotations

import abc
import collections
import enum
import types
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any

from autopar._effects import facts, lookup
from autopar._model.work import FLAT_KINDS, UNCHANGING
from autopar._native_api import exact_types

LOOKED_AT = 10_000
"""Objects looked at for each value given, at about 10 ns each in a list of numbers, 50 ns without the extension."""

DEEPEST = 4
"""Levels that are told apart: a list of rows of points has three. Pulled out of the air."""

Held = tuple[frozenset[type], ...]

_SEQUENCES = (list, tuple, set, frozenset, collections.deque)
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
_METACLASSES = (type, abc.ABCMeta, enum.EnumMeta)
"""Those of which it is known that they leave the hash of a class alone."""
_ANYTHING = frozenset({object})


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
    look = _Look()
    here = _changing(values)
    while here:
        if len(levels) < DEEPEST:
            look.seen.clear()
        groups: list[Collection[Any]] = []
        unseen = False
        for group in look.parts_of(here):
            if group is None or len(group) > left:
                unseen = True
            else:
                left -= len(group)
                groups.append(group)
        kinds = exact_types(chain.from_iterable(groups))
        if not _plain_classes(kinds):
            levels.append(_ANYTHING)
            break
        levels.append(_ANYTHING.union(kinds) if unseen else frozenset(kinds))
        here = [] if UNCHANGING.issuperset(kinds) else _changing(chain.from_iterable(groups))
    if levels and not levels[-1]:
        levels.pop()
    return (*levels[: DEEPEST - 1], frozenset().union(*levels[DEEPEST - 1 :]))[: len(levels)]


def join_held(one: Held, other: Held) -> Held:
    """What either holds, level by level."""
    nothing: frozenset[type] = frozenset()
    return tuple(a | b for a, b in zip_longest(one, other, fillvalue=nothing))


def _changing(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if type(type(value)) is not type or type(value) not in UNCHANGING]


def _plain_classes(kinds: Collection[type]) -> bool:
    """Whether to hash these classes runs none of the user's code."""
    return all(any(type(kind) is known for known in _METACLASSES) for kind in kinds)


class _Look:
    """What objects of some values hold, with what is alike for all objects of a class found once.

    Attributes
    ----------
    seen
        The objects that need not be looked at again, by address, and the types of item of arrays of numbers: all
        arrays of one hold the same.
    """

    def __init__(self) -> None:
        self.seen: set[object] = set()
        self._classes: dict[type, _Objects] = {}

    def parts_of(self, values: Iterable[Any]) -> Iterator[Collection[Any] | None]:
        """What the objects hold, in groups; None for a group that cannot be seen."""
        seen, array_class, array_dtype = self.seen, None, None
        for value in values:
            cls = type(value)
            if cls is array_class and value.dtype is array_dtype:
                continue  # mostly all arrays are alike
            if id(value) in seen:
                continue
            if type(cls) is not type and not _plain_classes((cls,)):
                yield None
            elif cls in _SEQUENCES:
                seen.add(id(value))
                yield value
            elif cls in _MAPPINGS:
                seen.add(id(value))
                yield dict.keys(value)
                yield dict.values(value)
            elif (objects := self._objects(cls)).arrays:
                dtype = value.dtype
                if dtype.kind not in FLAT_KINDS:
                    yield None
                    continue
                array_class, array_dtype = cls, dtype
                if dtype.type not in seen:
                    seen.add(dtype.type)
                    yield (value, dtype.type())
            else:
                seen.add(id(value))
                yield from objects.parts(value)

    def _objects(self, cls: type) -> _Objects:
        found = self._classes.get(cls)
        if found is None:
            found = self._classes[cls] = _Objects(cls)
        return found


class _Objects:
    """Where objects of a class keep what they hold: what the class and its bases say."""

    def __init__(self, cls: type) -> None:
        self.arrays = lookup.class_name(cls) == "numpy.ndarray"
        self._attributes = lookup.attributes_of(cls)
        self._slots: list[types.MemberDescriptorType] = []
        self._containers: list[type] = []
        self._unseen = False
        if not facts.scalar(cls):  # those hold nothing, but for the value of a member of an enumeration
            self._look_into(cls)

    def _look_into(self, cls: type) -> None:
        for base in lookup.mro(cls):
            if base in _SEQUENCES or base is dict:
                self._containers.append(base)
            elif base is not object and base not in UNCHANGING and lookup.written_in_c(base):
                self._unseen = True
            if base is not type:
                members = list(lookup.class_dict(base).values())
                self._slots += [slot for slot in members if type(slot) is types.MemberDescriptorType]

    def parts(self, value: Any) -> Iterator[Collection[Any] | None]:
        """The attributes of an object of the class, and its items where it is a container."""
        yield list(self._attributes(value).values())
        if self._unseen:
            yield None
        for base in self._containers:
            if base is dict:
                yield list(dict.keys(value))
                yield list(dict.values(value))
            else:
                yield list(base.__iter__(value))  # type: ignore[attr-defined]
        held = []
        for slot in self._slots:
            with suppress(AttributeError, ValueError):  # empty, or a stream that was taken apart
                held.append(slot.__get__(value))
        yield held
