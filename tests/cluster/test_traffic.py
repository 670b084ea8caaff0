"""What goes wrong with chunks on their way, on a cluster that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from autopar._backends.dask import node, traffic
from autopar._backends.dask.connections import Connection
from autopar._backends.dask.traffic import ClusterChunk, Parcel, SharedJob, Traffic
from autopar._backends.transport import PackedJob
from autopar.errors import WorkerDiedError

GONE = "tcp://gone:1"


class SilentTask:
    """A task that no worker will ever take up, so that nobody is told of it."""

    status = "pending"

    def add_done_callback(self, call: object) -> None:
        pass

    def cancel(self) -> None:
        pass


class SilentClient:
    """A client of a cluster whose workers have just been replaced by others."""

    status = "running"
    loop = None

    def scatter(self, values: list[Any], **options: Any) -> list[Any]:
        return values

    def map(self, function: object, tickets: list[Any], *inputs: object, **options: Any) -> list[SilentTask]:
        assert options["workers"] == [GONE]
        return [SilentTask() for _ in tickets]

    def nthreads(self) -> dict[str, int]:
        return {"tcp://here:2": 1}


@pytest.fixture
def silent() -> Iterator[Traffic]:
    """Chunks may be sent, but nothing ever comes back."""
    connection = Connection(SilentClient(), "nowhere")
    connection.threads = {GONE: 1}
    connection.about = {GONE: node.About("of a process that was", "there", 1e-3)}
    found = Traffic(connection)
    yield found
    found.close()


def test_a_chunk_that_is_sent_to_a_worker_that_has_gone_is_lost(
    silent: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a bound chunk's worker is still there is looked at, also where nothing was on its way before."""
    monkeypatch.setattr(traffic, "LOOK_FOR_GONE", 0.01)
    job = SharedJob(node.SentJob("job", PackedJob(b"", [], []), b"", "here"), [], repeatable=False)
    pending = ClusterChunk()
    silent.send(Parcel(pending, job, 0, b""))
    with pytest.raises(WorkerDiedError, match="tcp://gone:1 that held it has gone"):
        pending.result(10)
