"""Reads, from outside, what a thread has done so far: while it is in the middle of an item."""

from __future__ import annotations

import threading
import time

from autopar._model.observation import Sample


class OtherThread:
    """The thread that makes it, to be read by others.

    Attributes
    ----------
    readable
        This system tells a thread's CPU time to other threads.
    """

    def __init__(self) -> None:
        clock = getattr(time, "pthread_getcpuclockid", None)  # not on macOS and Windows
        self.readable = clock is not None
        self._clock: int = clock(threading.get_ident()) if clock is not None else 0
        self._status = f"/proc/self/task/{threading.get_native_id()}/status"
        self._wall, self._cpu, self._waits = self._read()

    def sample(self) -> Sample:
        """What its one item has taken so far: at least, for it goes on."""
        wall, cpu, waits = self._read()
        return Sample(1, wall - self._wall, cpu - self._cpu, None, waits - self._waits)

    def _read(self) -> tuple[float, float, int]:
        cpu = time.clock_gettime(self._clock) if self.readable else 0.0
        return time.perf_counter(), cpu, self._voluntary_switches()

    def _voluntary_switches(self) -> int:
        try:
            with open(self._status, "rb") as file:  # as text it takes longer than what is read
                for line in file:
                    if line.startswith(b"voluntary_ctxt_switches:"):
                        return int(line.partition(b":")[2])
        except OSError:  # no /proc
            pass
        return 0
