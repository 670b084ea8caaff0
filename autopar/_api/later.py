"""What the wrappers need of the engine, loaded when a function is first measured or mapped.

A program that decorates its functions pays for what it uses: the engine takes 50 ms to load, the wrappers 10.
"""

from __future__ import annotations

import importlib
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


if TYPE_CHECKING:
    from autopar._api import engine as engine
else:
    engine = Later("autopar._api.engine")
