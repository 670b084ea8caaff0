"""How a worker ends with its parent: at once, whatever it is at.

Each worker has one end of a pipe whose other end only the parent has, and the system closes that whatever the parent
ends by. Linux sends a signal then if it is asked to (``F_SETSIG``, ``F_SETOWN`` and ``O_ASYNC`` of fcntl(2)), so the
worker is killed without doing anything for it: an item may hold the GIL in C. Where the other end is in other hands
too, as those of a process that the parent has forked, and on other systems, a thread waits for the end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import parent_process
from typing import Any

from autopar._backends import groups


class _Now:
    """What this process is at."""

    busy = False
    killer: int | None = None
    """The descriptor by which it is killed."""


def at_work() -> None:
    """From now on all that an item has started ends with this process, if the parent does."""
    _Now.busy = True
    if _Now.killer is not None:
        _kill_by(_Now.killer, groups.own() or os.getpid())


def at_rest() -> None:
    """No chunk is under way: what earlier items have left behind is theirs."""
    _Now.busy = False
    if _Now.killer is not None:
        _kill_by(_Now.killer, os.getpid())


def pipe_for_children() -> int | None:
    """The number of this process's end of a pipe that nobody else has, for children to whom it gave none; or None."""
    global _for_children
    if sys.platform != "linux":
        return None
    with _lock:
        if _for_children is None:
            _for_children = os.pipe()
        return _for_children[0]


_lock = threading.RLock()
_for_children: tuple[int, int] | None = None


def _forget() -> None:
    global _for_children, _lock
    _lock = threading.RLock()
    if _for_children is not None:
        for each in _for_children:
            os.close(each)
        _for_children = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def end_with_parent(pipe: int | None = None) -> None:
    """Leave at once when the parent is gone, in the middle of an item too.

    Parameters
    ----------
    pipe
        What :func:`pipe_for_children` gave in the parent, for workers that it starts itself and that have no pipe to
        it of their own.
    """
    parent = parent_process()
    if parent is None:
        return
    try:
        ends = [end for end in (parent.sentinel, _process(parent.pid)) if end is not None]
    except ProcessLookupError:  # It has ended before there was anything to tell of it.
        os._exit(1)
    if parent.sentinel is not None:
        _be_killed_with(f"/proc/self/fd/{parent.sentinel}")
    elif pipe is not None:
        if os.getppid() != parent.pid:  # So it has, and another process has its number by now.
            os._exit(1)
        _be_killed_with(f"/proc/{parent.pid}/fd/{pipe}")
    if not ends:
        return
    if wait(ends, 0):
        os._exit(1)

    def watch() -> None:
        wait(ends)
        if _Now.busy:
            groups.end_own(1)  # with what its item has started
        os._exit(1)

    threading.Thread(target=watch, name="autopar-parent-watch", daemon=True).start()


def end_of_parent() -> int | None:
    """A descriptor that tells of the end of the parent's process, or None.

    Raises
    ------
    ProcessLookupError
        It has ended already.
    """
    parent = parent_process()
    return None if parent is None else _process(parent.pid)


def _process(parent: int | None) -> int | None:
    """The same of any process; None where the system has none."""
    if parent is None or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(parent)
    except ProcessLookupError:
        raise
    except OSError:
        return None


def _be_killed_with(pipe: str) -> None:
    """Have this process killed once the other end of a pipe is closed, where the system does that."""
    if sys.platform != "linux":
        return
    import fcntl

    with suppress(OSError):
        # Whom a description of an open pipe signals is one for all who share it, so this process opens its own.
        own = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGKILL)
            _kill_by(own, os.getpid())
            fcntl.fcntl(own, fcntl.F_SETFL, fcntl.fcntl(own, fcntl.F_GETFL) | os.O_ASYNC)
        except OSError:
            os.close(own)
            raise
        _Now.killer = own


def _kill_by(descriptor: int, whom: int) -> None:
    """Say who is killed: a process, or with a negative number a group."""
    import fcntl

    owner: Any = getattr(fcntl, "F_SETOWN")  # noqa: B009 - not on every system
    with suppress(OSError):  # an item has closed it; the thread is there
        fcntl.fcntl(descriptor, owner, whom)
