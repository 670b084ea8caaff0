"""How much memory a worker process holds for itself."""

from __future__ import annotations

import sys
from typing import Any

_OWN = ("Private_Clean:", "Private_Dirty:", "Swap:")


def own_memory(pid: int) -> int | None:
    """Bytes that a process holds and no other does; None where that cannot be told.

    A forked worker shares most of its memory with its parent, which neither leaks nor would be freed with it. Linux
    tells it apart in ``/proc/PID/smaps_rollup`` (proc(5)); elsewhere psutil does, if it is installed.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return None if sys.platform == "linux" else _by_psutil(pid)
    return sum(int(row[1]) * 1024 for row in rows if row and row[0] in _OWN)


def _by_psutil(pid: int) -> int | None:
    try:
        import psutil  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    try:
        held: Any = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return None
    return int(held.uss)
