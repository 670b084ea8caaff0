"""The host as the engine sees it now, and the share of it that the current map may use."""

from __future__ import annotations

import sys
import threading

from autopar._model.nesting import nested_cores
from autopar._model.observation import Host

THREADS_AT_MOST = 1024
"""Threads of all maps together that plans may ask for: at 8 MiB of reserved stack each, 8 GiB of address space."""


def cores_here(host: Host) -> int:
    """Cores for a map that starts here: the host's, or the share of the item it runs in."""
    nested = nested_cores.get()
    return host.cores if nested is None else max(1, min(nested, host.cores))


def threads_left() -> int:
    """How many more threads a plan may ask for."""
    return max(1, THREADS_AT_MOST - threading.active_count())


def warm_workers() -> dict[str, int]:
    """Backend -> workers that are already running; asks only backends that are in use."""
    warm = {}
    for name in ("threads", "processes"):
        module = sys.modules.get(f"autopar._backends.{name}")
        ask = getattr(module, "warm", None)  # absent while another thread is still importing the module
        if ask is not None:
            warm[name] = ask()
    return warm
