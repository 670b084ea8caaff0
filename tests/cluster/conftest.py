"""Each test has a decision log of its own."""

from __future__ import annotations

from tests.routes import own_log

__all__ = ["own_log"]
