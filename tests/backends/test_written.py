"""The decision log tells when an item has written to a large argument that workers share."""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar import parallel
from autopar._backends.segments import LASTING
from autopar._backends.written import COST_AT_MOST, PRIVATE_COPY, Watch, any_written, range_of
from autopar._model.work import Outcome

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/pagemap"), reason="this system tells nothing of pages")

PAGES = 64


@pytest.fixture
def mapped() -> mmap.mmap:
    """Memory that a file holds, mapped privately, with every page there."""
    with open(os.memfd_create("test"), "r+b") as file:
        file.write(b"x" * PAGES * mmap.PAGESIZE)
        file.flush()
        found = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    assert set(found[:: mmap.PAGESIZE]) == set(b"x")
    return found


@pytest.mark.parametrize("page", [0, PAGES // 2, PAGES - 1])
def test_one_page_that_was_written_shows(mapped: mmap.mmap, page: int) -> None:
    """Reading all of it shows nothing, a single byte written does, in the range that it is in."""
    ((address, size),) = range_of(memoryview(mapped))
    assert not any_written([(address, size)])
    mapped[page * mmap.PAGESIZE + 7] = 0
    assert any_written([(address, size)])
    assert any_written([(address + page * mmap.PAGESIZE + 5, 3)])
    others = [(address + other * mmap.PAGESIZE, mmap.PAGESIZE) for other in range(PAGES) if other != page]
    assert not any_written(others)


def test_looking_costs_little_of_the_items_time(mapped: mmap.mmap) -> None:
    """After the first chunk the next look waits until the items have taken many times as long."""
    watch = Watch(range_of(memoryview(mapped)))
    outcome = Outcome([])
    watch.look([], outcome)
    mapped[0] = 0
    watch.look([], outcome)
    assert outcome.emitted == ()
    watch.look([], Outcome([], wall=1000 / COST_AT_MOST))
    seen = Outcome([], wall=1.0)
    watch.look([], seen)
    assert seen.emitted == (), "it is said once"


def test_memory_of_the_process_alone_is_no_shared_argument() -> None:
    """What is not mapped from a file is all this process's own; a range of nothing is not asked for."""
    buffer = ctypes.create_string_buffer(b"x" * mmap.PAGESIZE)
    assert any_written([(ctypes.addressof(buffer), 8)])
    assert not any_written([])


def counts_up(x: int, a: Any) -> float:
    a[0] += 1
    return float(a[0])


def looks(x: int, a: Any) -> float:
    return float(a[0])


@pytest.mark.parametrize("backend", ["processes", pytest.param("joblib", marks=pytest.mark.slow)])
def test_the_decision_says_that_a_worker_has_a_copy(backend: str) -> None:
    """It says so once for a map whose items write, of a keyword argument as of items, and not where they only read."""
    array = np.zeros(LASTING)
    common: dict[str, Any] = {"backend": backend, "pure": True, "chunksize": 1, "workers": 1}
    ap.map(counts_up, range(3), a=array, **common)
    assert ap.decisions()[-1].fallbacks == (PRIVATE_COPY,)
    parallel(counts_up, **common).starmap([(n, array) for n in range(3)])
    assert ap.decisions()[-1].fallbacks == (PRIVATE_COPY,)
    ap.map(looks, range(3), a=array, **common)
    assert ap.decisions()[-1].fallbacks == ()
    assert array[0] == 0
