"""One cluster of two workers for all tests that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autopar._backends.dask.connections import close_all
from tests.cluster.command_line import CommandLineCluster, command_line_cluster
from tests.routes import own_log

__all__ = ["cluster", "own_log"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLineCluster]:
    """A scheduler and two workers, started from the command line."""
    with command_line_cluster(tmp_path_factory.mktemp("cluster")) as found:
        found.start()
        yield found
        close_all()
