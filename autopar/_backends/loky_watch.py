"""Looks after what joblib's executor waits for in vain when one of its workers dies.

A thread for each executor notices that a worker has ended. Then

- what that worker's item has left behind ends too (:mod:`groups`), which may also hold open what the executor waits on;
- if the worker died in the middle of its answer, the executor's own thread waits for the rest. All workers share one
  queue for their answers and the dead one had it locked, so nothing comes any more: the queue is ended;
- if the executor was in the middle of sending something large, nobody reads the rest: that queue is ended as well.

The attributes are those of loky 3.4 to 3.7, in joblib 1.4 to 1.6.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import weakref
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

from autopar._backends import groups

LOOK_FOR_NEW, LOOK_AGAIN = 5.0, 0.1
"""Seconds after which workers are asked for that were started since; and after which an executor that has lost one is
looked at again."""

LOOKS = 5
"""Times in a row that nothing may have come for an answer that has begun, before it is given up."""


class Watch:
    """Watches one executor until it is shut down.

    Parameters
    ----------
    executor
        A ``loky.ProcessPoolExecutor``; it is not kept alive.
    """

    def __init__(self, executor: Any) -> None:
        self._executor = weakref.ref(executor)
        self._flags = executor._flags
        self._workers = executor._processes
        self._calls, self._answers = executor._call_queue, executor._result_queue
        self._ends: dict[int, int] = {}  # worker -> a descriptor that tells of its end

    def start(self) -> None:
        """Begin, once the executor has workers."""
        threading.Thread(target=self._run, name="autopar-joblib-watch", daemon=True).start()

    def _run(self) -> None:
        try:
            while self._executor() is not None and not self._over():
                self._look_for_new()
                ended = wait([*self._ends.values()], LOOK_FOR_NEW)
                for pid in [pid for pid, end in self._ends.items() if end in ended]:
                    groups.end(pid)
                    os.close(self._ends.pop(pid))
                    self._after_the_end_of(pid)
        finally:
            for end in self._ends.values():
                os.close(end)
        if self._flags.broken is not None or self._flags.kill_workers:
            _cut(self._calls._reader)

    def _over(self) -> bool:
        return self._flags.broken is not None or self._flags.shutdown

    def _look_for_new(self) -> None:
        for pid in list(self._workers):
            if pid not in self._ends:
                with suppress(ProcessLookupError):
                    self._ends[pid] = os.pidfd_open(pid)

    def _after_the_end_of(self, pid: int) -> None:
        """Wait until the executor knows; help it if it cannot."""
        stuck = 0
        while pid in self._workers and not self._over():
            stuck = stuck + 1 if self._waits_for_the_rest() else 0
            if stuck == LOOKS:
                for process in list(self._workers.values()):
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL)
                _cut(self._answers._writer)
            time.sleep(LOOK_AGAIN)

    def _waits_for_the_rest(self) -> bool:
        """The executor's thread has begun to read an answer, and there is nothing of it at present."""
        thread = getattr(self._executor(), "_executor_manager_thread", None)
        frame = sys._current_frames().get(thread.ident) if thread is not None else None
        while frame is not None and frame.f_code.co_name != "_recv":
            frame = frame.f_back
        return frame is not None and not wait([self._answers._reader], 0)


def _cut(end: Any) -> None:
    """Let go of one end of a pipe, but leave its number to the executor, which closes it itself."""
    if not end.closed:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nothing, end.fileno(), inheritable=False)
        os.close(nothing)
