"""Each test has a decision log of its own, and may leave the planner one backend."""

from __future__ import annotations

from tests.routes import choose_only, own_log

__all__ = ["choose_only", "own_log"]
