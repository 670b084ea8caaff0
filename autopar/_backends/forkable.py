"""Whether this process may be forked now, and what is done so that it may."""

from __future__ import annotations

import _thread
import functools
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from autopar._backends.quietly import importing
from autopar._model.parked import count_parked, stay_parked

_TASKS = "/proc/self/task"

_BLAS = ("numpy", "scipy")

WARNS = sys.version_info >= (3, 12)
"""``os.fork`` warns of every other thread, whatever it does; so parked ones count."""

LINGERING = 0.05
"""Seconds that a thread which has been joined may need until the kernel has forgotten it, on a busy machine."""


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
    """Why this process cannot be forked, or an empty string.

    A forked child holds a copy of every lock as it stood at that moment, and only the thread that forked lives on in
    it. Elsewhere than on Linux system libraries start threads of their own, and nothing tells. The kernel's count is
    asked, which knows threads of C libraries too.

    Threads that are not counted: ``idle`` ones of autopar's own, which can be ended before, as so many of its
    ``interpreters`` can; those that are parked; and those of OpenBLAS, which ends them itself whenever its process
    forks (``pthread_atfork`` in its ``driver/others/blas_server.c``).
    """
    if not hasattr(os, "fork") or not hasattr(os, "pidfd_open"):
        return "it forks this process, which is safe on Linux alone"
    others = other_threads()
    if others is None:
        return "it forks this process, and whether that is safe cannot be told here"
    ours = max(_thread._count(), threading.active_count() - 1)
    foreign = max(0, others - ours)
    if foreign:
        foreign = max(0, foreign - _blas_threads(foreign, *[name for name in _BLAS if name in sys.modules]))
    waiting = 0 if WARNS else count_parked()
    too_many = max(0, ours - idle - waiting) + foreign
    if not too_many:
        if other_interpreters() <= interpreters:
            return ""
        return "it forks this process, which has other interpreters, and a fork of such a process crashes"
    more = f"{too_many} other thread{'s' if too_many > 1 else ''}"
    return f"it forks this process, which has {more} that may hold a lock at that moment"


@contextmanager
def fork_now(*pools: str) -> Iterator[str]:
    """Gives why this process cannot be forked after all, or an empty string, which then holds throughout the block.

    Threads of these pools end before, if none of the pool has anything to do.
    """
    if why_not_forkable():
        for module in _loaded(pools):
            getattr(module, "rest", bool)()
        wait_for_end_of_threads()
    with stay_parked():
        yield why_not_forkable()


def why_not_forkable_without(*pools: str, ending: int = 0) -> str:
    """Why this process cannot be forked even if what is idle of these pools ends before, or an empty string.

    ``ending`` are further threads of autopar's own that will have ended.
    """
    # Each interpreter has a thread here and one of its own.
    interpreters = idle_workers("interpreters") // 2 if "interpreters" in pools else 0
    return why_not_forkable(idle_workers(*pools) + ending, interpreters)


def idle_workers(*pools: str) -> int:
    """Threads of these pools that wait for work, and would end if asked to."""
    return sum(getattr(module, "idle", int)() for module in _loaded(pools))


def _loaded(pools: tuple[str, ...]) -> list[ModuleType]:
    """Their modules, where they are loaded; parts of one are missing while another thread still imports it."""
    modules = [sys.modules.get(f"autopar._backends.{name}") for name in pools]
    return [module for module in modules if isinstance(module, ModuleType)]


def wait_for_end_of_threads() -> None:
    """Let threads that were joined disappear from the kernel's count."""
    end = time.monotonic() + LINGERING
    while why_not_forkable() and time.monotonic() < end:
        time.sleep(0)


@functools.lru_cache(maxsize=4)
def _blas_threads(foreign: int, *libraries: str) -> int:
    """Asked anew where threads have come or gone: to look which libraries are loaded takes 3 ms, 7 the first time."""
    return blas_threads() if libraries else 0


def blas_threads() -> int:
    """Threads that OpenBLAS may have started; 0 if a library is loaded whose threads do not end when it forks."""
    with importing("threadpoolctl"):
        from threadpoolctl import threadpool_info

    libraries = threadpool_info()
    if any((each["internal_api"], each.get("threading_layer")) != ("openblas", "pthreads") for each in libraries):
        return 0
    return sum(max(0, each["num_threads"] - 1) for each in libraries)
