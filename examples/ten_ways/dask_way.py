"""Dask: the same map on a cluster; here on two processes of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import compare
import work

import autopar as ap
from autopar import parallel


def by_hand(items: Sequence[str]) -> list[int]:
    """A client's own map."""
    from distributed import Client, LocalCluster

    local: Any = LocalCluster
    client_of: Any = Client
    with local(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster, client_of(cluster) as client:
        return list(client.gather(client.map(work.words, items)))


def by_autopar(items: Sequence[str]) -> list[int]:
    """The same through autopar."""
    with ap.config(backend="dask", **HINTS):
        return list(parallel(work.words).map(items))


HINTS: dict[str, Any] = {"cluster": "local"} if "cluster" in (ap.config.__doc__ or "") else {}

WAY = compare.Way(
    "Dask",
    'backend="dask"',
    "benchmarks/dask_cluster, on more cores than this machine has",
    loop=lambda items: [work.words(item) for item in items],
    by_hand=by_hand,
    by_autopar=by_autopar,
    items=work.texts(40),
)

if __name__ == "__main__":
    compare.main(WAY)
