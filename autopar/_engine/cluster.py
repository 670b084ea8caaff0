"""The cluster of a map: which, what it offers, and inputs that are there already."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._model.nesting import nested_cores
from autopar._model.plan import Plan
from autopar._model.work import Pool
from autopar._observe.host import current_host
from autopar.errors import UnavailableError

if TYPE_CHECKING:
    from autopar._backends.dask.connections import Connection

WORTH_LOOKING = 0.1
"""Predicted seconds of the rest from which a cluster that is connected already is looked at."""


def configured(settings: Settings) -> bool:
    """A cluster may be considered: somebody named one, and this is no part of another map."""
    return settings.cluster is not None and nested_cores.get() is None


def connected(settings: Settings) -> bool:
    """Looking at the cluster costs next to nothing: this process uses it."""
    connections = sys.modules.get("autopar._backends.dask.connections")
    return connections is not None and connections.known_connection(settings.cluster) is not None


def look(settings: Settings, cores: int) -> tuple[Connection, Cluster]:
    """Connect to the cluster that the hints name, or to the usual one, and see what it offers.

    Raises
    ------
    UnavailableError
        It cannot be used.
    """
    try:
        from autopar._backends.dask.connections import connect
        from autopar._backends.dask.prices import describe

        connection = connect(settings.cluster, plaintext=settings.plaintext, workers=cores)
    except ImportError as error:
        raise UnavailableError(f"a cluster needs the package distributed: {error}; pip install distributed") from error
    cluster = describe(connection)
    if settings.cluster is None:
        note = f"no cluster is configured, so this is {cluster.where}"
        cluster = replace(cluster, notes=(note, *cluster.notes))
    return connection, cluster


def open_pool(plan: Plan, connection: Any, settings: Settings) -> Pool:
    """The plan's pool there."""
    from autopar._backends import dask

    return dask.open(plan, connection, resources=settings.resources, gather=settings.gather)


def with_remote_inputs(
    iterables: tuple[Iterable[Any], ...], settings: Settings
) -> tuple[tuple[Iterable[Any], ...], Settings]:
    """Inputs that are on a cluster as items to be fetched there; these demand the backend, since nobody else has them.

    Where no cluster is meant they are what they are for the loop.
    """
    if settings.cluster is None and settings.backend != "dask":
        return iterables, settings
    if "distributed" not in sys.modules and "dask" not in sys.modules:
        return iterables, settings
    from autopar._backends.dask.connections import connect
    from autopar._backends.dask.inputs import client_of, is_remote, remote_items

    remote = [is_remote(each) for each in iterables]
    if not any(remote) or settings.backend not in (None, "dask"):
        return iterables, settings
    clients = [client_of(each) for each, there in zip(iterables, remote, strict=True) if there]
    client = next((client for client in clients if client is not None), settings.cluster)
    connection = connect(client, plaintext=settings.plaintext, workers=current_host().cores)
    found = tuple(
        remote_items(each, connection.client) if there else each for each, there in zip(iterables, remote, strict=True)
    )
    return found, replace(settings, backend="dask", cluster=connection.client)
