"""Names for things that outlive a process: a function's code, the types of its arguments, the size of an item."""

from __future__ import annotations

import functools
import math
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, FunctionType, MethodType
from typing import Any

from autopar._model.blake2 import blake2b

_COUNTED = (str, bytes, bytearray, list, tuple, dict, set, frozenset, range)
_LONGEST_TYPES = 300
_LARGEST = 64


def code_digest(function: Callable[..., Any], way: str = "") -> str:
    """A digest of a function's name and of its code, with the code inside it: the same in every process.

    What calls it, its line numbers, its file and its docstring's place do not matter, so it survives edits elsewhere;
    ``way`` tells apart what it is used for.
    Partial functions and bound methods count as the function inside; other callables by their class's ``__call__``.

    Examples
    --------
    >>> code_digest(lambda x: x + 1) == code_digest(lambda x: x + 2)
    False
    """
    target = _inside(function)
    kind = type(target)
    module = getattr(target, "__module__", None) or kind.__module__
    name = f"{module}.{getattr(target, '__qualname__', kind.__qualname__)}"
    code = getattr(target, "__code__", None)
    return _digest([name, *([_described(code)] if isinstance(code, CodeType) else []), *([way] if way else [])])


def codes_digest(codes: Iterable[CodeType]) -> str:
    """A digest of several code objects, whatever their order."""
    return _digest(sorted(map(_described, codes)))


def type_names(positional: Iterable[type], keyword: Iterable[tuple[str, type]] = ()) -> str:
    """The names of argument types, shortened to a digest if they are long.

    Examples
    --------
    >>> type_names([int, str], [("k", float)])
    'int, str, k=float'
    """
    names = [_type_name(kind) for kind in positional] + [f"{name}={_type_name(kind)}" for name, kind in keyword]
    text = ", ".join(names)
    return text if len(text) <= _LONGEST_TYPES else _digest([text])


def size_class(items: Sequence[Any], *, star: bool = False) -> int:
    """How large items are, as a logarithm to base 2: the middle one of a few.

    Parameters
    ----------
    items
        Some items of an input.
    star
        Each is a tuple of arguments, whose largest counts.

    Notes
    -----
    Texts, byte strings and containers count by length, arrays by their bytes, numbers by magnitude, since a number is
    often how much there is to do; objects of other classes count as nothing, for a look at them could run their code.

    Examples
    --------
    >>> size_class([3]), size_class([1000]), size_class(["x" * 1000]), size_class([object()])
    (2, 10, 10, 0)
    """
    sizes = sorted(_largest(item) if star and type(item) is tuple else _size(item) for item in items)
    return sizes[len(sizes) // 2] if sizes else 0


def _inside(function: Any) -> Any:
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif isinstance(function, (FunctionType, type)) or hasattr(function, "__qualname__"):
            return function
        else:
            call = getattr(type(function), "__call__", None)  # noqa: B004 - its code, not whether there is one
            return call if isinstance(call, FunctionType) else function


def _described(code: CodeType) -> str:
    constants = ",".join(map(_constant, code.co_consts))
    names = ",".join((*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars))
    return f"{code.co_name}|{code.co_code.hex()}|{code.co_flags}|{names}|{constants}"


def _constant(value: object) -> str:
    if isinstance(value, CodeType):
        return f"({_described(value)})"
    if isinstance(value, frozenset):  # its order differs from process to process
        return f"{{{','.join(sorted(map(_constant, value)))}}}"
    if isinstance(value, tuple):
        return f"({','.join(map(_constant, value))})"
    if type(value) is int:  # in hexadecimal, which has no limit on digits
        return f"int:{value:x}"
    return f"{type(value).__name__}:{value!r}"


def _digest(parts: Iterable[str]) -> str:
    text = "\n".join(parts).encode("utf-8", "backslashreplace")
    return blake2b(text, digest_size=16).hexdigest()


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _largest(arguments: tuple[Any, ...]) -> int:
    return max(map(_size, arguments), default=0)


def _size(value: Any) -> int:
    kind = type(value)
    if kind is int:
        return int(min(value.bit_length(), _LARGEST))
    if kind is float:
        return min(max(math.frexp(value)[1], -_LARGEST), _LARGEST) if math.isfinite(value) else 0
    if kind in _COUNTED:
        return min(len(value).bit_length(), _LARGEST)
    return int(_bytes_of(value)).bit_length()


def _bytes_of(value: Any) -> int:
    if isinstance(value, array):
        return len(value) * value.itemsize
    if type(value) is memoryview:
        return value.nbytes
    numpy = sys.modules.get("numpy")
    ndarray = getattr(numpy, "ndarray", None)
    return value.nbytes if ndarray is not None and type(value) is ndarray else 0
