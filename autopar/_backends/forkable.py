"""Whether this process may be forked now."""

from __future__ import annotations

import os
import sys

_TASKS = "/proc/self/task"


def forkable() -> bool:
    """Forking is safe: this process has one thread, by the kernel's count, which knows those of C libraries too.

    A forked child holds a copy of every lock as it stood at that moment, and only the thread that forked lives on in
    it. Elsewhere than on Linux system libraries start threads of their own, and nothing tells.
    """
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir(_TASKS)) == 1
    except OSError:
        return False
