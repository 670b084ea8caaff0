"""What a race teaches, whatever it shows of the GIL, and that its threads begin together."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest

from autopar._engine.deciding import Deciding
from autopar._engine.functions import FunctionState
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._engine.together import LATE, Start, Together
from autopar._model.hints import DEFAULTS
from autopar._model.observation import Sample
from autopar._model.work import Outcome

PATIENCE = 20.0


def raced(first: float, walls: Iterable[float], cpu: float, seconds: float, process: float | None) -> MapTask:
    """A map whose first item took so long, and whose two racers these walls with so much CPU time each."""
    task = MapTask(FunctionState(pow), Source((range(100),), star=False), {}, DEFAULTS)
    task.profile.add(Sample(1, first, first))
    outcomes = [Outcome([0], wall=wall, cpu=cpu, waits=2) for wall in walls]
    Deciding(task)._judge_race(outcomes, seconds, process)
    return task


TAUGHT: list[tuple[str, MapTask, float, float | None, float]] = [
    ("released", raced(5e-3, [5e-3, 5e-3], 5e-3, 5e-3, 10e-3), 5e-3, 0.0, 1.0),
    ("held", raced(5e-3, [10e-3, 10e-3], 5e-3, 10e-3, 10e-3), 5e-3, 1.0, 1.0),
    ("one after the other", raced(5e-3, [5e-3, 5e-3], 5e-3, 10e-3, 10e-3), 5e-3, None, 1.0),
    ("a first item like no other, then released", raced(67e-3, [5e-3, 5e-3], 5e-3, 5e-3, 10e-3), 5e-3, 0.0, 1.0),
    ("the same, one after the other", raced(67e-3, [5e-3, 5e-3], 5e-3, 10e-3, 10e-3), 5e-3, None, 1.0),
    ("threads of its own", raced(15e-3, [12e-3, 12e-3], 1e-3, 13e-3, 24e-3), 1e-3, None, 2.0),
    ("nobody knows of the process", raced(5e-3, [10e-3, 10e-3], 5e-3, 10e-3, None), 5e-3, 1.0, 1.0),
]


@pytest.mark.parametrize(("task", "each", "share", "inside"), [c[1:] for c in TAUGHT], ids=[c[0] for c in TAUGHT])
def test_a_race_teaches_what_the_items_take(task: MapTask, each: float, share: float | None, inside: float) -> None:
    """Their time, the cores that one keeps busy, and of the GIL no more than showed."""
    profile = task.profile
    assert profile.seconds_per_item == pytest.approx(each)
    assert profile.gil_share == share
    assert min(profile.cores_per_item, task.host.cores) == pytest.approx(min(inside, task.host.cores))


def test_threads_wait_for_one_another() -> None:
    """No item runs before all threads are at theirs; who waits for one that never comes goes on by itself."""
    start, order = Start(2), []
    begun = threading.Event()

    def run() -> None:
        begun.set()
        order.extend(Together(["waited"], start))

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(PATIENCE)
    order.extend(Together(["came"], start))
    thread.join()
    assert sorted(order) == ["came", "waited"]
    assert list(Together([1, 2], Start(2))) == [1, 2]
    assert LATE < 1.0
    assert len(Together([1, 2], Start(2))) == 2
