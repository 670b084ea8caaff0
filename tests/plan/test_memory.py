"""How much of the available memory a plan may take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._plan import Situation, choose
from autopar._plan.memory import COPIES, IN_FLIGHT, MEMORY_SHARE, WORKER_BYTES, items_that_fit, workers_that_fit
from tests.plan.cases import HOST, situation

GIGABYTE = 1e9


@pytest.mark.parametrize(
    ("memory", "shared", "transport", "workers"),
    [
        (None, 1e12, 1e12, 1 << 30),
        (2 * GIGABYTE, 0.0, 0.0, 90),
        (2 * GIGABYTE, 0.1 * GIGABYTE, 0.0, 4),
        (2 * GIGABYTE, 0.0, 0.05 * GIGABYTE, 4),
        (2 * GIGABYTE, 3 * GIGABYTE, 0.0, 1),
        (0.0, 0.0, 0.0, 1),
    ],
    ids=["unknown", "nothing-shared", "shared", "large-items", "too-large", "none-left"],
)
def test_workers_that_fit(memory: float | None, shared: float, transport: float, workers: int) -> None:
    """Half of what is left is for the workers, what they share and what is on its way; one is always allowed."""
    assert workers_that_fit(None if memory is None else int(memory), shared, transport) == workers


@given(st.floats(1e6, 1e13), st.floats(0, 1e9), st.floats(1, 1e9))
def test_what_fits_stays_within_the_share(memory: float, shared: float, transport: float) -> None:
    """More than one worker, and more than one item in a chunk, only where all of them are within the share."""
    workers = workers_that_fit(int(memory), shared, transport)
    if workers > 1:
        assert workers * (WORKER_BYTES + COPIES * (shared + IN_FLIGHT * transport)) <= MEMORY_SHARE * memory * 1.001
    items = items_that_fit(int(memory), workers, transport)
    if items > 1:
        assert items * workers * COPIES * IN_FLIGHT * transport <= MEMORY_SHARE * memory * 1.001


def large_values(memory: float, **known: float) -> Situation:
    """A planning for 200 items of 5 s on 64 cores, on a machine with so much memory left."""
    case = situation(5.0, 200, known=known, host=replace(HOST, cores=64, logical_cores=64, memory=int(memory)))
    return replace(case, cores=64)


def test_a_plan_has_no_more_processes_than_memory_for_them() -> None:
    """Copies of what the function carries bound the workers, and the decision says so."""
    free = choose(large_values(1000 * GIGABYTE, bytes_shared=0.1 * GIGABYTE))
    tight = choose(large_values(2 * GIGABYTE, bytes_shared=0.1 * GIGABYTE))
    assert free.plan.workers > 4
    assert tight.plan.workers <= 4
    assert any("memory" in note for note in tight.notes)
    assert not any("memory" in note for note in free.notes)


def test_demanded_workers_are_the_users_own_business() -> None:
    """workers= is met, whatever it takes."""
    case = large_values(0.2 * GIGABYTE, bytes_shared=0.1 * GIGABYTE)
    demanded = replace(case, settings=replace(case.settings, workers=8, backend="processes"))
    assert choose(demanded).plan.workers == 8
