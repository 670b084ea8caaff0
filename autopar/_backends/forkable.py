"""Whether this process may be forked now."""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from typing import Any

_TASKS = "/proc/self/task"

_BLAS = ("numpy", "scipy")

LINGERING = 0.05
"""Seconds that a thread which has been joined may need until the kernel has forgotten it, on a busy machine."""


def forkable() -> bool:
    """Forking is safe: this process has one thread, by the kernel's count, which knows those of C libraries too.

    A forked child holds a copy of every lock as it stood at that moment, and only the thread that forked lives on in
    it. Elsewhere than on Linux system libraries start threads of their own, and nothing tells.
    """
    return other_threads() == 0 and not other_interpreters()


def other_interpreters() -> int:
    """Interpreters of this process besides the main one, as far as Python code made them.

    While there is one a forked child crashes as it begins (https://github.com/python/cpython/issues/139759).
    """
    module: Any = sys.modules.get("_interpreters") or sys.modules.get("_xxsubinterpreters")
    return 0 if module is None else len(module.list_all()) - 1


def other_threads() -> int | None:
    """Threads of this process besides one; None where the system does not say."""
    if sys.platform != "linux":
        return None
    try:
        return len(os.listdir(_TASKS)) - 1
    except OSError:
        return None


def why_not_forkable(idle: int = 0, interpreters: int = 0) -> str:
    """Why this process cannot be forked for one map, or an empty string.

    Threads that are not counted: ``idle`` ones of autopar's own, which can be ended before, as so many of its
    ``interpreters`` can, and those of OpenBLAS, which ends them itself whenever its process forks (``pthread_atfork``
    in its ``driver/others/blas_server.c``).
    """
    if not hasattr(os, "fork") or not hasattr(os, "pidfd_open"):
        return "it forks this process, which is safe on Linux alone"
    others = other_threads()
    if others is None:
        return "it forks this process, and whether that is safe cannot be told here"
    ours = max(_thread._count(), threading.active_count() - 1)
    foreign = max(0, others - ours)
    if foreign and any(name in sys.modules for name in _BLAS):
        foreign = max(0, foreign - blas_threads())
    too_many = max(0, ours - idle) + foreign
    if not too_many:
        if other_interpreters() <= interpreters:
            return ""
        return "it forks this process, which has other interpreters, and a fork of such a process crashes"
    more = f"{too_many} other thread{'s' if too_many > 1 else ''}"
    return f"it forks this process, which has {more} that may hold a lock at that moment"


def wait_for_end_of_threads() -> None:
    """Let threads that were joined disappear from the kernel's count."""
    end = time.monotonic() + LINGERING
    while why_not_forkable() and time.monotonic() < end:
        time.sleep(0)


def blas_threads() -> int:
    """Threads that OpenBLAS may have started; 0 if a library is loaded whose threads do not end when it forks."""
    from threadpoolctl import threadpool_info

    libraries = threadpool_info()
    if any((each["internal_api"], each.get("threading_layer")) != ("openblas", "pthreads") for each in libraries):
        return 0
    return sum(max(0, each["num_threads"] - 1) for each in libraries)
