"""Does with the engine's loading what a process's first map would otherwise wait for.

The analysis and the pools of threads are loaded, which takes 14 ms (``python -X importtime``), more than the whole of
many a map; the machine is looked at and the packages that ways need are looked for, which takes 1 ms each; and where
NumPy is loaded it is found out which threads are its own, which takes 7 ms.
"""

from __future__ import annotations

import importlib
import sys

from autopar._backends import forkable
from autopar._model.plan import BACKENDS, COMPILERS
from autopar._observe.host import current_host, unavailable

FIRST_NEEDED = ("autopar._effects.entry", "autopar._backends.threads")


def _is_worker() -> bool:
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


if not _is_worker():
    for _room in FIRST_NEEDED:
        importlib.import_module(_room)
    unavailable([*BACKENDS.values(), *COMPILERS.values()])
    current_host()
    forkable.why_not_forkable()
