"""Looks things up in the tables: what a library callable does, what a class allows, what a method name means."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

from autopar._effects import (
    lookup,
    tables_in_place,
    tables_methods,
    tables_numpy,
    tables_packages,
    tables_pandas,
    tables_standard,
    tables_types,
)
from autopar._effects.tables_types import TypeFacts
from autopar._model.effects import EffectKind

_EFFECTS = tables_standard.EFFECTS | tables_numpy.EFFECTS | tables_packages.EFFECTS | tables_pandas.EFFECTS
_WRITES = tables_standard.WRITES | tables_numpy.WRITES | tables_pandas.WRITES
_RESULTS = tables_standard.RESULTS | tables_numpy.RESULTS
_CALLBACKS = tables_standard.CALLBACKS | tables_numpy.CALLBACKS | tables_pandas.CALLBACKS
_TYPES = tables_types.TYPES | tables_pandas.TYPES

_ALIASES = {
    "posixpath": "os.path",
    "ntpath": "os.path",
    "genericpath": "os.path",
    "posix": "os",
    "nt": "os",
    "_thread": "threading",
    "_sre": "re",
    "_md5": "hashlib",
    "_sha1": "hashlib",
    "_sha2": "hashlib",
    "_sha3": "hashlib",
    "_sha256": "hashlib",
    "_sha512": "hashlib",
    "_blake2": "hashlib",
    "_elementtree": "xml",
    "_pydecimal": "decimal",
    "_pydatetime": "datetime",
    "_pyio": "io",
    "_py_warnings": "warnings",
    "_posixsubprocess": "subprocess",
    "_multiprocessing": "multiprocessing.synchronize",
}
_KEPT = frozenset({"_collections_abc", "_weakrefset", "_py_abc", "_strptime", "_compression", "__future__"})


@functools.lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """The documented name of what calls itself `name`: ``_io.open`` is ``io.open``, ``posixpath.join`` is
    ``os.path.join``.
    """
    head, _, rest = name.partition(".")
    if head in _ALIASES:
        return f"{_ALIASES[head]}.{rest}"
    if head == "numpy":
        parts = rest.split(".")
        if parts[0] in ("random",):
            public = [part for part in parts[1:] if not (part.startswith("_") or part in ("mtrand", "bit_generator"))]
            return ".".join(["numpy.random", *public])
        if parts[0] in ("core", "_core"):
            return f"numpy.{parts[-1]}"
    if head == "_hashlib" and rest.startswith("openssl_"):
        return f"hashlib.{rest[8:]}"
    if head.startswith("_") and head not in _KEPT and len(head) > 1:
        return f"{head.lstrip('_')}.{rest}"
    return name


@functools.lru_cache(maxsize=4096)
def effect_of(name: str) -> tuple[bool, EffectKind | None]:
    """Whether a callable is in the tables, and its effect."""
    return _longest(_EFFECTS, name)


@functools.lru_cache(maxsize=4096)
def result_of(name: str) -> str:
    """What a call of a library callable gives, as in `tables_standard.RESULTS`."""
    found, result = _longest(_RESULTS, name)
    return result or "shell" if found else "shell"


def writes_of(name: str) -> tuple[int | str, ...]:
    """The parameters that a library callable changes."""
    return _WRITES.get(name, ())


def in_place_of(name: str) -> tuple[int | str, ...]:
    """The parameters that a library callable changes by ``+=`` and the like, where what they hold can be changed so."""
    return tables_in_place.IN_PLACE.get(name, ())


def may_change_in_place(method: str) -> bool:
    """Whether some class of the library has a method of that name in the table that `in_place_of` asks."""
    return method in tables_in_place.METHODS


def callbacks_of(name: str) -> tuple[int | str, ...]:
    """The parameters that a library callable calls."""
    return _CALLBACKS.get(name, ())


def stated(name: str) -> bool:
    """Whether the tables say something of this very name, not of its module only."""
    name = canonical(name)
    return name in _EFFECTS or name in _WRITES


WRAPPERS = tables_standard.WRAPPERS


def _longest(table: dict[str, Any], name: str) -> tuple[bool, Any]:
    prefix = name
    while prefix:
        if prefix in table:
            return True, table[prefix]
        prefix = prefix.rpartition(".")[0]
    return False, None


def in_library(module: str) -> bool:
    """Whether the functions of a module are known by the tables."""
    return effect_of(canonical(module + ".x"))[0]


def in_tables(function: types.FunctionType, own_modules: frozenset[str] = frozenset()) -> bool:
    """Whether a Python function is taken from the tables instead of being followed.

    A library's decorator that holds a function of the program is followed: `contextlib.contextmanager` makes such ones.
    """
    module = function.__globals__.get("__name__")
    if type(module) is not str or not in_library(module) or module.partition(".")[0] in own_modules:
        return False
    for cell in function.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:  # an empty cell
            continue
        if type(held) is types.FunctionType and held is not function and not in_tables(held):
            return False
    return True


def type_facts(cls: type) -> TypeFacts | None:
    """What the methods of a class do, if it or a base is in the tables."""
    if cls in _PLAIN:
        return None
    for base in lookup.mro(cls):
        name = canonical(lookup.class_name(base))
        found = _TYPES.get(name)
        if found is None and name.startswith("itertools."):
            found = _TYPES["itertools"]
        if found is not None:
            return found
    return None


_PLAIN = frozenset({int, float, complex, bool, str, bytes, tuple, frozenset, type(None), range, slice, object})
_SCALARS = frozenset({int, float, complex, bool, str, bytes, type(None), range, slice, type(...)})


def immutable(cls: type | None) -> bool:
    """Whether no method and no in-place operator changes an object of that class."""
    if cls is None:
        return False
    if cls in _PLAIN:
        return True
    for base in lookup.mro(cls):
        if base is not object and canonical(lookup.class_name(base)) in tables_types.IMMUTABLE:
            return base is cls or base not in _PLAIN
    return False


def scalar(cls: type | None) -> bool:
    """Whether an object of that class neither changes nor holds anything that does."""
    if cls is None:
        return False
    if cls in _SCALARS:
        return True
    if cls in _HOLDERS:
        return False
    return immutable(cls)


_HOLDERS = frozenset({tuple, frozenset, functools.partial, object})


_KEEP_NOTHING = (
    "http.client.",
    "socket.",
    "sqlite3.",
    "ssl.",
    "smtplib.",
    "ftplib.",
    "imaplib.",
    "urllib.request.OpenerDirector",
)


def keeps_nothing(cls: type) -> bool:
    """Whether what the methods of a class are given never comes back: a connection."""
    return canonical(lookup.class_name(cls)).startswith(_KEEP_NOTHING)


def answer_of(cls: type, name: str) -> str:
    """What a method of such a class gives, as in `tables_standard.RESULTS`."""
    return tables_types.ANSWERS.get(f"{canonical(lookup.class_name(cls))}.{name}", "fresh")


def used_up(cls: type | None) -> bool:
    """Whether iterating over an object of that class changes it."""
    if cls is None or cls in _PLAIN:
        return False
    for base in lookup.mro(cls):
        name = canonical(lookup.class_name(base))
        if name in tables_types.ITERATORS or name.startswith("itertools."):
            return True
    return False


def mutating(name: str) -> bool:
    """Whether a method of that name changes its object, whatever that is."""
    return name in tables_methods.MUTATING


def named_effect(name: str) -> EffectKind | None:
    """The effect a method of that name has whatever its object is."""
    return tables_methods.NAMED_EFFECTS.get(name)


def reading(name: str) -> str | None:
    """What a method gives that only reads, by its name; None if the name is not known."""
    return tables_methods.READING.get(name)


def of_frames(cls: type | None, name: str) -> EffectKind | None:
    """The effect that a method of that name has if its object is a frame or series of pandas, which it may be."""
    if name not in tables_pandas.METHODS or "pandas" not in sys.modules:
        return None
    mine = cls is None or any(lookup.module_of(base).startswith("pandas") for base in lookup.mro(cls))
    return tables_pandas.METHODS[name] if mine else None


def is_logger(cls: type) -> bool:
    """Whether its objects are loggers."""
    return any(lookup.class_name(base) == "logging.Logger" for base in lookup.mro(cls))
