"""Results that are large: they come in parts, and their length takes more than a number of four bytes tells."""

from __future__ import annotations

import os
from typing import Any

import pytest

from autopar import parallel
from tests.faults.items import BAD

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

anywhere = pytest.mark.parametrize(
    "route", ["serial", "threads", "processes", "multiprocessing", "joblib"], indirect=True
)


@parallel(pure=True)
def makes(x: int, size: int) -> Any:
    """Return one result that is large, with marks at both ends."""
    return b"a" + bytes(size - 2) + b"z" if x == BAD else x


def comes_back(size: int, route: dict[str, Any]) -> bool:
    results = makes.map(range(5), size=size, chunksize=1, **route)
    large = results.pop(BAD)
    return results == [0, 1, 2, 4] and (len(large), large[:2], large[-2:]) == (size, b"a\0", b"\0z")


@anywhere
def test_a_large_result_comes_back(route: dict[str, Any]) -> None:
    """Thirty megabytes are whole, and the other results are right."""
    assert comes_back(30_000_001, route)


@anywhere
@pytest.mark.skipif(not LONG, reason="takes a dozen gigabytes of memory")
def test_a_result_of_two_gigabytes_comes_back(route: dict[str, Any]) -> None:
    """So are more bytes than a signed number of four bytes tells."""
    assert comes_back((1 << 31) + 3, route)
