"""Threads of autopar's own, for which the end of the program does not wait."""

from __future__ import annotations

import _thread
import threading

TYPE_CHECKING = False  # to a type checker it is true by its name
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

ABANDONED: bool = getattr(_thread, "daemon_threads_allowed", lambda: True)()
"""Threads may be left behind: not in a further interpreter of the process, which waits for all of them at its end."""


def own_thread(target: Callable[..., object], name: str, args: Iterable[Any] = ()) -> threading.Thread:
    """A thread that is not started yet."""
    return threading.Thread(target=target, name=name, args=args, daemon=ABANDONED)


def before_waiting(do: Callable[[], object]) -> None:
    """Where the interpreter waits for all of its threads at its end, call this before."""
    if not ABANDONED:
        register: Any = getattr(threading, "_register_atexit")  # noqa: B009 -- what `concurrent.futures` stands on
        register(do)
