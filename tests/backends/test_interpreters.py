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


@pytest.fixture(autouse=True)
def nothing_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the planner choose them whatever other tests were refused."""
    monkeypatch.setattr(importlib.import_module("autopar._backends.interpreters"), "why_not", "")


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


def test_a_program_may_import_numpy() -> None:
    """Its settings, and warnings filters of its classes, stay behind."""
    pytest.importorskip("numpy")
    assert ap.map(counts, range(4), backend="interpreters") == [counts(number) for number in range(4)]


def sums(number: int) -> int:
    import numpy as np

    return int(np.arange(number).sum())


def catches(name: str) -> bool:
    """Go on without a module, which gives another answer."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def test_what_needs_numpy_is_refused_before_anything_runs() -> None:
    """A function that imports it, and one that is given an array."""
    np = pytest.importorskip("numpy")
    with pytest.raises(UnavailableError, match="needs numpy, which does not support several interpreters"):
        ap.map(sums, range(3), backend="interpreters")
    with pytest.raises(UnavailableError, match="needs numpy"):
        ap.map(length, [np.zeros(3)], backend="interpreters")


@pytest.mark.parametrize("function", [imports, catches])
def test_a_module_that_does_not_support_them_is_named(function: Any) -> None:
    """One that only an item asks for, whether or not the item minds that it is not there."""
    pytest.importorskip("numpy")
    with pytest.raises(UnavailableError, match=r"needs numpy.*, which does not support several interpreters"):
        ap.map(function, ["numpy"] * 2, backend="interpreters", pure=True)
    assert ap.map(length, ["a"], backend="interpreters") == [1]


def imports_late(number: int) -> int:
    """Import one that the caller has not, in an item that the caller does not run itself."""
    if number > 20:
        __import__("numpy")
    return counts(number)


def test_the_loop_goes_on_where_the_planner_chose_them(choose_only: Any) -> None:
    """The decision says why, and they are not chosen again."""
    pytest.importorskip("numpy")
    choose_only("interpreters")
    mapped = ap.parallel(imports_late, pure=True)
    assert mapped.map(range(60)) == [counts(number) for number in range(60)]
    assert "which does not support several interpreters" in " ".join(ap.decisions()[-1].fallbacks)
    assert mapped.map(range(60)) == [counts(number) for number in range(60)]
    assert [rival.because for rival in ap.decisions()[-1].rejected if "was refused" in rival.because]


def test_an_item_that_does_not_travel_is_an_error_of_its_own() -> None:
    """As with processes."""
    with pytest.raises((TransportError, UnavailableError), match="item 1"):
        ap.map(length, [b"", threading.Lock()], backend="interpreters")


FORKS = """
import multiprocessing
from concurrent import interpreters
import autopar as ap
from autopar.errors import UnavailableError

if __name__ == "__main__":
    said = [ap.map(abs, range(3), backend="interpreters"), ap.map(abs, range(3), backend="multiprocessing")]
    process = multiprocessing.get_context("fork").Process(target=print, args=("a child of the program's own",))
    ap.map(abs, range(3), backend="interpreters")
    process.start()
    process.join()
    said.append(process.exitcode)
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
    child, said = run_python("-c", FORKS).splitlines()
    assert child == "a child of the program's own"
    assert eval(said) == [numbers, numbers, 0, True, numbers]
