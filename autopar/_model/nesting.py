"""The share of the machine that belongs to whatever runs inside an item."""

from __future__ import annotations

from contextvars import ContextVar

nested_cores: ContextVar[int | None] = ContextVar("autopar_nested_cores", default=None)
"""Cores that a map inside the current item may use; None outside of any item."""
