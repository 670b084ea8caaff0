"""Loads with the engine what a process's first map would otherwise wait for: the analysis and the pools of threads.

Both together take 14 ms (``python -X importtime``), more than the whole of many a map.
"""

from __future__ import annotations

import importlib
import sys

FIRST_NEEDED = ("autopar._effects.entry", "autopar._backends.threads")


def _is_worker() -> bool:
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


if not _is_worker():
    for _room in FIRST_NEEDED:
        importlib.import_module(_room)
