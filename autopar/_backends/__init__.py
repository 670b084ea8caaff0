"""Where items run. Each backend is a module with ``open(plan) -> Pool``, imported when a plan first uses it.

============= ==============================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from autopar._model.work import Backend


def load(name: str) -> Backend:
    """Import the module of one backend."""
    from autopar._model.plan import BACKENDS  # not above: a worker process imports this room, and makes no plans

    module = BACKENDS[name].module
    if module is None:
        raise LookupError(f"backend {name!r} has no module")
    return cast("Backend", importlib.import_module(module))
