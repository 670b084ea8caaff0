"""Operators and methods that may be those of arrays: C code without a name of its own that may release the GIL.

An array comes from outside of the call, from a library, whose calls are reported by name, or from an operator on one.
So of what the call itself has made only what is known to be an array counts. Pickles and copies give what they hold.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from autopar._effects import facts, items, lookup
from autopar._effects.values import Args, ArraySlice, Known, LibraryObject, Outer, Value, type_of
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_ON_ARGUMENTS = (
    "builtins.abs",
    "builtins.divmod",
    "builtins.pow",
    "builtins.round",
    "copy.",
    "operator.",
    "pickle.load",
)
_ON_MEMBERS = (
    "builtins.max",
    "builtins.min",
    "builtins.sum",
    "functools.reduce",
    "itertools.accumulate",
    "statistics.",
)
"""Beginnings of the names of library functions that run the operators of what they are given, or of what that holds."""

_FEW, _DEEP = 8, 3
_SEQUENCES = (list, tuple, set, frozenset, collections.deque)


def note(frame: Frame, what: str, value: Value) -> None:
    """An operation on these objects, named in words."""
    recorder = frame.analysis.recorder
    for atom in value:
        cls = type_of(atom)
        if cls is None or cls is LibraryObject or cls is ArraySlice:
            if type(atom) is Outer:
                recorder.worked(what, atom.origin.kind is EffectKind.WRITES_ARGUMENT, atom.origin.key)
        elif array_like(cls):
            argument = type(atom) is Outer and atom.origin.kind is EffectKind.WRITES_ARGUMENT
            recorder.worked(what, argument, None)
        elif type(atom) is Known and lookup.is_one_of(atom.obj, _SEQUENCES) and holds_arrays(atom.obj):
            recorder.worked(what, False, None)


def note_call(frame: Frame, name: str, args: Args) -> None:
    """A call of a library function by its dotted name."""
    if name.startswith(_ON_ARGUMENTS + _ON_MEMBERS):
        what = f"{name.removeprefix('builtins.')}()"
        for value in args.values():
            note(frame, what, value)
            if name.startswith(_ON_MEMBERS):
                note(frame, what, items.elements(frame, value))


def array_like(cls: type) -> bool:
    """Whether its objects may be arrays, or hold some: classes of packages and extensions, but no NumPy scalar."""
    if lookup.module_of(cls) == "builtins":
        return False
    bases = [base for base in lookup.mro(cls) if _first(base) not in sys.stdlib_module_names]
    if any(lookup.class_name(base) == "numpy.generic" for base in bases):
        return False
    return any(facts.in_library(lookup.module_of(base)) or lookup.written_in_c(base) for base in bases)


def _first(cls: type) -> str:
    return str(lookup.module_of(cls)).partition(".")[0].lstrip("_")


def global_holds_arrays(module: str, name: str) -> bool:
    """Whether a module-level name stands for an array, or for a container with arrays among its first members."""
    found = sys.modules.get(module)
    return found is None or holds_arrays(lookup.in_module(found, name))


def holds_arrays(value: Any, deep: int = _DEEP) -> bool:
    """Whether an object is an array, or has one among its first members."""
    cls = type(value)
    if array_like(cls):
        return True
    members: Iterable[Any] = ()
    if lookup.is_one_of(value, _SEQUENCES):
        members = value
    elif lookup.is_one_of(value, (dict, collections.OrderedDict, collections.defaultdict)):
        members = dict.values(value)
    else:
        members = dict.values(lookup.instance_dict(value))
    few = list(islice(members, _FEW))
    return any(holds_arrays(member, deep - 1) for member in few) if deep else bool(few)
