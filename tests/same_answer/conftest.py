"""Every test here can be sent each way that a map can take."""

from __future__ import annotations

from tests.routes import async_route, choose_only, fork_anyway, own_log, route

__all__ = ["async_route", "choose_only", "fork_anyway", "own_log", "route"]
