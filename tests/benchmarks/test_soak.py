"""The soak: in small, and that growth is noticed."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks.soak import Counted, Growth, run_part

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are counted")

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("part", "size"),
    [
        ("streamed", 60_000),
        ("functions", 60),
        pytest.param("in_flight", 5_000, marks=pytest.mark.skipif(not LONG, reason="takes long")),
        pytest.param("streamed", 1_000_000, marks=pytest.mark.skipif(not LONG, reason="takes long")),
        pytest.param("functions", 1_000, marks=pytest.mark.skipif(not LONG, reason="takes long")),
        pytest.param("maps", 20, marks=pytest.mark.skipif(not LONG, reason="takes long")),
    ],
)
def test_nothing_grows_and_nothing_is_wrong(part: str, size: float) -> None:
    """Many items, functions and maps leave no more memory, descriptors, threads or processes than a few."""
    assert run_part(part, size, limit=250)["wrong"] == []


@pytest.mark.parametrize(
    ("last", "grown"),
    [
        (Counted(100_000_000, 10, 5, 3), []),
        (Counted(180_000_000, 10, 5, 3), ["memory grew by 80,000,000"]),
        (Counted(100_000_000, 30, 5, 3), ["descriptors grew by 20"]),
        (Counted(100_000_000, 10, 50, 3), ["threads grew by 45"]),
        (Counted(100_000_000, 10, 5, 4), ["processes grew by 1"]),
    ],
)
def test_what_grows_is_named(last: Counted, grown: list[str]) -> None:
    """The end is compared with the most that there was early on."""
    growth = Growth()
    growth.seen = [Counted(90_000_000, 9, 4, 3), Counted(100_000_000, 10, 5, 3), Counted(10**9, 99, 99, 9), last]
    assert growth.complaints() == grown


def test_a_part_may_have_a_bound_of_its_own() -> None:
    """Where threads are bounded by something else, they are no complaint."""
    growth = Growth(warm=1)
    growth.seen = [Counted(0, 10, 5, 3), Counted(0, 10, 50, 3)]
    assert growth.complaints(threads=100) == []
