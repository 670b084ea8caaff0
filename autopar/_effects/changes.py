"""Changes to objects: whether they matter, and as what effect they count."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from autopar._effects import facts, lookup
from autopar._effects.values import NOTHING, Atom, Bound, Fresh, Known, Method, Outer, Value, type_of
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_OF_PROCESS: dict[int, str] = {
    id(obj): name
    for obj, name in (
        (os.environ, "os.environ"),
        (sys.path, "sys.path"),
        (sys.modules, "sys.modules"),
        (sys.argv, "sys.argv"),
        (sys.meta_path, "sys.meta_path"),
        (sys.path_hooks, "sys.path_hooks"),
        (sys.warnoptions, "sys.warnoptions"),
        (warnings.filters, "warnings.filters"),
    )
}
_OWNED_BY_CALLER = frozenset(
    {EffectKind.WRITES_ARGUMENT, EffectKind.WRITES_SELF, EffectKind.WRITES_DEFAULT, EffectKind.WRITES_CLOSURE}
)


def mutate(frame: Frame, value: Value) -> None:
    """The objects of `value` are changed."""
    for atom in value:
        _mutate(frame, atom)


def mutate_deep(frame: Frame, value: Value) -> None:
    """The objects, or anything inside them, are changed."""
    for atom in contents(frame, value):
        _mutate(frame, atom)


def contents(frame: Frame, value: Value) -> Value:
    """The objects and all that is known to be inside them."""
    seen: Value = NOTHING
    todo = value
    while todo:
        seen = seen | todo
        inside = NOTHING
        for atom in todo:
            if type(atom) is Fresh and atom.site is not None:
                for field in list(atom.site.fields):
                    inside = inside | frame.analysis.read_field(atom.site, field)
            elif type(atom) is Method or type(atom) is Bound:
                inside = inside | {atom.receiver}
        todo = inside - seen
    return seen


def _mutate(frame: Frame, atom: Atom) -> None:
    if type(atom) is Fresh:
        if atom.site is not None and atom.site.through:
            atom.site.through = False
            mutate_deep(frame, frame.analysis.read_field(atom.site, "wrapped"))
            atom.site.through = True
        return
    if type(atom) is Method:
        # An attribute of an object of unknown type, not called but changed: it belongs to what the object reaches.
        _mutate_attribute(frame, atom)
        return
    if type(atom) is Bound:
        return
    if type(atom) is Known:
        if id(atom.obj) in _OF_PROCESS:
            frame.effect(EffectKind.PROCESS_STATE, _OF_PROCESS[id(atom.obj)])
            return
        if facts.immutable(type(atom.obj)) or (atom.origin is None and not _standard_stream(atom.obj)):
            return
    elif type(atom) is not Outer or facts.immutable(atom.type):
        return
    cls = type_of(atom)
    known = facts.type_facts(cls) if cls is not None else None
    report(frame, atom, known.kind if known else None, bool(known and known.always))


def _mutate_attribute(frame: Frame, atom: Method) -> None:
    receiver = atom.receiver
    if type(receiver) is Fresh and receiver.site is not None:
        held = frame.analysis.read_field(receiver.site, f".{atom.name}") | frame.analysis.read_items(receiver.site)
        mutate(frame, frozenset(part for part in held if type(part) is not Method))
    else:
        _mutate(frame, receiver)


def _standard_stream(obj: Any) -> bool:
    return obj is sys.stdout or obj is sys.stderr or obj is sys.__stdout__ or obj is sys.__stderr__


def report(frame: Frame, atom: Known | Outer, kind: EffectKind | None = None, always: bool = False) -> None:
    """The effect of changing an object that outlives the call; `kind` is how it counts where the program shares it."""
    origin = atom.origin
    if origin is None:
        frame.effect(kind or EffectKind.WRITES_SHARED, "a shared object")
        return
    if kind is None or (origin.kind in _OWNED_BY_CALLER and not always):
        kind = origin.kind
    frame.effect(kind, origin.what)
    if kind is not EffectKind.LOCK:  # what a lock guards is what changes, not the lock
        frame.analysis.recorder.wrote(origin)


def set_attribute(frame: Frame, atom: Atom, name: str) -> None:
    """An attribute of the object is set or deleted."""
    if type(atom) is Method:
        _mutate_attribute(frame, atom)
    if type(atom) is Known and _is_thread_local(type(atom.obj)):
        report(frame, atom, EffectKind.THREAD_LOCAL, True)
    elif type(atom) is Known and atom.origin is not None:
        what = atom.origin.what if _is_self(atom) else f"attribute '{name}' of {atom.origin.what}"
        frame.effect(atom.origin.kind, what)
        frame.analysis.recorder.wrote(atom.origin)
    elif type(atom) is Outer and (not facts.immutable(atom.type) or issubclass(atom.type or object, type)):
        report(
            frame, atom, EffectKind.THREAD_LOCAL if _is_thread_local(atom.type) else None, _is_thread_local(atom.type)
        )


def _is_self(atom: Known) -> bool:
    return atom.origin is not None and atom.origin.kind is EffectKind.WRITES_SELF


def thread_local(frame: Frame, atom: Atom, cls: type | None) -> None:
    """Looking at a thread-local that outlives the call depends on the thread."""
    if cls is not None and (type(atom) is Known or type(atom) is Outer) and _is_thread_local(cls):
        report(frame, atom, EffectKind.THREAD_LOCAL, True)


def _is_thread_local(cls: type | None) -> bool:
    return cls is not None and threading.local in lookup.mro(cls)
