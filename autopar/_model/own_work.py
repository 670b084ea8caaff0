"""What threads of autopar's own do beside the program's items, so that none of it is taken for the items' doing.

A thread that plans ahead, compiles or writes to the store says so for as long as it is at it. Whoever measures an item
leaves out its CPU time, and whoever watches one for changes to the whole process knows that another may have made them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class OwnWork:
    """The stretches of such work in this process; any thread may ask.

    Attributes
    ----------
    begun
        How many have begun so far.

    Examples
    --------
    >>> work = OwnWork()
    >>> with work.under_way():
    ...     work.threads, work.begun
    (1, 1)
    >>> work.threads
    0
    """

    def __init__(self) -> None:
        self.begun = 0
        self._lock = threading.Lock()
        self._since: dict[int, tuple[int | None, float]] = {}
        self._ended = 0.0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """This thread works for autopar until the block ends; within such a block it says nothing new."""
        thread = threading.get_ident()
        if thread in self._since:
            yield
            return
        with self._lock:
            self.begun += 1
            self._since[thread] = _clock_of_this_thread(), time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                _, since = self._since.pop(thread, (None, time.thread_time()))
                self._ended += time.thread_time() - since

    @property
    def threads(self) -> int:
        """How many threads are at it."""
        return len(self._since)

    def cpu(self) -> float | None:
        """CPU seconds that all of it has taken so far; None where the clock of some cannot be read."""
        if not self._since:
            return self._ended
        with self._lock:
            total = self._ended
            for clock, since in self._since.values():
                if clock is None:
                    return None
                total += time.clock_gettime(clock) - since
        return total

    def forget(self) -> None:
        """In a forked child: what was under way is the parent's."""
        self._lock = threading.Lock()
        self._since = {}


def _clock_of_this_thread() -> int | None:
    """The clock by which others may read this thread's CPU time; not on macOS and Windows."""
    clock = getattr(time, "pthread_getcpuclockid", None)
    return None if clock is None else clock(threading.get_ident())


OWN_WORK = OwnWork()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=OWN_WORK.forget)
