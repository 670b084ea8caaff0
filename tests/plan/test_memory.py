"""How much of the available memory a plan may take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._plan import Situation
from autopar._plan.memory import COPIES, IN_FLIGHT, MEMORY_SHARE, WORKER_BYTES, items_that_fit, workers_that_fit
from tests.plan.cases import situation

GIGABYTE = 1e9


def with_memory(memory: float | None) -> Situation:
    known = situation()
    return replace(known, host=replace(known.host, memory=None if memory is None else int(memory)))


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
    assert workers_that_fit(with_memory(memory), shared, transport) == workers


@given(st.floats(1e6, 1e13), st.floats(0, 1e9), st.floats(1, 1e9))
def test_what_fits_stays_within_the_share(memory: float, shared: float, transport: float) -> None:
    """More than one worker, and more than one item in a chunk, only where all of them are within the share."""
    known = with_memory(memory)
    workers = workers_that_fit(known, shared, transport)
    if workers > 1:
        assert workers * (WORKER_BYTES + COPIES * (shared + IN_FLIGHT * transport)) <= MEMORY_SHARE * memory * 1.001
    items = items_that_fit(known, workers, transport)
    if items > 1:
        assert items * workers * COPIES * IN_FLIGHT * transport <= MEMORY_SHARE * memory * 1.001
