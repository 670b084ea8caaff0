"""What is done when the program ends: after exit handlers of whoever has imported autopar, so that these may map."""

from __future__ import annotations

import atexit

TYPE_CHECKING = False  # to a type checker it is true by its name
if TYPE_CHECKING:
    from collections.abc import Callable

_last: list[Callable[[], None]] = []


def at_the_end(do: Callable[[], None]) -> None:
    """Call it when the program ends, the latest addition first."""
    _last.append(do)


def not_at_the_end(do: Callable[[], None]) -> None:
    """Do not call it, if it was to be called."""
    if do in _last:
        _last.remove(do)


def _end() -> None:
    while _last:
        _last.pop()()


# Handlers are called in the opposite order of their registration, and this module is imported with autopar.
atexit.register(_end)
