"""How workers end: their process groups, so that what an item has started and left behind ends with a worker that dies.

A worker leads a group of its own, and the processes that its items start are in it unless they leave it. When a worker
has died, or was killed because its time was up, they are orphans that nobody waits for.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress


def lead() -> None:
    """Make this process the leader of a group of its own; called by a worker when it starts.

    Outside of the terminal's foreground group a process is stopped when it reads from the terminal. Nobody would
    continue it, so it gets an error instead.
    """
    if not hasattr(os, "setpgid"):
        return
    with suppress(PermissionError):  # It leads a session, and so a group.
        os.setpgid(0, 0)
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)


def end(leader: int | None) -> None:
    """End what is left of a worker's group, right after the worker's own end.

    The number stays the group's for as long as anything is in it.
    """
    if leader and hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def own() -> int | None:
    """The group of this process, as a negative number, if it leads one."""
    return -os.getpid() if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid() else None


def end_own(status: int) -> None:
    """End this process with all of its group, if it is its leader."""
    if own() is not None:
        os.killpg(0, signal.SIGKILL)
    os._exit(status)


def in_words(exitcode: int | None) -> str:
    """How a worker ended."""
    if exitcode is None:  # It has only closed its pipe, or the system forgets children since SIGCHLD is ignored.
        return "is gone, with an exit code that is not known"
    return f"ended with signal {-exitcode}" if exitcode < 0 else f"ended with exit code {exitcode}"
