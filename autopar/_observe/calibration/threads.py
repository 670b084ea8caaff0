"""Threads: what one takes to start, to wake up, and to get the GIL from another that computes."""

from __future__ import annotations

import threading
import time

from autopar._observe.calibration.clock import least, middle

_STARTED = 8
_WOKEN = 32
_ASKED = 4


def thread_start() -> float:
    """Seconds for starting a thread, as seen by who starts it."""
    return least(_start, 4)


def _start() -> float:
    leave = threading.Event()
    fresh = [threading.Thread(target=leave.wait, daemon=True) for _ in range(_STARTED)]
    started = time.perf_counter()
    for thread in fresh:
        thread.start()
    seconds = (time.perf_counter() - started) / _STARTED
    leave.set()
    for thread in fresh:
        thread.join()
    return seconds


def thread_wake() -> float:
    """Seconds from releasing a lock to the thread that waited for it being awake, with nobody else at the GIL."""
    asked, answered = threading.Semaphore(0), threading.Semaphore(0)

    def answer() -> None:
        for _ in range(_WOKEN):
            asked.acquire()
            answered.release()

    other = threading.Thread(target=answer, daemon=True)
    other.start()
    started = time.perf_counter()
    for _ in range(_WOKEN):
        asked.release()
        answered.acquire()
    seconds = time.perf_counter() - started
    other.join()
    return seconds / (2 * _WOKEN)


def gil_hand_over() -> float:
    """Seconds until a thread that wakes up gets the GIL from one that computes in Python: near the switch interval.

    Without a GIL it is what waking up takes.
    """
    stop = False

    def compute() -> None:
        count = 0
        while not stop:
            count += 1

    busy = threading.Thread(target=compute, daemon=True)
    busy.start()
    try:
        return middle(_wait_for_gil, _ASKED)
    finally:
        stop = True
        busy.join()


def _wait_for_gil() -> float:
    shortest = 1e-5
    started = time.perf_counter()
    time.sleep(shortest)
    return max(0.0, time.perf_counter() - started - shortest)
