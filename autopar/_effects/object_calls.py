"""Library calls about the parts of objects: items, ``__new__``, casts, thread-locals and files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from autopar._effects import attributes, items, iteration, library, lookup, operators
from autopar._effects.special import SPECIAL, first, handles, strings
from autopar._effects.values import (
    NOTHING,
    Args,
    Known,
    LibraryObject,
    Value,
)
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_HAVE_NEW = "object tuple dict list str int float frozenset BaseException Exception type".split()


@handles("operator.setitem", "operator.delitem")
def _setitem(frame: Frame, args: Args) -> Value:
    items.store(frame, first(args), args.get(1) or NOTHING, args.get(2))
    return frame.analysis.none


@handles("operator.getitem")
def _getitem(frame: Frame, args: Args) -> Value:
    return items.load(frame, first(args), args.get(1) or NOTHING)


@handles("object.__new__", *(f"builtins.{name}.__new__" for name in _HAVE_NEW))
def _new(frame: Frame, args: Args) -> Value:
    """``object.__new__(cls)``."""
    made = NOTHING
    content = library.carried(frame, NOTHING.union(*args.positional[1:], *args.keywords.values()))
    for atom in first(args):
        if type(atom) is Known and lookup.is_class(atom.obj):
            made = made | frame.container(atom.obj, content, "new")
    return made or operators.untyped(frame, content)


def of_object(frame: Frame, name: str, args: Args) -> Value | None:
    """A method of `object` called through the class; None for those that are like any other."""
    if name in ("__setattr__", "__delattr__"):
        for field in strings(args.get(1) or NOTHING) or ["(computed)"]:
            for atom in first(args):
                attributes.store_directly(frame, atom, field, args.get(2))
        return frame.analysis.none
    if name == "__getattribute__":
        return SPECIAL["builtins.getattr"](frame, args)
    if name == "__init__":
        return frame.analysis.none
    if name in ("__repr__", "__str__", "__format__"):
        return frame.analysis.str
    return None


@handles("typing.cast")
def _cast(frame: Frame, args: Args) -> Value:
    return args.get(1) or frame.analysis.library


@handles("asyncio.gather", "asyncio.wait_for", "asyncio.shield", "asyncio.as_completed", "asyncio.wait")
def _gather(frame: Frame, args: Args) -> Value:
    """Awaits its arguments: what they return is inside."""
    inside = NOTHING
    for value in args.values():
        inside = inside | iteration.sent(frame, iteration.awaited(frame, value))
    return frame.container(LibraryObject, inside)


@handles("contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext")
def _hold(frame: Frame, args: Args) -> Value:
    """A context that gives its argument, and may close it."""
    made = frame.container(LibraryObject, NOTHING)
    items.put(frame, made, "enter", first(args) or frame.analysis.none)
    return made


@handles("threading.local")
def _thread_local(frame: Frame, args: Args) -> Value:
    return frame.container(LibraryObject, NOTHING)


@handles("builtins.open", "io.open")
def _open(frame: Frame, args: Args) -> Value:
    return frame.analysis.library


@handles("logging.getLogger")
def _get_logger(frame: Frame, args: Args) -> Value:
    """Some logger of the program: the root stands for it."""
    pool = frame.analysis.pool
    logging = sys.modules.get("logging")
    if logging is None:
        return frame.analysis.library
    return pool.known(vars(logging)["root"], pool.origin(EffectKind.WRITES_SHARED, "a logger"))
