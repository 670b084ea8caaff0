"""Interpreters of this process as workers: CPython 3.14 and later."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

import pytest

import autopar as ap
from autopar.errors import TransportError, UnavailableError, UnsafeDemandError
from tests.routes import choose_only, own_log
from tests.scripts import run_python

__all__ = ["choose_only", "own_log"]

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="concurrent.interpreters came with Python 3.14")

STATE: list[int] = []


def counts(number: int) -> int:
    """Compute in Python for some milliseconds."""
    total = 0
    for i in range(number, number + 60_000):
        total += i * i % 7
    return total


def where(_: int) -> tuple[int, int]:
    interpreters: Any = importlib.import_module("concurrent.interpreters")
    return os.getpid(), interpreters.get_current().id


def length(data: Any) -> int:
    return len(data)


def imports(name: str) -> str:
    return __import__(name).__name__


def remembers(number: int) -> int:
    STATE.append(number)
    return len(STATE)


def test_items_run_in_interpreters_of_this_process() -> None:
    """Each has a number that is not the main one's; the results are the loop's, in order."""
    mapped = ap.parallel(where, backend="interpreters", workers=2, chunksize=1)
    found = mapped.map(range(6))
    assert {process for process, _ in found} == {os.getpid()}
    assert 0 not in {number for _, number in found}
    assert ap.map(counts, range(20), backend="interpreters") == [counts(number) for number in range(20)]
    assert ap.decisions()[-1].plan.backend == "interpreters"


def test_the_planner_takes_them_where_nothing_else_is(choose_only: Any) -> None:
    """Priced like every way, and chosen where it is the best that is left."""
    choose_only("interpreters")
    assert ap.map(counts, range(40)) == [counts(number) for number in range(40)]
    assert ap.decisions()[-1].plan.backend == "interpreters"


def test_their_modules_are_their_own() -> None:
    """What an item writes to a global is not the caller's; without pure=True the demand is refused."""
    with pytest.raises(UnsafeDemandError, match="changes an object that outlives the call"):
        ap.map(remembers, range(3), backend="interpreters")
    assert ap.map(remembers, range(3), backend="interpreters", pure=True, chunksize=1)[0] == 1
    assert STATE == []


def test_large_data_is_handed_over() -> None:
    """By the same segments as to processes."""
    data = bytearray(3 << 20)
    assert ap.map(length, [data] * 5, backend="interpreters") == [len(data)] * 5


def test_a_module_that_does_not_support_them_is_named() -> None:
    """NumPy says so when it is imported there; where the planner chose, the loop gives the answer."""
    pytest.importorskip("numpy")
    with pytest.raises(ImportError, match="interpreter"):
        ap.map(imports, ["numpy"] * 2, backend="interpreters")


def test_an_item_that_does_not_travel_is_an_error_of_its_own() -> None:
    """As with processes."""
    with pytest.raises((TransportError, UnavailableError), match="item 1"):
        ap.map(length, [b"", threading.Lock()], backend="interpreters")


FORKS = """
from concurrent import interpreters
import autopar as ap
from autopar.errors import UnavailableError

if __name__ == "__main__":
    said = [ap.map(abs, range(3), backend="interpreters"), ap.map(abs, range(3), backend="multiprocessing")]
    own = interpreters.create()
    try:
        ap.map(abs, range(3), backend="multiprocessing")
    except UnavailableError as error:
        said.append("other interpreters" in str(error))
    said.append(ap.map(abs, range(3), backend="processes"))
    own.close()
    print(said)
"""


@pytest.mark.slow
def test_nothing_is_forked_beside_an_interpreter() -> None:
    """A fork of such a process crashes: idle ones of autopar's make way, and one of the user's forbids it."""
    numbers = [0, 1, 2]
    assert eval(run_python("-c", FORKS)) == [numbers, numbers, True, numbers]
