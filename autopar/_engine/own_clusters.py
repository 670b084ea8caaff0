"""The clusters that the calls of one executor go to, and the pools that these open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

from autopar._backends import load
from autopar._engine.cluster import look, open_pool
from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._model.plan import Plan
from autopar._model.work import Chunk, Pending, Pool

LOOK_AGAIN = 5.0
"""Seconds after which a cluster is looked at anew, as the connections to it do it."""

CALLS_PER_CORE = 2
"""Calls on their way for each core of a cluster: while one runs the next one is there already."""


class OwnClusters:
    """What is known of clusters by one executor, whose calls come faster than one could ask a scheduler each time.

    Parameters
    ----------
    cores
        Workers of a local cluster that is started for it.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._lock = threading.Lock()
        self._known: dict[Any, tuple[float, Any, Cluster]] = {}

    def look(self, settings: Settings) -> tuple[Any, Cluster]:
        """The connection to the cluster that the hints name, and what it offers.

        Raises
        ------
        autopar.errors.UnavailableError
            It cannot be used.
        """
        key = settings.cluster if isinstance(settings.cluster, str) else id(settings.cluster)
        with self._lock:
            known = self._known.get(key)
            if known is None or time.monotonic() - known[0] > LOOK_AGAIN or not known[1].alive:
                connection, cluster = look(settings, self._cores)
                known = self._known[key] = time.monotonic(), connection, cluster
            return known[1:]


class OwnPool:
    """A pool of a backend that all maps share, for calls of one function that several threads make.

    Parameters
    ----------
    plan, settings
        Which, and how it is used.
    clusters
        Where the executor knows clusters.
    """

    def __init__(self, plan: Plan, settings: Settings, clusters: OwnClusters) -> None:
        self._lock = threading.Lock()
        self._pool: Pool = (
            open_pool(plan, clusters.look(settings)[0], settings)
            if plan.backend == "dask"
            else load("threads" if plan.backend == "serial" else plan.backend).open(plan)
        )
        self.abandon: Callable[[Pending], bool] = self._pool.abandon
        self.close: Callable[[], None] = self._pool.close

    def submit(self, context: Context, chunk: Chunk) -> Pending:
        """Hand over a chunk, in a copy of a context.

        Raises
        ------
        autopar.errors.TransportError
            It cannot be sent.
        """
        with self._lock:
            return context.copy().run(self._pool.submit, chunk)
