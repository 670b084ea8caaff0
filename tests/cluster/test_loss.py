"""A scheduler that goes away and comes back, or does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar._backends.dask import traffic
from autopar._backends.dask.connections import close_all
from autopar.errors import UnavailableError, WorkerDiedError
from tests.cluster.command_line import command_line_cluster
from tests.cluster.functions import leaves_a_mark, spends, tripled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_scheduler_that_is_restarted_loses_nothing_that_may_be_repeated(tmp_path: Path) -> None:
    """What was on its way is sent again once there is a scheduler with workers; the results are those of the loop."""
    with command_line_cluster(tmp_path) as cluster:
        cluster.start()
        results = []
        for result in spends.imap(range(300), buffersize=32, cluster=cluster.address, backend="dask"):
            results.append(result)
            if len(results) == 50:
                cluster.stop()
                cluster.start()
        assert results == list(range(300))
        close_all()


def test_a_scheduler_that_is_restarted_doubles_nothing_that_may_not(tmp_path: Path) -> None:
    """Items that were on their way are named errors, if they are not known to be safe to repeat."""
    marks = tmp_path / "marks"
    marks.mkdir()
    with command_line_cluster(tmp_path) as cluster:
        cluster.start()
        results: list[Any] = []
        marked = leaves_a_mark.options(cluster=cluster.address, backend="dask", on_error="return", chunksize=2)
        for result in marked.imap(range(100), folder=str(marks), buffersize=16):
            results.append(result)
            if len(results) == 30:
                cluster.stop()
                cluster.start()
        close_all()
    found = [int(path.name.partition("-")[0]) for path in marks.iterdir()]
    assert len(found) == len(set(found))
    lost = [place for place, result in enumerate(results) if isinstance(result, WorkerDiedError)]
    assert [result for result in results if isinstance(result, int)] == [x for x in range(100) if x not in lost]
    assert set(range(100)) - set(found) <= set(lost)
    assert len(lost) <= 16


def test_a_cluster_without_workers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demand ends with an error that says so; the scheduler is there, but nobody works for it."""
    monkeypatch.setattr(traffic, "NO_WORKER", 2.0)
    with command_line_cluster(tmp_path) as cluster:
        cluster.start()
        with ap.config(cluster=cluster.address, backend="dask"):
            assert tripled.map(range(4)) == [0, 3, 6, 9]
            results = spends.imap(range(400), buffersize=16)
            assert [next(results) for _ in range(10)] == list(range(10))
            cluster.stop_workers()
            with pytest.raises(UnavailableError, match="no worker"):
                list(results)
        close_all()
