"""What a later process has to know of a compiled kernel, so that it needs no front end: a text beside the object.

It is found by the function's code and the types of a call, and says which names the kernel rests on. These are looked
up anew, and only if each has the value that it had then is the object loaded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autopar._compilers.native.cache import ObjectCache
from autopar._compilers.native.loader import VERSION, Library, load_cached, name_of
from autopar._compilers.native.toolchain import find_toolchain
from autopar._kernel import types as t
from autopar._kernel.kernel import Kernel
from autopar._kernel.names import Facts
from autopar._model.blake2 import blake2b

_SCALARS: dict[str, t.Type] = {"int": t.Int(), "float": t.Float(), "bool": t.Bool(), "None": t.Nothing()}


class _Unknown(Exception):  # noqa: N818 - it is no error: the front end is asked
    """Something has no text that tells it from others."""


def find(
    function: Callable[..., Any], types: tuple[t.Type, ...], notes: list[str], *, rtol: float, flags: tuple[str, ...]
) -> tuple[Kernel, Library] | None:
    """The kernel and the code of a function for these types, if an earlier process has left them.

    What was not believed is added to ``notes``, in words.
    """
    if type(function) is not FunctionType:
        return None
    cache_ = ObjectCache.from_environment()
    try:
        content = cache_.read_manifest(_key(function, types, rtol, flags))
        if content is None:
            return None
        said = json.loads(content)
        lookups = tuple((str(kind), int(owner), str(name)) for kind, owner, name in said["lookups"])
        facts = Facts.again(function, lookups)
        if said["values"] != _values(facts):
            return None
        kernel = _kernel_of(said, function, types, facts, lookups)
        library = load_cached(str(said["object"]), cache_)
    except (_Unknown, NameError, AttributeError, KeyError, ValueError, TypeError, IndexError):
        return None
    finally:
        notes += cache_.notes
    return None if library is None else (kernel, library)


def keep(kernel: Kernel, text: str, function: Callable[..., Any], *, rtol: float, flags: tuple[str, ...]) -> None:
    """Leave what :func:`find` needs, where everything that the kernel rests on can be told in words."""
    if type(function) is not FunctionType or kernel.lookups is None:
        return
    try:
        facts = Facts.again(function, kernel.lookups)
        said = {
            "object": name_of(text, flags),
            "lookups": kernel.lookups,
            "values": _values(facts),
            "names": [name for name, _ in kernel.parameters],
            "result": _written_type(kernel.result),
            "exits": [[number, line, reason] for number, (line, reason) in kernel.exits.items()],
            "file": kernel.file,
            "line": kernel.line,
            "written": sorted(kernel.written),
            "read": sorted(kernel.read),
            "may_exit_after_write": kernel.may_exit_after_write,
            "float_flags": kernel.float_flags,
            "whole_arrays": kernel.whole_arrays,
        }
        key = _key(function, tuple(kind for _, kind in kernel.parameters), rtol, flags)
    except (_Unknown, NameError, AttributeError):
        return
    ObjectCache.from_environment().keep_manifest(key, json.dumps(said).encode())


def _kernel_of(
    said: dict[str, Any],
    function: FunctionType,
    types: tuple[t.Type, ...],
    facts: Facts,
    lookups: tuple[tuple[str, int, str], ...],
) -> Kernel:
    return Kernel(
        name=function.__name__,
        file=str(said["file"]),
        line=int(said["line"]),
        parameters=tuple(zip(map(str, said["names"]), types, strict=True)),
        result=_read_type(said["result"]),
        body=[],
        variables={},
        slots=(),
        results=(),
        restrict=frozenset(),
        owners=(),
        exits={int(number): (int(line), str(reason)) for number, line, reason in said["exits"]},
        facts=tuple(facts.found.values()),
        written=frozenset(map(int, said["written"])),
        read=frozenset(map(int, said["read"])),
        may_exit_after_write=bool(said["may_exit_after_write"]),
        float_flags=bool(said["float_flags"]),
        whole_arrays=bool(said["whole_arrays"]),
        lookups=lookups,
    )


# -- in words ---------------------------------------------------------------------------------------------------------


def _key(function: FunctionType, types: Iterable[t.Type], rtol: float, flags: tuple[str, ...]) -> str:
    toolchain = find_toolchain().with_flags(flags)
    numpy = sys.modules.get("numpy")
    parts = [VERSION, sys.version, toolchain.key, _front_end(), getattr(numpy, "__version__", ""), str(rtol > 0)]
    parts += [str(__debug__), function.__module__ or "", _code(function), *map(str, types)]
    digest = blake2b(digest_size=16)
    for part in parts:
        piece = part.encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()


@cache
def _front_end() -> str:
    """What tells this front end from another: names, sizes and times of its files."""
    here = os.path.dirname(os.path.abspath(__file__))
    found = []
    for folder in (here, os.path.join(here, "emit"), os.path.join(here, "..", "..", "_kernel")):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".py"):
                        status = entry.stat()
                        found.append((entry.name, status.st_size, status.st_mtime_ns))
        except OSError:
            raise _Unknown from None
    if not found:
        raise _Unknown
    return repr(sorted(found))


def _values(facts: Facts) -> list[str]:
    """What each look-up gave, in words that no two things share."""
    return [_value(fact.value[0] if fact.by == "function" else fact.value) for fact in facts.found.values()]


def _value(value: Any) -> str:
    kind = type(value)
    if kind in (int, bool, type(None), str):
        return f"{kind.__name__} {value!r}"
    if kind is float:
        return f"float {value.hex()}"
    if kind is tuple:
        return f"({', '.join(map(_value, value))})"
    if kind is FunctionType:
        return f"function {_code(value)}"
    if kind is ModuleType:
        return f"module {value.__name__}"
    return f"{kind.__name__} {_address(value)}"


def _address(value: Any) -> str:
    """Where something of a library is found under its own name."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    for module in (getattr(value, "__module__", None), "numpy"):
        found: Any = sys.modules.get(module) if isinstance(module, str) else None
        if found is not None and isinstance(name, str) and getattr(found, name, None) is value:
            return f"{module}.{name}"
    raise _Unknown


def _code(function: FunctionType) -> str:
    defaults, by_name = function.__defaults__ or (), function.__kwdefaults__ or {}
    if any(type(value) is FunctionType for value in (*defaults, *by_name.values())):
        raise _Unknown
    return repr([_of_code(function.__code__), _value(tuple(defaults)), [(k, _value(v)) for k, v in by_name.items()]])


def _of_code(code: CodeType) -> list[Any]:
    constants = [
        _of_code(one) if isinstance(one, CodeType) else (type(one).__name__, repr(one)) for one in code.co_consts
    ]
    own = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_linetable", "co_firstlineno")
    counts = ("co_flags", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount")
    return [code.co_name, code.co_filename, constants, *(getattr(code, name) for name in (*own, *counts))]


def _written_type(kind: t.Type) -> Any:
    if isinstance(kind, t.Tuple):
        return ["tuple", *map(_written_type, kind.items)]
    if isinstance(kind, t.Argument):
        return ["argument", kind.index]
    if isinstance(kind, t.Array):
        return ["array", kind.dtype, kind.ndim, kind.layout]
    if isinstance(kind, t.List):
        return ["list", str(kind.item), kind.ndim]
    return ["numpy", kind.dtype] if isinstance(kind, t.NpScalar) else ["scalar", str(kind)]


def _read_type(said: Any) -> t.Type:
    word, *rest = said
    if word == "tuple":
        return t.Tuple(tuple(map(_read_type, rest)))
    if word == "argument":
        return t.Argument(int(rest[0]))
    if word == "array" and rest[0] in t.DTYPES:
        return t.Array(rest[0], int(rest[1]), str(rest[2]))
    if word == "list":
        return t.List(_SCALARS[rest[0]], int(rest[1]))
    if word == "numpy" and rest[0] in t.DTYPES:
        return t.NpScalar(rest[0])
    return _SCALARS[rest[0]]
