"""One piece of work at a time on a thread of its own, that nobody waits for and that is gone when it is done.

A thread that stayed would forbid this process to fork worker processes. While the process forks none is at work, since
what a library holds in the middle of its work, such as SQLite's locks, would be held in the child for ever.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

from autopar._model.own_work import OWN_WORK
from autopar._model.threads import own_thread

SECONDS_OF_A_FORK = 2.0
"""Most that a fork waits; work of this kind takes milliseconds."""

_HEAD_START = 1e-3
"""Seconds in which who has started the work goes on first, instead of waiting for the GIL for a switch interval."""


class Background:
    """Does some work on a daemon thread, never on two at the same time.

    Parameters
    ----------
    work
        What is done; it raises nothing.
    name
        Of the thread.
    """

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._work = work
        self._name = name
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._starting = threading.Lock()
        _ALL.add(self)

    @property
    def running(self) -> bool:
        """It is at work now."""
        return self._thread is not None

    def start(self) -> bool:
        """Begin, unless it is at work already or must not be; False where this interpreter starts no threads now."""
        # Who finds the lock taken is another thread, or a signal handler in the middle of this: somebody begins.
        if self._thread is not None or _forks or not self._starting.acquire(blocking=False):
            return True
        try:
            return self._thread is not None or self._start()
        finally:
            self._starting.release()

    def _start(self) -> bool:
        ended = self._ended = threading.Event()
        thread = self._thread = own_thread(self._run, self._name, (ended,))
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter ends
            self._thread = None
            ended.set()
            return False
        return True

    def join(self, seconds: float) -> bool:
        """Wait until it is done; False if it takes longer."""
        thread, ended = self._thread, self._ended
        if thread is None or thread is threading.current_thread():
            return True
        # Not by the thread at first, which cannot be joined while another thread is about to start it.
        if not ended.wait(seconds):
            return False
        if thread.ident is not None:
            thread.join(seconds)
        return not thread.is_alive()

    def forget(self) -> None:
        """In a forked child: the thread is the parent's."""
        self._thread = None
        self._starting = threading.Lock()

    def _run(self, ended: threading.Event) -> None:
        try:
            with OWN_WORK.under_way():
                time.sleep(_HEAD_START)
                self._work()
        finally:
            self._thread = None
            ended.set()


_ALL: weakref.WeakSet[Background] = weakref.WeakSet()
_forks = 0
"""Forks under way, of any thread."""


def _before_fork() -> None:
    global _forks
    _forks += 1
    deadline = time.monotonic() + SECONDS_OF_A_FORK
    for each in list(_ALL):
        each.join(max(0.0, deadline - time.monotonic()))


def _after_fork() -> None:
    global _forks
    _forks -= 1


def _in_forked_child() -> None:
    global _forks
    _forks = 0
    for each in list(_ALL):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_forked_child)
