"""A cluster on this machine, in processes of its own: ``cluster="local"``.

Dask's own ``LocalCluster`` would run its scheduler on threads of the caller and start workers that import the caller's
``__main__``. Here a process that knows nothing of the program holds it. That process ends, with all of the cluster,
when its standard input does, so nothing outlives the program, however that ends. It listens on the loopback device.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, cast

from autopar.errors import UnavailableError

ADDRESS = "address "
"""What the line begins with on which the process says where the cluster listens."""


class LocalCluster:
    """The process that holds the cluster.

    Parameters
    ----------
    workers
        Dask workers, with one thread each.

    Attributes
    ----------
    address
        Where it listens.

    Raises
    ------
    UnavailableError
        It did not start.
    """

    def __init__(self, workers: int) -> None:
        root = str(Path(__file__).resolve().parents[3])
        paths = [root, *(entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)]
        # What this program makes of warnings is not Dask's own start's business; its chunks get to know it.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 -- as long as the process writes to it
        self._process = subprocess.Popen(  # noqa: S603 -- our own module, by this interpreter
            [sys.executable, "-m", __name__, str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is the caller's to handle.
        )
        said = cast("IO[bytes]", self._process.stdout).readline().decode()
        if not said.startswith(ADDRESS):
            self._process.wait()
            self._said.seek(0)
            why = self._said.read().decode(errors="replace").strip().rpartition("\n")[2]
            self.close()
            raise UnavailableError(f"a local Dask cluster of {workers} workers could not be started: {why}")
        self.address = said.removeprefix(ADDRESS).strip()

    def close(self) -> None:
        """End it; its processes are gone soon after."""
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(workers: int) -> None:
    """Hold a cluster until standard input ends."""
    import dask
    from distributed import LocalCluster as Cluster

    # A worker that holds no more than chunks in passing needs no folder to spill to, nor a page to look at.
    dask.config.set({"distributed.worker.memory.spill": False, "distributed.worker.memory.target": False})
    options: dict[str, Any] = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "processes": True,
        "host": "127.0.0.1",
        "dashboard_address": None,
        "silence_logs": logging.CRITICAL,
    }
    make: Any = Cluster
    with make(**options) as cluster:
        print(f"{ADDRESS}{cluster.scheduler_address}", flush=True)  # noqa: T201 -- it is what the caller waits for
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
