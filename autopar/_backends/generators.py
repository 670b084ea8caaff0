"""The random generators that a whole process shares travel by name: a worker's own takes their place.

``from random import random`` gives a method of such a generator. Pickled as it is it would bring a copy of the caller's
state along, which every worker would draw the same numbers from and no seed would reach.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_SHARED = (("random", "_inst"), ("numpy.random.mtrand", "_rand"))


def reduce_generator(generator: Any) -> Any:
    """What pickle needs for the generator of a whole process; any other is pickled as usual."""
    for module, name in _SHARED:
        loaded = sys.modules.get(module)
        if loaded is not None and vars(loaded).get(name) is generator:
            return _shared, (module, name)
    return NotImplemented


def _shared(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
