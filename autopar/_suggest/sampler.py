"""Looks at the main thread many times a second, from a thread of its own: where it is, and what it did meanwhile.

Sampling costs the program one switch of the GIL each time. It needs no signal, which a program may use itself and which
interrupts its system calls. What waits and what computes is told by the thread's CPU clock; where Linux says how long
it was ready and had no core, that time counts as neither.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType

INTERVAL = 5e-3
"""Seconds between two looks: a switch interval of CPython's threads, below which a busy program is not interrupted."""

DEEPEST = 500
"""Frames of one stack that are kept, the outermost."""

Stack = tuple[tuple[CodeType, int], ...]
"""Code and instruction of each frame, the outermost first."""


@dataclass(slots=True)
class Spent:
    """What was spent at one place.

    Attributes
    ----------
    wall, cpu
        Seconds of wall clock, without those in which the thread had no core, and of CPU.
    samples
        Looks that found it there.
    """

    wall: float = 0.0
    cpu: float = 0.0
    samples: int = 0

    def add(self, other: Spent) -> None:
        """Add what was spent elsewhere."""
        self.wall += other.wall
        self.cpu += other.cpu
        self.samples += other.samples


class Sampler:
    """Watches the thread that makes it.

    Parameters
    ----------
    wanted
        Says of a code object whether its frames are worth keeping.
    interval
        Seconds between two looks.

    Attributes
    ----------
    stacks
        What was spent with each stack of wanted frames.
    delayed
        Seconds in which the thread was ready and other programs had its core.
    """

    def __init__(self, wanted: Callable[[CodeType], bool], interval: float = INTERVAL) -> None:
        self.stacks: dict[Stack, Spent] = {}
        self.delayed = 0.0
        self._wanted = wanted
        self._known: dict[CodeType, bool] = {}
        self._interval = interval
        self._thread_id = threading.get_ident()
        self._schedstat = f"/proc/self/task/{threading.get_native_id()}/schedstat"
        clock = getattr(time, "pthread_getcpuclockid", None)  # not on macOS and Windows
        self._clock: int | None = clock(self._thread_id) if clock is not None else None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autopar-sampler", daemon=True)
        self._then = (0.0, 0.0, 0.0)

    def start(self) -> None:
        """Begin."""
        self._then = self._read()
        self._thread.start()

    def stop(self) -> None:
        """End; what happened since the last look is lost."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            frame = sys._current_frames().get(self._thread_id)
            if frame is not None:
                self._note(self._stack(frame))

    def _note(self, stack: Stack) -> None:
        wall, cpu, delayed = now = self._read()
        wall_then, cpu_then, delayed_then = self._then
        self._then = now
        waited_for_core = min(delayed - delayed_then, wall - wall_then)
        self.delayed += waited_for_core
        if not stack:
            return
        spent = self.stacks.get(stack)
        if spent is None:
            spent = self.stacks[stack] = Spent()
        spent.add(Spent(wall - wall_then - waited_for_core, cpu - cpu_then, 1))

    def _stack(self, frame: FrameType | None) -> Stack:
        found = []
        while frame is not None:
            code = frame.f_code
            wanted = self._known.get(code)
            if wanted is None:
                wanted = self._known[code] = self._wanted(code)
            if wanted:
                found.append((code, frame.f_lasti))
            frame = frame.f_back
        found.reverse()
        return tuple(found[:DEEPEST])

    def _read(self) -> tuple[float, float, float]:
        wall = time.perf_counter()
        # Without a clock of the thread, that of the process: right for programs of one thread.
        cpu = time.process_time() if self._clock is None else time.clock_gettime(self._clock)
        try:
            with open(self._schedstat, "rb") as file:
                delayed = int(file.read().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):  # no Linux, or one that does not tell
            delayed = 0.0
        return wall, cpu, delayed
