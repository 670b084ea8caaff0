"""What is large: results beyond what one read of a pipe can take, and the messages of items."""

from __future__ import annotations

import os
from typing import Any

import pytest

from autopar import parallel
from tests.faults.items import BAD

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"
SIZE = (1 << 31) + 3 if LONG else 30_000_001
"""Bytes: more than a signed number of four bytes tells, or enough to be in parts."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@parallel(pure=True)
def makes(x: int, size: int) -> Any:
    """Return one result that is large, with marks at both ends."""
    return b"a" + bytes(size - 2) + b"z" if x == BAD else x


@pytest.mark.parametrize("route", ["serial", "threads", "processes", "multiprocessing", "joblib"], indirect=True)
def test_a_large_result_comes_back(route: dict[str, Any]) -> None:
    """It is whole, and the others are right."""
    results = makes.map(range(5), size=SIZE, chunksize=1, **route)
    large = results.pop(BAD)
    assert results == [0, 1, 2, 4]
    assert (len(large), large[:2], large[-2:]) == (SIZE, b"a\0", b"\0z")
