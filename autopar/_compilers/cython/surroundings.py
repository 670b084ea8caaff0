"""What a generated function reaches besides its arguments: one tuple of its function, names, cells and constants."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from autopar._model.compiler import NotCompiled

__all__ = ["Places", "Surroundings", "surroundings_of"]

FIRST_CELL = 7
"""The places before are those of `support`: function, globals, builtins, code, miss, lines, calls."""


class Surroundings:
    """The constants and inner code of a function, as they are numbered while its text is written."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        code = function.__code__
        self.outer = {name: FIRST_CELL + i for i, name in enumerate(code.co_freevars)}
        self.constants: list[Any] = []
        self._known: dict[tuple[type, str], int] = {}
        self._own = {_key(value): value for value in code.co_consts if not isinstance(value, CodeType)}
        self._inner = [each for each in code.co_consts if isinstance(each, CodeType)]

    def constant(self, value: Any) -> str:
        """The text of a constant, which is the very object of the function's own code where that has it."""
        key = (CodeType, str(id(value))) if isinstance(value, CodeType) else _key(value)
        if key not in self._known:
            self._known[key] = FIRST_CELL + len(self.outer) + len(self.constants)
            self.constants.append(self._own.get(key, value))
        return f"AP_K(ap, {self._known[key]})"

    def code_of(self, node: ast.AST, name: str) -> CodeType:
        """The code of an inner function.

        Raises
        ------
        NotCompiled
            There are several of that name in one line.
        """
        line = getattr(node, "lineno", 0)
        found = [code for code in self._inner if code.co_name == name and code.co_firstlineno == line]
        if len(found) > 1:
            found = [code for code in found if _lies_in(code, node)]
        if len(found) != 1:
            raise NotCompiled(f"which of the functions {name} of this line is meant cannot be told", line)
        return found[0]


class Places(dict[int, tuple[CodeType, ...]]):
    """Line of the generated text -> the code objects whose frames a traceback shows for it."""

    def __init__(self, function: FunctionType, lines: tuple[tuple[str, int], ...]) -> None:
        super().__init__()
        self._function = function
        self._lines = lines

    def __missing__(self, line: int) -> tuple[CodeType, ...]:
        name, place = self._lines[line - 1] if 0 < line <= len(self._lines) else ("", 0)
        code = self._function.__code__
        made = () if not place else (_code_at(code.co_filename, code.co_name, code.co_qualname, name, place),)
        self[line] = made
        return made


@functools.lru_cache(maxsize=4096)
def _code_at(file: str, own_name: str, own_qualname: str, name: str, line: int) -> CodeType:
    """Empty code of a function's name and file, all of it in one line, and in no column (Objects/locations.md, 13)."""
    empty = next(each for each in compile("def f(): pass", "", "exec").co_consts if isinstance(each, CodeType))
    units = len(empty.co_code) // 2
    table = b"".join(bytes((0xE8 | (min(8, units - at) - 1), 0)) for at in range(0, units, 8))
    qualname = own_qualname if name == own_name else f"{own_qualname}.<locals>.{name}"
    return empty.replace(co_name=name, co_qualname=qualname, co_filename=file, co_firstlineno=line, co_linetable=table)


def surroundings_of(
    function: FunctionType, constants: tuple[Any, ...], lines: tuple[tuple[str, int], ...], miss: Callable[..., Any]
) -> tuple[Any, ...]:
    """The tuple itself.

    Parameters
    ----------
    constants
        In the order of their numbers.
    lines
        Of each line of the generated text: the name of the frame and the line of the file.
    miss
        Answers the calls that the generated function does not take, given arguments and keyword arguments.
    """
    named: Any = getattr(function, "__builtins__")  # noqa: B009 - it is not in typeshed
    inbuilt = vars(named) if not isinstance(named, dict) else named
    if type(function.__globals__) is not dict or type(inbuilt) is not dict:
        raise NotCompiled("its module's names are not in a plain dict", function.__code__.co_firstlineno)
    return (
        function,
        function.__globals__,
        inbuilt or vars(builtins),
        function.__code__,
        miss,
        Places(function, lines),
        bytearray(8),
        *(function.__closure__ or ()),
        *constants,
    )


def _lies_in(code: CodeType, node: Any) -> bool:
    """Whether all instructions of code come from a piece of the source."""
    first, last = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    known = [each for each in code.co_positions() if None not in each and each[2:] != (0, 0)]
    return bool(known) and all(first <= (a, c) and (b, d) <= last for a, b, c, d in known)


def _key(value: Any) -> tuple[type, str]:
    if isinstance(value, frozenset):
        return frozenset, repr(sorted(map(repr, value)))
    return type(value), repr(value)
