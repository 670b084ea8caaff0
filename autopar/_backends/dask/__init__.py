"""Dask clusters: more cores than one machine has.

============ ===================================================================
connections  which cluster a map uses, and what its workers can run
addresses    what an address means, and whether it is safe
local        a cluster on this machine, in processes of its own
fitness      the versions that workers need
prices       what a cluster costs and offers
pool         one map's way to a cluster
traffic      all chunks on their way to one cluster and back
node         what runs on a worker
surroundings the caller's surroundings, made to fit a node
inputs       items that are on a cluster already
============ ===================================================================
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autopar._backends.dask.connections import Connection
    from autopar._backends.dask.pool import ClusterPool
    from autopar._backends.dask.traffic import Traffic
    from autopar._model.plan import Plan

_lock = threading.Lock()
_traffic: dict[Connection, Traffic] = {}


def open(
    plan: Plan,
    connection: Connection | None = None,
    *,
    resources: dict[str, float] | None = None,
    gather: bool = True,
) -> ClusterPool:
    """A way to a cluster for ``plan.workers`` chunks at the same time; without a connection to the usual one."""
    from autopar._backends.dask.connections import connect
    from autopar._backends.dask.pool import ClusterPool
    from autopar._backends.dask.traffic import Traffic

    if connection is None:
        connection = connect(None)
    with _lock:
        for closed in [each for each in _traffic if not each.alive]:
            _traffic.pop(closed).close()
        traffic = _traffic.get(connection)
        if traffic is None:
            traffic = _traffic[connection] = Traffic(connection)
    return ClusterPool(traffic, plan.workers, resources=resources, gather=gather)


def _forget() -> None:
    global _lock
    _lock = threading.Lock()
    _traffic.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
