"""Record: decisions in memory, in the store, and in words."""

from __future__ import annotations

from autopar._record.explain import duration, explain, table
from autopar._record.log import DecisionLog, whole
from autopar._record.store import Store

__all__ = ["DecisionLog", "Store", "duration", "explain", "table", "whole"]
