"""A scheduler that goes away and comes back, or does not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import autopar as ap
from autopar._backends.dask import traffic
from autopar._backends.dask.connections import close_all
from autopar.errors import UnavailableError, WorkerDiedError
from tests.cluster.command_line import CommandLineCluster, command_line_cluster
from tests.cluster.functions import leaves_a_mark, spends, tripled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Restarted(NamedTuple):
    """What two maps gave whose scheduler was killed and started again in the middle."""

    repeatable: list[int]
    once: list[Any]
    marks: Path


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLineCluster]:
    """A cluster of this module's own, which tests may break."""
    with command_line_cluster(tmp_path_factory.mktemp("fragile")) as cluster:
        cluster.start()
        yield cluster
        close_all()


@pytest.fixture(scope="module")
def restarted(fragile: CommandLineCluster, tmp_path_factory: pytest.TempPathFactory) -> Restarted:
    """Both maps have chunks under way when the scheduler and its workers are killed."""
    marks = tmp_path_factory.mktemp("marks")
    hints: dict[str, Any] = {"cluster": fragile.address, "backend": "dask"}
    marked = leaves_a_mark.options(on_error="return", chunksize=2, **hints)
    repeatable = spends.imap(range(300), buffersize=32, **hints)
    once = marked.imap(range(100), folder=str(marks), buffersize=16)
    found = Restarted([], [], marks)
    found.repeatable.extend(islice(repeatable, 50))
    found.once.extend(islice(once, 30))
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(traffic, "NO_WORKER", 150.0)  # on a busy machine workers take long to start
        fragile.stop()
        fragile.start()
        found.once.extend(once)
        found.repeatable.extend(repeatable)
    return found


def test_a_scheduler_that_is_restarted_loses_nothing_that_may_be_repeated(restarted: Restarted) -> None:
    """What was on its way is sent again once there is a scheduler with workers; the results are those of the loop."""
    assert restarted.repeatable == list(range(300))


def test_a_scheduler_that_is_restarted_doubles_nothing_that_may_not(restarted: Restarted) -> None:
    """Items that were on their way are named errors, if they are not known to be safe to repeat."""
    results = restarted.once
    found = [int(path.name.partition("-")[0]) for path in restarted.marks.iterdir()]
    assert len(found) == len(set(found))
    lost = [place for place, result in enumerate(results) if isinstance(result, WorkerDiedError)]
    assert [result for result in results if isinstance(result, int)] == [x for x in range(100) if x not in lost]
    assert set(range(100)) - set(found) <= set(lost)
    assert len(lost) <= 16


def test_a_cluster_without_workers_is_given_up(fragile: CommandLineCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demand ends with an error that says so; the scheduler is there, but nobody works for it."""
    monkeypatch.setattr(traffic, "NO_WORKER", 2.0)
    with ap.config(cluster=fragile.address, backend="dask"):
        assert tripled.map(range(4)) == [0, 3, 6, 9]
        results = spends.imap(range(400), buffersize=16)
        assert [next(results) for _ in range(10)] == list(range(10))
        fragile.stop_workers()
        with pytest.raises(UnavailableError, match="no worker"):
            list(results)
