"""The special methods that operators and library calls run on objects, and on what built-in containers hold."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import TYPE_CHECKING

from autopar._effects import facts, items, iteration, lookup
from autopar._effects.values import (
    NOTHING,
    Args,
    Atom,
    Bound,
    Fresh,
    Function,
    Known,
    LibraryObject,
    Outer,
    Value,
    type_of,
)

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

EQUALITY = ("__eq__", "__ne__")
ORDERING = ("__lt__", "__gt__", "__le__", "__ge__")
TRUTH = ("__bool__", "__len__")
TEXT = ("__str__", "__repr__")
WHOLE = ("__index__", "__int__")
REAL = ("__float__", "__index__", "__complex__")
COPYING = (
    "__copy__", "__deepcopy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__", "__getnewargs__",
    "__getnewargs_ex__", "__replace__",
)  # fmt: skip
_ARITHMETIC = "add sub mul truediv floordiv mod pow and or xor lshift rshift matmul divmod".split()
IN_PLACE = tuple(f"__i{name}__" for name in _ARITHMETIC if name != "divmod")
OBSERVING = (
    *("__hash__", *EQUALITY, *ORDERING, *TRUTH, *TEXT, *WHOLE, *REAL, *COPYING),
    *("__format__", "__bytes__", "__fspath__", "__iter__", "__len__", "__length_hint__", "__contains__"),
    *("__getitem__", "__missing__", "__reversed__", "__abs__", "__round__", "__trunc__", "__floor__", "__ceil__"),
    *("__neg__", "__pos__", "__invert__", "__instancecheck__", "__subclasscheck__", "__dir__", "__array__"),
    *(f"__{name}__" for name in _ARITHMETIC),
    *(f"__r{name}__" for name in _ARITHMETIC),
)
"""What a library function may ask of an object that it is handed."""

_CONTAINERS = (list, tuple, dict, set, frozenset, collections.deque)
_PARTS = 200
"""Objects looked at within one argument. Pulled out of the air."""


def plain(value: Value) -> bool:
    """Whether none of the objects has a method to follow or holds one that has."""
    return all(_leaf(type_of(atom)) for atom in value)


def _leaf(cls: type | None) -> bool:
    return facts.scalar(cls) and cls is not None and (cls in items.BUILTIN or facts.in_library(lookup.module_of(cls)))


def parts(frame: Frame, value: Value, *, attributes: bool = False) -> Value:
    """The objects and what the built-in containers among them hold, at any depth; with `attributes`, of all objects."""
    seen: Value = NOTHING
    todo = value
    while todo and len(seen) < _PARTS:
        seen = seen | todo
        found: list[Atom] = []
        for atom in todo:
            if attributes and type(atom) is Fresh and atom.site is not None:
                found.extend(frame.analysis.read_all(atom.site))
                found.extend(frame.analysis.read_field(atom.site, "{}"))
            elif _holds(atom):
                found.extend(_inside(frame, atom))
        todo = frozenset(found) - seen
    return seen


def _holds(atom: Atom) -> bool:
    """Whether comparing, hashing or showing the object does the same to what it holds."""
    cls = type_of(atom)
    if type(atom) is Fresh and atom.site is not None and (cls is None or cls is LibraryObject):
        return atom.site.namespace is None
    if cls is None or facts.scalar(cls) or type(atom) not in (Fresh, Known, Outer):
        return False
    return cls in _CONTAINERS or any(base in _CONTAINERS for base in lookup.mro(cls))


def _inside(frame: Frame, atom: Atom) -> Value:
    inside = items.within(frame, frozenset((atom,)))
    if type(atom) is Fresh and atom.site is not None:
        return inside | frame.analysis.read_field(atom.site, "{}")
    return inside


def run(frame: Frame, value: Value, names: Iterable[str], args: Args | None = None, *, deep: bool = False) -> Value:
    """Follow the methods of these names that the objects have; what they give."""
    if plain(value):
        return NOTHING
    given = Args() if args is None else args
    found = NOTHING
    for atom in parts(frame, value) if deep else value:
        if items.may_have_methods(frame, atom):
            one: Value = frozenset((atom,))
            for name in names:
                found = found | items.special(frame, one, name, given)
    return found


def compared(frame: Frame, left: Value, right: Value, names: tuple[str, ...] = EQUALITY) -> Value:
    """The objects of both sides are compared with one another, containers member by member; what that gives."""
    if plain(left) and plain(right):
        return NOTHING
    found = run(frame, left, names, Args([right]), deep=True)
    found = found | run(frame, right, names, Args([left]), deep=True)
    run(frame, found, TRUTH)
    return found


def ordered(frame: Frame, inside: Value) -> None:
    """Elements are ordered: compared with one another."""
    compared(frame, inside, NOTHING, ("__lt__", "__gt__", "__eq__"))


def hashed(frame: Frame, value: Value) -> None:
    """The objects become keys: hashed, and compared with those of the same hash."""
    if not plain(value):
        run(frame, value, ("__hash__",), deep=True)
        run(frame, value, ("__eq__",), Args([value]), deep=True)


def keyed(frame: Frame, key: Value) -> None:
    """A subscript: an index, a slice or a key."""
    if not plain(key):
        run(frame, key, ("__index__",))
        hashed(frame, key)


def contained(frame: Frame, item: Value, container: Value) -> None:
    """``item in container``."""
    for atom in container:
        one: Value = frozenset((atom,))
        if items.answers(frame, atom, "__contains__"):
            items.special(frame, one, "__contains__", Args([item]))
        elif type_of(atom) not in (str, bytes):
            items.special(frame, one, "__contains__", Args([item]))
            hashed(frame, item)
            inside = _inside(frame, atom)
            if items.may_have_methods(frame, atom):
                inside = inside | iteration.iterate(frame, one)
            compared(frame, item, inside)


def shown(frame: Frame, value: Value) -> None:
    """The objects are turned into text."""
    if not plain(value):
        run(frame, value, ("__format__",), Args([frame.analysis.str]))
        run(frame, value, TEXT, deep=True)


_SEARCHING = frozenset({"count", "index", "remove", "__contains__", *EQUALITY, *ORDERING})
_STORING = frozenset({"append", "appendleft", "extend", "extendleft", "insert", "put", "copy", "values", "items"})
_KEYED = (
    dict,
    set,
    frozenset,
    collections.OrderedDict,
    collections.defaultdict,
    collections.Counter,
    LibraryObject,
    None,
)


def of_method(frame: Frame, receiver: Atom, name: str, args: Args, returned: Value) -> None:
    """A method of a built-in or library object asks the objects that it is given, or those that it holds."""
    cls = type_of(receiver)
    given = args.joined()
    if cls is str or cls is bytes or type(receiver) not in (Fresh, Known, Outer):
        return
    if name == "sort":
        ordered(frame, returned or _inside(frame, receiver))
    elif name in _SEARCHING:
        compared(frame, given, _inside(frame, receiver))
    if cls is not None and items.may_have_methods(frame, receiver):
        items.own_methods(frame, receiver, cls, name, args)
    if not plain(given) and name not in _STORING:
        if cls in _KEYED:
            hashed(frame, given)
            hashed(frame, NOTHING.union(*(items.within(frame, value) for value in args.values())))
        elif cls not in _CONTAINERS and cls is not None and facts.in_library(lookup.module_of(cls)):
            handed_over(frame, given)


def handed_over(frame: Frame, value: Value, names: tuple[str, ...] = OBSERVING) -> None:
    """The objects are given to a library function, which may ask them anything that leaves them as they are."""
    if plain(value):
        return
    for atom in parts(frame, value, attributes=True):
        if type(atom) is Function or type(atom) is Bound:
            continue
        if items.may_have_methods(frame, atom):
            one: Value = frozenset((atom,))
            library = frame.analysis.library
            for name in names:
                items.special(frame, one, name, Args(star=library))
