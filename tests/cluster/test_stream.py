"""Ten million items through a cluster, in memory that does not grow: a long run only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cluster.command_line import CommandLineCluster
from tests.cluster.functions import tripled

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.environ.get("AUTOPAR_TEST_LONG") != "1", reason="some minutes: AUTOPAR_TEST_LONG=1 runs it"),
    pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="this system does not tell what a process uses"),
]

ITEMS = int(os.environ.get("AUTOPAR_TEST_STREAM", "10_000_000"))
GROWTH = 48 << 20
"""Bytes by which a process may grow after the first tenth: far below the 300 MB that the items are as objects."""


def resident(process: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_ten_million_items_stream_through(cluster: CommandLineCluster) -> None:
    """Caller, scheduler and workers stay as large as they are after a tenth of the items; none of these is lost."""
    with cluster.client() as client:
        processes = [os.getpid(), client.run_on_scheduler(os.getpid), *client.run(os.getpid).values()]
        results = tripled.imap(iter(range(ITEMS)), backend="dask", cluster=cluster.address)
        after_a_tenth: list[int] = []
        largest = [0] * len(processes)
        for place, result in enumerate(results):
            assert result == 3 * place
            if place % (ITEMS // 100) == 0 and place >= ITEMS // 10:
                sizes = [resident(process) for process in processes]
                after_a_tenth = after_a_tenth or sizes
                largest = [max(two) for two in zip(largest, sizes, strict=True)]
    assert place == ITEMS - 1
    assert [end - begin for begin, end in zip(after_a_tenth, largest, strict=True) if end - begin > GROWTH] == []
