"""Threads of autopar's own that wait for something outside the interpreter do not keep this process from forking.

A fork copies every lock as it stands. A thread that is parked waits in a system call, holds no lock, and goes on only
when no fork is under way.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_gate = threading.Lock()
_parked = 0
_here = threading.local()


@contextmanager
def parked() -> Iterator[None]:
    """Wait in this block, and do nothing else; no lock may be held around it that somebody takes in a forked child."""
    global _parked
    with _gate:
        _parked += 1
    told: threading.Event | None = getattr(_here, "told", None)
    if told is not None:
        told.set()
    try:
        yield
    finally:
        with _gate:
            _parked -= 1


def tell_when_parked(event: threading.Event) -> None:
    """Set an event as soon as this thread is parked: from then on it leaves the GIL to others."""
    _here.told = event


def count_parked() -> int:
    """Threads that are parked now."""
    return _parked


def stay_parked() -> threading.Lock:
    """What to hold while forking: no thread that is parked goes on until it is let go of."""
    return _gate


def _in_forked_child() -> None:
    global _gate, _parked
    _gate, _parked = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
