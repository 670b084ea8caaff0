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


FOR_COROUTINES = ("autopar._engine.coroutines", "autopar._engine.driven", "autopar._engine.own_loop")
"""What the first map of a coroutine function needs besides: 8 ms, and 20 more where the program has no asyncio yet
(``python -X importtime``), longer than many such a map."""


def load_engine(*, coroutines: bool = False) -> None:
    """Load the engine before it is needed, with what runs ``coroutines`` if asked to, unless this is a worker."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        return
    if not engine.loaded:
        engine.map_list  # noqa: B018 - asking for it loads it
    if coroutines and FOR_COROUTINES[0] not in sys.modules:
        for module in FOR_COROUTINES:
            importlib.import_module(module)


if TYPE_CHECKING:
    from autopar._api import engine as engine
else:
    engine = Later("autopar._api.engine")
