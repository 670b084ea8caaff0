"""Starts worker processes by forking this one: in a tenth of the time that a new interpreter takes.

A forked worker goes through the same main loop as a spawned one and is told the same things; what it has inherited
beyond that it lets go of first. Where this is safe says :mod:`autopar._backends.forkable`.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import process, resource_tracker, util
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any


class ForkedWorker(ForkProcess):
    """A copy of this process that runs a main loop.

    Parameters
    ----------
    main
        The main loop; called with the pipe, and ``fresh=False``.
    pipe
        What it talks through.
    keep_files
        Files that are open here stay open there, for objects that come along and have them open.
    """

    def __init__(self, main: Callable[..., None], pipe: Connection, *, keep_files: bool = False) -> None:
        self._alive, self._living = os.pipe()
        super().__init__(target=_in_child, args=(main, pipe, self._living, keep_files), name="autopar-worker")

    def start(self) -> None:
        """Start it with Ctrl-C blocked, until its main loop ignores it: a terminal sends it to all processes.

        How long it lives tells a pipe whose other end it keeps. The one of ``multiprocessing`` is among the files that
        it lets go of, after which `join` would wait without a limit for a worker that does not end.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        except BaseException:
            os.close(self._alive)
            raise
        finally:
            os.close(self._living)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        popen: Any = getattr(self, "_popen")  # noqa: B009 -- the stubs do not know it
        popen.sentinel = self._sentinel = self._alive
        util.Finalize(popen, os.close, (self._alive,))
        process._children.discard(self)  # type: ignore[attr-defined]


def _in_child(main: Callable[..., None], pipe: Connection, living: int, keep_files: bool) -> None:
    # What the parent left behind must not be finalized here, such as a temporary folder that it still uses.
    gc.freeze()
    if not keep_files:
        _let_go_of_files({pipe.fileno(), living})
    sys.settrace(None)
    sys.setprofile(None)
    _default_signals()
    main(pipe, fresh=False)


def _let_go_of_files(ours: set[int]) -> None:
    """Open files, sockets and pipes are the parent's alone: whoever waits for their end must not wait for a worker.

    Their numbers stay taken, by the null device, so that an inherited object which closes its number closes no file
    that was opened since.
    """
    parent = process.parent_process()
    kept = {0, 1, 2, *ours, getattr(resource_tracker, "_resource_tracker")._fd}  # noqa: B009
    if parent is not None:
        kept.add(parent.sentinel)
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in map(int, os.listdir("/proc/self/fd")):
        if number not in kept and number != nothing:
            with suppress(OSError):  # The listing itself had a number too.
                os.fstat(number)
                os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


def _default_signals() -> None:
    """A worker answers signals as a new process would; the parent's handlers are no part of the loop."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        if callable(handler) and number != signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
