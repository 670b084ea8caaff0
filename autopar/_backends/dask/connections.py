"""Which cluster a map uses: one client for each, connected at the first need and kept until the process ends."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autopar._backends.dask import node
from autopar._backends.dask.addresses import LOCAL, check_address
from autopar._backends.dask.fitness import Fitness, ask, in_words
from autopar._backends.dask.local import LocalCluster
from autopar.errors import UnavailableError

CONNECT_SECONDS = 10.0
"""Seconds to wait for an answer of the machine of a scheduler, and for its first worker. Chosen, not measured."""

SCHEDULER_PORT = 8786
"""Dask's own default."""

LOOK_AGAIN = 5.0
"""Seconds after which workers and their load are asked for again, as for the host itself."""


class Connection:
    """One cluster, as this process uses it. Any thread may use it.

    Parameters
    ----------
    client
        A connected ``distributed.Client``.
    where
        The cluster in words.
    release
        Called when the process ends; None where the client belongs to the user.

    Attributes
    ----------
    about
        Address of a worker that can run chunks -> what it says of itself.
    fitness
        Which workers can run chunks.
    threads
        Address of a worker that can run chunks -> chunks that it runs at a time.
    used
        Chunks have run there for this process.
    """

    def __init__(self, client: Any, where: str, release: Callable[[], None] | None = None) -> None:
        self.client = client
        self.where = where
        self._release = release
        self._lock = threading.RLock()
        self._looked = -float("inf")
        self._asked: tuple[str, ...] = ()
        self.fitness = Fitness((), {})
        self.about: dict[str, node.About] = {}
        self.threads: dict[str, int] = {}
        self.used = False

    @property
    def alive(self) -> bool:
        """It can be used, now or once its scheduler is back."""
        return self.client.status in ("running", "connecting", "newly-created")

    def look(self, *, again: bool = False) -> None:
        """Ask for the workers, unless that was done a moment ago.

        Raises
        ------
        UnavailableError
            The scheduler does not answer, or none of its workers can run autopar's chunks.
        """
        with self._lock:
            if not again and time.monotonic() - self._looked < LOOK_AGAIN:
                return
            try:
                threads: dict[str, int] = dict(self.client.nthreads())
                if not threads:
                    threads = self._first_workers()
                self._check(tuple(sorted(threads)))
            except UnavailableError:
                raise
            except Exception as error:
                text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                raise UnavailableError(f"the cluster at {self.where} does not answer: {text}") from error
            self.threads = {address: threads[address] for address in self.fitness.fit if address in threads}
            self._looked = time.monotonic()

    def _first_workers(self) -> dict[str, int]:
        from distributed.exceptions import WorkerStartTimeoutError

        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except WorkerStartTimeoutError:
            raise UnavailableError(f"the cluster at {self.where} has no worker") from None
        return dict(self.client.nthreads())

    def _check(self, addresses: tuple[str, ...]) -> None:
        """Ask workers that are new for their versions, and those that can run chunks for themselves."""
        if addresses == self._asked and self.fitness.fit:
            return
        found = ask(self.client)
        if not found.fit:
            raise UnavailableError(
                f"no worker of the cluster at {self.where} can run autopar's chunks ({in_words(found.unfit)}); "
                "install the same versions there and restart the workers"
            )
        self.about = self.client.run(node.about, workers=list(found.fit))
        self.fitness, self._asked = found, addresses

    @property
    def restricted(self) -> list[str] | None:
        """The workers that chunks must go to, or None where all can run them."""
        return list(self.fitness.fit) if self.fitness.unfit else None

    def close(self) -> None:
        """Let go of it; a client of the user's stays open."""
        if self._release is not None:
            with suppress(Exception):  # At the end of the program nobody could do anything about it.
                self._release()


_lock = threading.RLock()
_connections: dict[Any, Connection] = {}


def connect(cluster: Any, *, plaintext: bool = False, workers: int = 2) -> Connection:
    """The connection to a cluster.

    Parameters
    ----------
    cluster
        An address, ``"local"``, a ``distributed.Client``, or None for the program's current client, and without one a
        local cluster.
    plaintext
        An unencrypted connection to another machine is all right.
    workers
        Workers of a local cluster that is started here.

    Raises
    ------
    UnavailableError
        It cannot be reached, or must not be.
    """
    if in_a_chunk():
        raise UnavailableError(
            "this is an item that runs on a cluster: its workers might all be waiting for each other"
        )
    with _lock:
        if cluster is None:
            cluster = current_client()
        if cluster is None:
            cluster = LOCAL
        key = cluster if isinstance(cluster, str) else id(cluster)
        known = _connections.get(key)
        if known is None or not known.alive:
            known = _connected(cluster, plaintext=plaintext, workers=workers)
            if not _connections:
                atexit.register(_at_exit)
            _connections[key] = known
    known.look()
    return known


def in_a_chunk() -> bool:
    """This process runs chunks for a Dask worker."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing is not None and multiprocessing.current_process().name == node.CHUNK_PROCESS


def current_client() -> Any:
    """The program's own client, if it has one that is open."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def known_connection(cluster: Any) -> Connection | None:
    """The connection to a cluster if there is one already."""
    if cluster is None:
        cluster = current_client()
    known = _connections.get(LOCAL if cluster is None else cluster if isinstance(cluster, str) else id(cluster))
    return known if known is not None and known.alive else None


def _connected(cluster: Any, *, plaintext: bool, workers: int) -> Connection:
    if not isinstance(cluster, str):
        if getattr(cluster, "asynchronous", False):
            raise UnavailableError(
                "cluster= takes a distributed.Client that is not asynchronous; make one for autopar beside it"
            )
        return Connection(cluster, _where(cluster))
    if cluster == LOCAL:
        return _local(workers)
    address = check_address(cluster, plaintext=plaintext)
    client = _client(address)
    return Connection(client, address, client.close)


def _local(workers: int) -> Connection:
    cluster = LocalCluster(workers)
    try:
        client = _client(cluster.address)
    except UnavailableError:
        cluster.close()
        raise

    def release() -> None:
        client.close()
        cluster.close()

    return Connection(client, f"a local cluster of {workers} workers", release)


def _client(address: str) -> Any:
    import socket

    from distributed import Client
    from distributed.comm.addressing import parse_host_port

    make: Any = Client
    try:
        # Dask would try for half a minute where nobody listens.
        if not address.startswith("inproc"):
            socket.create_connection(parse_host_port(address, SCHEDULER_PORT), timeout=CONNECT_SECONDS).close()
        return make(address, set_as_default=False, name="autopar")
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise UnavailableError(f"the cluster at {address} cannot be reached: {text}") from error


def _where(client: Any) -> str:
    scheduler = getattr(client, "scheduler", None)
    return str(getattr(scheduler, "address", "")) or "the given client's address"


def close_all() -> None:
    """Let go of all clusters, as at the end of the program."""
    with _lock:
        connections = [*_connections.values()]
        _connections.clear()
    quiet = _loggers() if connections else []
    for logger in quiet:
        logger.disabled = True
    try:
        for connection in connections:
            connection.close()
    finally:
        for logger in quiet:
            logger.disabled = False


def _at_exit() -> None:
    """A scheduler that has gone before, or a task that ends now, is no news any more, and nobody reads of it later."""
    for logger in _loggers() if _connections else []:
        logger.disabled = True
    close_all()


def _loggers() -> list[Any]:
    """Those of Dask and what it stands on, as far as they speak."""
    logging = sys.modules.get("logging")
    if logging is None:
        return []
    names = [name for name in logging.root.manager.loggerDict if name.startswith(("distributed", "tornado", "asyncio"))]
    return [logger for name in names if not (logger := logging.getLogger(name)).disabled]


def _forget() -> None:
    global _lock
    _lock = threading.RLock()
    _connections.clear()
    atexit.unregister(_at_exit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
