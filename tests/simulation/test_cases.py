"""Named cases in which planner and engine once lost much, on simulated machines: what they may lose now."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from autopar._model.effects import EffectReport
from autopar._model.observation import Traits
from tests.simulation.regret import COLD, SESSION, Cell, cells
from tests.simulation.shapes import HostShape, WorkShape

CODE = compile("0", "case.py", "eval")
PYTHON = Traits("case.item", report=EffectReport(codes=(CODE,)))
RELEASING = replace(PYTHON, releasing_calls=("numpy.arange",))
FOREIGN = replace(PYTHON, foreign_calls=("lxml.etree.parse",))
WAITING = replace(PYTHON, blocking_calls=("socket.socket.recv",))


def work(traits: Traits, items: int, *, gil: float = 0.0, free: float = 0.0, wait: float = 0.0) -> WorkShape:
    """Items that are nearly alike."""
    rng = random.Random(items)
    factors = [rng.lognormvariate(0.0, 0.1) for _ in range(items)]
    parts = [[part * factor for factor in factors] for part in (gil, free, wait)]
    return WorkShape("case", parts[0], parts[1], parts[2], traits=traits)


SLOWED = replace(work(WAITING, 800, gil=5e-3, wait=0.1), slots=14, thrash=0.002)


SLOW_FIRST = replace(work(FOREIGN, 2000, gil=0.3e-3, free=10e-3), pickles=False)
SLOW_FIRST.free[0] = 0.1  # type: ignore[index]

LARGE = replace(work(FOREIGN, 100, gil=0.5e-3, free=20e-3), bytes_in=4e7)


def on(cores: int) -> HostShape:
    """A machine with so many cores."""
    return HostShape(cores=cores, noise=0.03)


CASES: list[tuple[str, HostShape, WorkShape, float]] = [
    ("many cores start their workers side by side", on(64), work(PYTHON, 2000, gil=5e-3), 1.1),
    ("unequal items race all the same", on(16), work(FOREIGN, 800, free=10e-3), 1.15),
    ("a share of a tenth shows before many threads are taken", on(64), work(FOREIGN, 1500, gil=2e-3, free=18e-3), 1.15),
    ("a generator of heavy items", on(32), replace(work(PYTHON, 300, gil=0.1), sized=False), 1.25),
    ("a generator of items that wait", on(8), replace(work(WAITING, 600, wait=20e-3), sized=False), 1.0),
    ("a server that slows down under load", on(256), SLOWED, 1.35),
    ("unpicklable work after a slow first item", on(64), SLOW_FIRST, 1.3),
    ("items with threads of their own", on(128), replace(work(FOREIGN, 60, gil=1e-3, free=17e-3), demand=5.0), 1.4),
    ("short waits in great number", on(16), work(WAITING, 1500, gil=20e-6, wait=1e-3), 1.0),
    ("large items that threads need not copy", on(8), LARGE, 1.2),
    ("calls said to release the GIL that hold it", on(2), work(RELEASING, 1000, gil=0.45e-3), 1.45),
    ("a first item that imports", on(16), replace(work(FOREIGN, 500, gil=20e-6, free=80e-6), first=0.1), 1.25),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("host", "shape", "most"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_may_be_lost(host: HostShape, shape: WorkShape, most: float) -> None:
    """A cold map, and three in a row, take at most so many times what the best hand-picked way takes."""
    found: dict[str, Cell] = {cell.regime: cell for cell in cells(host, shape)}
    for regime in (COLD, SESSION):
        cell = found[regime]
        told = f"{regime}: {cell.seconds:.3g} s with {cell.tried} ({cell.why}); {cell.best:.3g} s with {cell.way}"
        assert cell.regret <= most, told
