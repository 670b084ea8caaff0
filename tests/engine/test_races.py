"""What a race teaches, whatever it shows of the GIL, and that its threads begin together."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest

from autopar._backends.away import run_away
from autopar._engine import deciding
from autopar._engine.blocks import Block
from autopar._engine.deciding import Deciding
from autopar._engine.elsewhere import Elsewhere
from autopar._engine.functions import FunctionState
from autopar._engine.lessons import CHUNKS_SEEN, HAND_OVERS_SEEN, OnPool, SideBySide
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._engine.together import LATE, Start, Together
from autopar._model.hints import DEFAULTS
from autopar._model.learned import ItemFacts
from autopar._model.observation import Sample
from autopar._model.plan import BACKENDS, Plan
from autopar._model.work import Chunk, Job, Outcome
from autopar._plan import Race
from autopar.testing import FakePool
from tests.engine import fake_backend

PATIENCE = 20.0


def raced(first: float, walls: Iterable[float], cpu: float, seconds: float, process: float | None) -> MapTask:
    """A map whose first item took so long, and whose two racers these walls with so much CPU time each."""
    task = MapTask(FunctionState(pow), Source((range(100),), star=False), {}, DEFAULTS)
    task.profile.add(Sample(1, first, first))
    outcomes = [Outcome([0], wall=wall, cpu=cpu, waits=2) for wall in walls]
    Deciding(task)._judge_race(outcomes, len(outcomes), seconds, process)
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
    start, order = Start(2), list[str]()
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


def side_by_side(
    chunks: int, wall: float, cpu: float, *, threads: int = 2, waits: int = 1, workers: int = 1, pause: float = 0.0
) -> SideBySide:
    """Chunks of two items, so many at once, which the workers run in turn with such pauses."""
    seen = SideBySide()
    for number in range(chunks):
        began = number // threads * (wall + pause)
        seen.add(began, Outcome([0, 0], wall=wall, cpu=cpu, waits=waits), number % workers)
    return seen


LONG = HAND_OVERS_SEEN * sys.getswitchinterval()
SHOWN: list[tuple[str, SideBySide, float | None]] = [
    ("nothing yet", side_by_side(0, 5e-3, 5e-3), None),
    ("too short a time", side_by_side(40, LONG / 40, LONG / 40), None),
    ("too few chunks", side_by_side(2 * CHUNKS_SEEN - 2, LONG, LONG), None),
    ("released", side_by_side(8, LONG / 2, LONG / 2), 0.0),
    ("held", side_by_side(8, LONG / 2, LONG / 4), 1.0),
    ("other programs had the cores", side_by_side(8, LONG / 2, LONG / 4, waits=0), None),
    ("one after the other", side_by_side(8, LONG / 2, LONG / 2, threads=1), None),
    ("two that take turns", side_by_side(8, LONG / 2, LONG / 2, threads=1, workers=2), 1.0),
    ("two that wait for work", side_by_side(8, LONG / 2, LONG / 2, threads=1, workers=2, pause=LONG), None),
]


@pytest.mark.parametrize(("seen", "share"), [c[1:] for c in SHOWN], ids=[c[0] for c in SHOWN])
def test_the_first_chunks_on_threads_show_the_share_of_the_gil(seen: SideBySide, share: float | None) -> None:
    """Once they have met often enough; a share that was guessed is not believed for a whole map."""
    assert seen.gil_share(2, 0.0) == share


@pytest.mark.parametrize(("later", "share"), [(LONG / 2, 0.0), (LONG / 4, 1.0)], ids=["released", "held"])
def test_what_calls_something_that_releases_the_gil_must_show_twice_that_it_is_held(later: float, share: float) -> None:
    """The first moment on new threads, when libraries start theirs, looks like the GIL."""
    seen = side_by_side(8, LONG / 2, LONG / 4)
    assert seen.gil_share(2, 0.0, releases=True) is None
    for number in range(8):
        seen.add(LONG * 4 + number // 2 * (LONG / 2), Outcome([0, 0], wall=LONG / 2, cpu=later, waits=1))
    assert seen.gil_share(2, 0.0, releases=True) == share


def test_taking_turns_shows_at_once_that_it_is_held() -> None:
    """Nothing else looks like that, whatever the function calls."""
    seen = side_by_side(8, LONG / 2, LONG / 2, threads=1, workers=2)
    assert seen.gil_share(2, 0.0, releases=True) == 1.0


BETTER: list[tuple[str, ItemFacts, int, float, float]] = [
    ("a first item like no other", ItemFacts(67e-3, 67e-3), 100, 4e-3, 4e-3),
    ("the same, where few have run", ItemFacts(67e-3, 67e-3), 4, 4e-3, 67e-3),
    ("items that are in each other's way", ItemFacts(4e-3, 4e-3), 100, 8e-3, 4e-3),
    ("items somewhat shorter", ItemFacts(8e-3, 8e-3), 100, 4e-3, 8e-3),
    ("waits", ItemFacts(67e-3, 0.0), 100, 4e-3, 4e-3),
]


@pytest.mark.parametrize(("facts", "items", "each", "learned"), [c[1:] for c in BETTER], ids=[c[0] for c in BETTER])
def test_what_is_remembered_of_the_items_is_not_what_only_the_first_took(
    facts: ItemFacts, items: int, each: float, learned: float
) -> None:
    """Items on a pool take longer than alone and never far less: then those that ran alone were no measure."""
    seen = OnPool()
    seen.add(Outcome([0] * items, wall=items * each, cpu=items * each if facts.computes else 0.0))
    assert seen.better(facts).seconds == pytest.approx(learned)


def test_chunks_that_race_meet_on_threads_of_the_pool() -> None:
    """A chunk's items wait for one another where they run, so that chunks which hold the GIL cannot seem to be free."""
    waited: list[str] = []

    class Watched(Start):
        def wait(self) -> None:
            waited.append(threading.current_thread().name)

    job = Job(abs)
    outcome = run_away(Chunk(job, 0, Together([-1, -2], Watched(1))))
    assert (outcome.values, waited) == ([1, 2], [threading.current_thread().name])


def test_what_a_race_has_run_is_counted_before_its_results_leave() -> None:
    """The list of all results may grow in the block of the second racer; its items are no more for that."""
    counted: list[int] = []

    class Counting(Deciding):
        def _judge_race(
            self, outcomes: list[Outcome], items: int, seconds: float, process_cpu: float | None = None
        ) -> None:
            counted.append(items)

    task = MapTask(FunctionState(pow), Source((range(100),), star=False), {"exp": 2}, DEFAULTS)
    for block in Counting(task)._run(Race(2, 3)):
        block.values[:0] = [0] * 50
    assert counted == [6]


def digested(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def counted(data: bytes) -> int:
    return sum(data)


SCRIPTS: list[tuple[str, Callable[[bytes], object], list[float | None], float | None, int]] = [
    ("released", digested, [0.1], 0.1, 1),
    ("held once", digested, [1.0, 0.1], 0.1, 2),
    ("held twice", digested, [1.0, 1.0], 1.0, 2),
    ("held, then unclear", digested, [1.0, None], 1.0, 2),
    ("unclear, then held", digested, [None, 1.0], 1.0, 2),
    ("held by what calls nothing that releases it", counted, [1.0, 0.1], 1.0, 1),
]


@pytest.mark.parametrize(
    ("function", "shown", "share", "races"), [each[1:] for each in SCRIPTS], ids=[each[0] for each in SCRIPTS]
)
def test_who_calls_what_releases_the_gil_is_raced_again_before_it_is_taken_to_hold_it(
    monkeypatch: pytest.MonkeyPatch,
    function: Callable[[bytes], object],
    shown: list[float | None],
    share: float | None,
    races: int,
) -> None:
    """Two threads that shared a core lose as much to each other as two that compete for the GIL."""
    monkeypatch.setattr(deciding, "best_race", lambda situation: Race(2, 1))
    run: list[Race] = []

    class Scripted(Deciding):
        def _run(self, race: Race) -> Iterator[Block]:
            self.task.profile.gil_share = shown[len(run)]
            self.task.profile.gil_share_why = f"race {len(run)}"
            run.append(race)
            return iter(())

    task = MapTask(FunctionState(function), Source(([bytes(100)] * 50,), star=False), {}, DEFAULTS)
    task.see(bytes(100))
    task.profile.add(Sample(1, 1e-3, 1e-3))
    assert list(Scripted(task).look_closely()) == []
    assert (task.profile.gil_share, len(run)) == (share, races)


@pytest.mark.parametrize(("guessed", "submitted"), [(True, 6), (False, 40)])
def test_few_chunks_wait_while_their_plan_rests_on_a_guess(
    monkeypatch: pytest.MonkeyPatch, guessed: bool, submitted: int
) -> None:
    """All that wait run before threads can be left that turn out to share the GIL."""
    pool = FakePool(40)
    monkeypatch.setitem(BACKENDS, "threads", replace(BACKENDS["threads"], module=fake_backend.__name__))
    monkeypatch.setattr(fake_backend, "pool", pool)
    task = MapTask(FunctionState(abs), Source((range(1000),), star=False), {}, DEFAULTS)
    way = Elsewhere(task, Plan(backend="threads", workers=2, chunksize=1), lambda why, works: None)
    way.unproven = guessed
    way.fill()
    assert len(pool.chunks) == submitted
    way.surrender()
    way.close(interrupted=False)
