"""Record: decisions, profiles and prices in memory, in the store, and in words.

``log`` what waits to be written; ``store`` the file; ``learning`` its profiles and prices; ``codec`` and
``learned_codec`` rows as JSON; ``explain`` decisions in words; ``regret`` what they may have cost.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autopar._record.explain import duration, explain, table
from autopar._record.store import Store

if TYPE_CHECKING:
    from autopar._record.learning import Known, Teaching
    from autopar._record.log import DecisionLog, whole

__all__ = ["DecisionLog", "Known", "Store", "Teaching", "duration", "explain", "table", "whole"]

_WHEN_ASKED_FOR = {"DecisionLog": "log", "Known": "learning", "Teaching": "learning", "whole": "log"}
"""Name -> its module, which the commands that only read the store need not import."""


def __getattr__(name: str) -> Any:
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHEN_ASKED_FOR[name]}"), name)
