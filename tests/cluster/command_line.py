"""Clusters as an administrator starts them: `dask scheduler` and `dask worker`, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from distributed import Client, Security

from tests.scripts import ROOT

QUIETLY = {
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}
"""A cluster of two workers that has nothing to do takes 12 % of a core with Dask's own settings, and 3 % with these."""

STARTS_WITHIN = 60
"""Seconds for a scheduler and its workers to be there, on a slow and busy machine."""


class CommandLineCluster:
    """A scheduler and workers on this machine.

    Parameters
    ----------
    folder
        For what they write.
    security
        Certificates, or None for plain connections.
    """

    def __init__(self, folder: Path, security: Security | None = None) -> None:
        self.folder = folder
        self.security = security
        self.port = free_port()
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        return f"{'tcp' if self.security is None else 'tls'}://127.0.0.1:{self.port}"

    def start(self, workers: int = 2, **options: Any) -> None:
        """Start a scheduler and workers, and wait for them."""
        self.scheduler = self._run("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        self.add_workers(workers, **options)

    def add_workers(self, count: int, *, path: Sequence[Path] = (ROOT,), options: Sequence[str] = ()) -> None:
        """Start more workers, which find modules in these folders, and wait for them."""
        with self.client() as client:
            there = len(client.nthreads())
            for _ in range(count):
                place = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--death-timeout", "10")
                folder = ("--local-directory", str(self.folder))
                self.workers.append(self._run("worker", self.address, *place, *folder, *options, path=path))
            client.wait_for_workers(there + count, timeout=STARTS_WITHIN)

    def client(self) -> Any:
        """A client of the test's own."""
        make: Any = Client
        return make(self.address, security=self.security, set_as_default=False, timeout=STARTS_WITHIN)

    def kill_a_worker(self) -> None:
        """Kill the process of one worker, but not its nanny, which starts another."""
        with self.client() as client:
            pid = next(iter(client.run(os.getpid).values()))
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End everything at once."""
        if self.scheduler is not None:
            _end(self.scheduler)
            self.scheduler = None
        self.stop_workers()

    def stop_workers(self) -> None:
        """End the workers."""
        for process in self.workers:
            _end(process)
        self.workers = []

    def _run(self, *arguments: str, path: Sequence[Path] = (ROOT,)) -> subprocess.Popen[bytes]:
        tls: list[str] = []
        if self.security is not None:
            for role in ("scheduler", "worker"):
                if arguments[0] == role:
                    security: Any = self.security
                    keys = security.get_tls_config_for_role(role)
                    tls = ["--tls-ca-file", keys["ca_file"], "--tls-cert", keys["cert"], "--tls-key", keys["key"]]
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, *tls],
            cwd=self.folder,
            env={**os.environ, **QUIETLY, "PYTHONPATH": os.pathsep.join(map(str, path))},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def command_line_cluster(folder: Path, security: Security | None = None) -> Iterator[CommandLineCluster]:
    """A cluster without anything in it, for as long as the block runs."""
    cluster = CommandLineCluster(folder, security)
    try:
        yield cluster
    finally:
        cluster.stop()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
