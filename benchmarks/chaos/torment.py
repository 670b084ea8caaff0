"""What is done to the worker processes of a program: killed, stopped for a while, starved of memory."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

LONGEST_STOP = 0.5
BALLOON = "import time; b = bytearray({0}); b[::4096] = b'x' * len(b[::4096]); time.sleep({1})"

KILLS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV)


class Tormentor(threading.Thread):
    """Torments the descendants of a process until it is told to end.

    Parameters
    ----------
    program
        The process; it is only ever stopped for a moment itself.
    seed, rate
        Of what is random; torments a second.
    balloon
        Bytes that memory pressure takes, for some tenths of a second.
    """

    def __init__(self, program: int, seed: int, rate: float, balloon: int) -> None:
        super().__init__(name="tormentor", daemon=True)
        self._program = psutil.Process(program)
        self._rng = random.Random(seed)
        self._rate = rate
        self._balloon = balloon
        self._end = threading.Event()
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        while not self._end.wait(self._rng.expovariate(self._rate)):
            with suppress(psutil.Error):
                self._torment()

    def end(self) -> None:
        """Let it end, with nothing stopped any more."""
        self._end.set()
        if self.ident is not None:
            self.join()

    def _torment(self) -> None:
        what = self._rng.choices(("kill", "stop", "stop-program", "memory"), (8, 8, 1, 1))[0]
        if what == "memory":
            self.done["memory"] += 1
            subprocess.run([sys.executable, "-S", "-c", BALLOON.format(self._balloon, 0.2)], check=False)
            return
        victims = [self._program] if what == "stop-program" else workers_of(self._program)
        if not victims:
            return
        victim = self._rng.choice(victims)
        if what == "kill":
            self.done["kill"] += 1
            victim.send_signal(self._rng.choice(KILLS))
            return
        self.done[what] += 1
        victim.suspend()
        try:
            time.sleep(self._rng.uniform(0, LONGEST_STOP))
        finally:
            victim.resume()


def workers_of(program: psutil.Process) -> list[psutil.Process]:
    """The processes that a program has started, but for those that only take notes."""
    return [each for each in program.children(recursive=True) if not _takes_notes(each)]


def _takes_notes(process: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.Error:
        return True
