"""Keeps the warnings of items in a worker process, for the caller to issue.

The caller's filters hold here too, so a warning that they make an error is raised by the item, and one that they ignore
is gone. Those that are shown are kept; the caller issues them again, where its own filters and its memory of what was
shown already decide. For that this process must not remember what earlier chunks have shown.
"""

from __future__ import annotations

import builtins
import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

from autopar._backends import said
from autopar._backends.pickling import dumps
from autopar._model.work import WARNING

_showwarning: Any = warnings.showwarning
_shown = False


def watch() -> None:
    """Keep warnings from now on; again, if a module has put its own function in the place."""
    global _showwarning
    if warnings.showwarning is not _keep:
        _showwarning = warnings.showwarning
        warnings.showwarning = _keep


def forget() -> None:
    """Let each warning be shown once again."""
    global _shown
    if _shown:
        _shown = False
        warnings.onceregistry.clear()  # type: ignore[attr-defined]
        with warnings.catch_warnings():
            pass  # A change of filters, which entering and leaving this is, makes all registries invalid.


def _keep(
    message: Any, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    global _shown
    _shown = True
    keeper = said.current()
    # From Python 3.14 on `catch_warnings(record=True)` may record in a context of its own and leave this function be.
    context = getattr(warnings, "_get_context", None)
    recorded = context is not None and context().log is not None
    if keeper is None or file is not None or recorded:
        show = warnings._showwarning_orig if recorded else _showwarning  # type: ignore[attr-defined]
        show(message, category, filename, lineno, file, line)
        return
    where = filename, lineno, _module(filename, lineno)
    keeper.keep(WARNING, (_pack(message), _standard(category), str(message), *where))


def _pack(message: Warning) -> bytes | None:
    try:
        return dumps(message)
    except Exception:
        return None


def _standard(category: type[Warning]) -> str:
    """The closest built-in category, for a warning that does not travel."""
    name: str = next(base.__name__ for base in category.__mro__ if getattr(builtins, base.__name__, None) is base)
    return name


def _module(filename: str, lineno: int) -> str | None:
    """The name of the module whose line warned, which `showwarning` is not told."""
    for frame in _frames(sys._getframe(2)):
        if frame.f_lineno == lineno and frame.f_code.co_filename == filename:
            name: str | None = frame.f_globals.get("__name__")
            return name
    return None


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
