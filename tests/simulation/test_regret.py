"""Regret on many simulated machines: what planner and engine take, over what the best hand-picked way takes."""

from __future__ import annotations

import math
import random

import pytest

from tests.simulation.random_shapes import KINDS, random_host, random_work
from tests.simulation.regret import COLD, SESSION, WARM, Cell, cells, percentile

SHAPES = 16
"""Of each kind."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def found() -> list[Cell]:
    """Random hosts and works of every kind; adding a kind changes none of the others."""
    return [cell for kind in KINDS for number in range(SHAPES) for cell in _cells(kind, number)]


def _cells(kind: str, number: int) -> list[Cell]:
    rng = random.Random(f"{kind} {number}")
    return cells(random_host(rng), random_work(rng, kind), seed=number, number=number)


def test_print(found: list[Cell]) -> None:
    """X."""
    for regime in (COLD, SESSION, WARM):
        for kind in (None, *KINDS):
            regrets = [cell.regret for cell in found if cell.regime == regime and kind in (None, cell.work.kind)]
            mean = math.exp(sum(map(math.log, regrets)) / len(regrets))
            print(regime, kind, round(mean, 3), [round(percentile(regrets, q), 2) for q in (0.5, 0.8, 0.9, 0.95, 1.0)])
