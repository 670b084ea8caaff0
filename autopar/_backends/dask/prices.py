"""What a cluster costs and has to offer, measured through the client that a map would use."""

from __future__ import annotations

import functools
import statistics
import threading
import time
import weakref
from typing import Any, NamedTuple

from autopar._backends.dask import node
from autopar._backends.dask.connections import Connection
from autopar._backends.dask.fitness import in_words
from autopar._backends.dask.surroundings import this_host
from autopar._model.cluster import Cluster
from autopar.errors import UnavailableError

TRIPS, BATCH = 3, 24
"""Echoes one by one, and together: 50 to 150 ms in all on 2 busy cores (distributed 2026.8)."""

LARGE = 1 << 20
"""Bytes of an echo that tells what a byte costs."""

NO_ANSWER = 30.0
"""Seconds for an echo after which a cluster is given up: its workers may have gone since they were counted, and what is
meant for them waits for their return."""

BELIEVED_FOR = 300.0
"""Seconds after which a cluster's prices are measured again: others come and go. Chosen, not measured."""


class Prices(NamedTuple):
    """See :class:`autopar._model.cluster.Cluster`."""

    round_trip: float
    dispatch: float
    byte: float


_known: weakref.WeakKeyDictionary[Connection, tuple[float, Prices]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def describe(connection: Connection) -> Cluster:
    """The cluster as a planning sees it; looks at it again where the last look is too old.

    Raises
    ------
    UnavailableError
        It does not answer.
    """
    connection.look()
    prices = _prices(connection)
    here = this_host()
    about, threads = connection.about, connection.threads
    loops = [each.loop for each in about.values()]
    unfit = connection.fitness.unfit
    return Cluster(
        where=connection.where,
        workers=len(threads),
        cores=sum(threads.values()),
        busy=_busy(connection),
        warm=connection.used,
        round_trip=prices.round_trip,
        dispatch=prices.dispatch,
        byte=prices.byte,
        speed=node.loop_seconds() / statistics.median(loops) if loops else 1.0,
        elsewhere=any(each.host != here for each in about.values()),
        notes=(f"workers that cannot run autopar's chunks are left out: {in_words(unfit)}",) if unfit else (),
    )


def _busy(connection: Connection) -> float:
    """Threads of the workers that are at somebody's tasks."""
    processing = connection.client.processing()
    return float(sum(min(threads, len(processing.get(address, ()))) for address, threads in connection.threads.items()))


def _prices(connection: Connection) -> Prices:
    with _lock:
        known = _known.get(connection)
        if known is None or time.monotonic() - known[0] > BELIEVED_FOR:
            known = _known[connection] = time.monotonic(), _measured(connection)
        return known[1]


def _measured(connection: Connection) -> Prices:
    client, workers = connection.client, connection.restricted

    def gather(futures: Any) -> float:
        began = time.perf_counter()
        client.sync(functools.partial(client.gather, futures, asynchronous=True), callback_timeout=NO_ANSWER)
        return time.perf_counter() - began

    def echo(data: list[bytes]) -> float:
        began = time.perf_counter()
        gather(client.map(node.echo, data, pure=False, workers=workers))
        return time.perf_counter() - began

    try:
        trip = min(echo([b""]) for _ in range(TRIPS))
        dispatch = max(0.0, echo([b""] * BATCH) - trip) / (BATCH - 1)
        large = client.scatter([bytes(LARGE)], workers=workers, hash=False, timeout=NO_ANSWER)[0]
        return Prices(trip, max(dispatch, 1e-5), max(gather(large) - trip, 0.0) / LARGE + 1e-9)
    except TimeoutError as error:
        said = f"the cluster at {connection.where} has not answered for {NO_ANSWER:g} s"
        raise UnavailableError(said) from error
