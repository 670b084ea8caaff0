"""Record: decisions, profiles and prices in memory, in the store, and in words.

``log`` what waits to be written; ``store`` the file; ``learning`` its profiles and prices; ``codec`` and
``learned_codec`` rows as JSON; ``explain`` decisions in words; ``regret`` what they may have cost.
"""

from __future__ import annotations

from autopar._record.explain import duration, explain, table
from autopar._record.learning import Known, Teaching
from autopar._record.log import DecisionLog, whole
from autopar._record.store import Store

__all__ = ["DecisionLog", "Known", "Store", "Teaching", "duration", "explain", "table", "whole"]
