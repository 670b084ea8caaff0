"""What the planner and the engine take, over what the best hand-picked way takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from autopar._engine.blocks import Reorder
from autopar._engine.run import MapRun
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.hints import Settings
from tests.simulation.by_hand import Way, best_way, run_by_hand
from tests.simulation.machine import SimulatedFunction, SimulatedMachine
from tests.simulation.shapes import HostShape, WorkShape

MAPS = 3
"""Maps of the same items one after another, in one process."""

FINEST = 1e-3
"""Seconds a map below which a difference counts as none: no user sees it, and no clock on a busy machine."""

COLD, WARM, SESSION = "cold", "warm", "session"
"""The first map of a process; its last, against ways whose workers are running; and all of its maps together."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One workload on one host, priced.

    Attributes
    ----------
    host, work
        What was simulated.
    regime
        :data:`COLD`, :data:`WARM` or :data:`SESSION`.
    seconds, best
        Of the engine, and of the best way.
    way
        The best way.
    tried
        What the engine did, with the items that each plan ran.
    why
        Its reason for the last choice, and what went otherwise.
    number
        Of the shape.
    """

    host: HostShape
    work: WorkShape
    regime: str
    seconds: float
    best: float
    way: Way
    tried: tuple[tuple[str, int], ...]
    why: str
    number: int = 0

    @property
    def regret(self) -> float:
        """Time taken over the best time; 1 where they differ by less than can be told."""
        maps = MAPS if self.regime == SESSION else 1
        return 1.0 if 0 <= self.lost < maps * FINEST else self.seconds / self.best

    @property
    def lost(self) -> float:
        """Seconds over the best."""
        return self.seconds - self.best


def cells(host: HostShape, work: WorkShape, *, seed: int = 0, number: int = 0) -> list[Cell]:
    """The regret in each regime."""
    machine = SimulatedMachine(host, work, seed)
    function = SimulatedFunction(machine)
    runs = [run_engine(machine, function) for _ in range(MAPS)]
    cold_way, cold = best_way(host, work, warm=False, seed=seed)
    warm_way, warm = best_way(host, work, warm=True, seed=seed)
    # The best of one map alone or of many: with three, one of the two is best in almost all cases.
    of_session = {
        cold_way: cold + (MAPS - 1) * run_by_hand(cold_way, host, work, warm=True, seed=seed),
        warm_way: run_by_hand(warm_way, host, work, warm=False, seed=seed) + (MAPS - 1) * warm,
    }
    session_way = min(of_session, key=of_session.__getitem__)
    priced = (
        (COLD, runs[0][0], cold, cold_way, runs[0][1]),
        (WARM, runs[-1][0], warm, warm_way, runs[-1][1]),
        (SESSION, sum(seconds for seconds, _ in runs), of_session[session_way], session_way, runs[-1][1]),
    )
    return [
        Cell(host, work, regime, seconds, best, way, _tried(run), _why(run), number)
        for regime, seconds, best, way, run in priced
    ]


def _tried(run: MapRun) -> tuple[tuple[str, int], ...]:
    return tuple((str(plan), items) for plan, items in run.task.tried)


def _why(run: MapRun) -> str:
    return "; ".join([run.choice.why if run.choice else "not planned", *run.task.fallbacks])


def run_engine(machine: SimulatedMachine, function: SimulatedFunction) -> tuple[float, MapRun]:
    """Map all items with the real engine; the virtual seconds and the run.

    Raises
    ------
    AssertionError
        The results are not those of the loop.
    """
    items: Any = range(len(machine.work))
    source = Source((items if machine.work.sized else iter(items),), star=False)
    began = machine.now()
    run = MapRun(MapTask(function, source, {}, Settings(), machine=machine))
    order, results = Reorder(), []
    for block in run.blocks():
        for ready in order.put(block):
            if ready.error is not None:
                raise ready.error
            results += ready.values
    assert results == list(items)
    return machine.now() - began, run


def percentile(values: Iterable[float], share: float) -> float:
    """The least value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def by(found: Iterable[Cell], key: Callable[[Cell], str]) -> dict[str, list[Cell]]:
    """Cells by what they have in common."""
    groups: dict[str, list[Cell]] = {}
    for cell in found:
        groups.setdefault(key(cell), []).append(cell)
    return groups
