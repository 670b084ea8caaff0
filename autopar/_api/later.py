"""What the wrappers need of the engine, loaded with the first function that is decorated and not with the package.

The engine takes 50 ms to load, the package 10. A first map should not wait for it, which would be more than many a map
takes. A worker process, which runs functions and rarely maps them, starts without it.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any


class Later:
    """The names of a module that is imported when one of them is first asked for; from then on they are attributes."""

    def __init__(self, module: str) -> None:
        self._module = module
        self.loaded = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(importlib.import_module(self._module), name)
        self.loaded = True
        setattr(self, name, value)
        return value


def load_engine() -> None:
    """Load the engine before it is needed, unless this is a worker process."""
    process = sys.modules.get("multiprocessing.process")
    if not engine.loaded and (process is None or process.parent_process() is None):
        engine.map_list  # noqa: B018 - asking for it loads it


if TYPE_CHECKING:
    from autopar._api import engine as engine
else:
    engine = Later("autopar._api.engine")
