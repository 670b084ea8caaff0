"""Calls items from a frame that looks like the line of the program that asked for the map.

In the loop that line is what an item finds when it looks at its caller, and where ``warnings.warn(..., stacklevel=2)``
says that it warns; filters and the memory of what was shown go by it. The frame has the file, the line and the globals
of that line, and nothing else of it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from types import CodeType, FunctionType
from typing import Any

from autopar._model.work import Line


def _from(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


async def _from_async(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def standing_at(line: Line | None) -> Callable[..., Any]:
    """A function that calls its first argument with the others."""
    return _from if line is None else FunctionType(_code(_from.__code__, *line[:2]), _globals(line))


def awaiting_at(line: Line | None) -> Callable[[Awaitable[Any]], Awaitable[Any]]:
    """A coroutine function that awaits its argument."""
    return _from_async if line is None else FunctionType(_code(_from_async.__code__, *line[:2]), _globals(line))


@functools.lru_cache(256)
def _code(code: CodeType, filename: str, lineno: int) -> CodeType:
    body = max(line for _, _, line in code.co_lines() if line is not None) - code.co_firstlineno
    name = "<map>"
    return code.replace(co_filename=filename, co_firstlineno=max(0, lineno - body), co_name=name, co_qualname=name)


_of_modules: dict[str, dict[str, Any]] = {}


def _globals(line: Line) -> dict[str, Any]:
    """The globals of the line; in another process those of its module there, or others of that name."""
    if line.names is not None:
        return line.names
    loaded = sys.modules.get(line.module)
    if loaded is not None and line.module != "__main__":
        return vars(loaded)
    return _of_modules.setdefault(line.module, {"__name__": line.module})
