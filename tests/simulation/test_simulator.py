"""The simulated machine: small cases worked out by hand, the order of time, and the same run from the same seed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autopar._model.plan import Plan
from autopar._model.work import Chunk, Job, Outcome
from tests.simulation.by_hand import Way, at_least, best_way, run_by_hand, ways
from tests.simulation.events import SWITCHING, Calendar, Processor, Server, Use
from tests.simulation.machine import SimulatedFunction, SimulatedMachine
from tests.simulation.random_shapes import KINDS, random_host, random_work
from tests.simulation.regret import COLD, Cell, cells, run_engine
from tests.simulation.shapes import HostShape, Prices, Totals, WorkShape

FREE = Prices(
    thread_start=0.0,
    thread_dispatch=0.0,
    thread_item=0.0,
    spawn=0.0,
    boot=0.0,
    fork=0.0,
    settle=0.0,
    process_dispatch=0.0,
    process_item=0.0,
    process_byte=0.0,
    look=0.0,
    plan=0.0,
)
"""Workers that cost nothing, so that only the items count."""


def work(items: int, *, gil: float = 0.0, free: float = 0.0, wait: float = 0.0, **facts: object) -> WorkShape:
    """Items that are all alike."""
    shape = WorkShape("case", [gil] * items, [free] * items, [wait] * items)
    return replace(shape, **facts)  # type: ignore[arg-type]


FOUR = HostShape(cores=4, prices=FREE)


def seconds(way: Way, shape: WorkShape, host: HostShape = FOUR) -> float:
    """What a way takes on a warm host without noise."""
    return run_by_hand(way, host, shape, warm=True)


@pytest.mark.parametrize(
    ("way", "shape", "expected"),
    [
        (Way("serial"), work(8, gil=1.0, free=0.5, wait=0.25), 14.0),
        (Way("serial"), work(8, free=1.0, demand=2.0), 8.0),
        (Way("serial"), work(8, free=1.0, demand=8.0), 16.0),
        (Way("threads", 4), work(8, free=1.0), 2.0),
        (Way("threads", 8), work(8, free=1.0), 2.0),
        (Way("threads", 2), work(8, free=1.0), 4.0),
        (Way("threads", 4), work(8, gil=1.0), 8.0 / SWITCHING),
        (Way("threads", 64), work(64, wait=1.0), 1.0),
        (Way("threads", 64), work(64, wait=1.0, slots=4), 16.0),
        (Way("threads", 64), work(64, wait=1.0, outside=True), 16.0),
        (Way("threads", 4), work(8, free=1.0, bandwidth=2.0), 4.0),
        (Way("threads", 4), work(8, free=1.0, demand=2.0), 4.0),
        (Way("processes", 4), work(8, gil=1.0), 2.0),
        (Way("processes", 4, 2), work(8, gil=1.0), 2.0),
        (Way("processes", 4, 8), work(8, gil=1.0), 8.0),
        (Way("processes", 4, 3), work(9, gil=1.0), 3.0),
    ],
    ids=lambda value: str(value) if isinstance(value, Way) else None,
)
def test_what_a_way_takes(way: Way, shape: WorkShape, expected: float) -> None:
    """With workers that cost nothing the time is that of the items, the cores, the GIL and the server."""
    assert seconds(way, shape) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (FOUR, 1.0),
        (replace(FOUR, physical=2.0, sibling=0.5), 4 / 3),
        (replace(FOUR, physical=2.0, sibling=0.0), 2.0),
    ],
    ids=["whole cores", "hyperthreads", "cores taken by others"],
)
def test_what_cores_are_worth(host: HostShape, expected: float) -> None:
    """Four items on four cores take as long as the work that the cores do together says."""
    assert seconds(Way("processes", 4), work(4, gil=1.0), host) == pytest.approx(expected)


def test_what_starting_and_sending_take() -> None:
    """A cold process is started and settles before its chunk; bytes and dispatches cost parent and worker."""
    host = HostShape(cores=4, prices=replace(FREE, fork=0.001, settle=0.02))
    assert run_by_hand(Way("processes", 4), host, work(4, gil=1.0), warm=False) == pytest.approx(0.004 + 0.02 + 1.0)
    host = HostShape(cores=4, prices=replace(FREE, spawn=0.001, boot=0.08))
    spawning = SimulatedMachine(host, work(4, gil=1.0)).workers("processes", 4)
    chunks = [spawning.submit(index, 1) for index in range(4)]
    assert [chunk.result().wall for chunk in chunks] == pytest.approx([1.0] * 4)
    assert [chunk.started for chunk in chunks] == pytest.approx([0.081, 0.082, 0.083, 0.084])
    sent = replace(FREE, process_byte=1e-9, parents_share=0.5)
    # Half a second for each of the two ways of a megabyte at a microsecond a byte; the worker's half follows.
    shape = work(1, gil=1.0, bytes_in=1e9, bytes_out=0.0)
    assert seconds(Way("processes", 1), shape, replace(FOUR, prices=sent)) == pytest.approx(0.5 + 0.5 + 1.0)
    threads = replace(FREE, thread_start=0.01, thread_dispatch=0.002)
    host = HostShape(cores=4, prices=threads)
    assert run_by_hand(Way("threads", 2), host, work(2, wait=1.0), warm=False) == pytest.approx(2 * 0.011 + 1.0 + 0.001)


def test_a_first_item_costs_more_in_each_process() -> None:
    """What the first item adds is paid once in the program, and in each worker process forked before that."""
    host, shape = HostShape(cores=2, prices=FREE), work(4, gil=1.0, first=3.0)
    assert run_by_hand(Way("serial"), host, shape, warm=False) == pytest.approx(7.0)
    assert run_by_hand(Way("serial"), host, shape, warm=True) == pytest.approx(4.0)
    assert run_by_hand(Way("processes", 2), host, shape, warm=False) == pytest.approx(5.0)


def test_the_system_sees_what_it_would_see() -> None:
    """CPU time, waits and wall time are counted as Linux counts them, for the loop and for chunks."""
    machine = SimulatedMachine(HostShape(cores=2, prices=FREE), work(4, gil=0.25, free=0.25, wait=0.5))
    before = machine.probe()
    machine.item(0)
    after = machine.probe()
    assert [b - a for a, b in zip(before, after, strict=True)] == [10**9, 5 * 10**8, 5 * 10**8, 1, 0]
    pool = machine.open(Plan(backend="threads", workers=1))
    outcome = pool.submit(Chunk(Job(machine.item), 1, [1, 2])).result()
    assert outcome.values == [1, 2]
    assert [outcome.wall, outcome.cpu, outcome.waits] == pytest.approx([2.0, 1.0, 2])


def test_threads_that_compete_for_the_gil_are_seen_to_wait() -> None:
    """Two threads under the GIL take twice as long, with half of the CPU time each, and hand it over all the time."""
    machine = SimulatedMachine(HostShape(cores=2, prices=FREE), work(2, gil=1.0))
    pool = machine.open(Plan(backend="threads", workers=2))
    futures = [pool.submit(Chunk(Job(machine.item), index, [index])) for index in range(2)]
    outcomes = [future.result() for future in futures]
    assert machine.now() == pytest.approx(2.0 / SWITCHING)
    assert [outcome.cpu for outcome in outcomes] == pytest.approx([1.0 / SWITCHING] * 2)
    assert sum(outcome.waits for outcome in outcomes) == pytest.approx(machine.now() / 5e-3, abs=2)


def test_jobs_share_the_cores() -> None:
    """Jobs of one and three seconds on one core end after two and four."""
    calendar = Calendar()
    processor = Processor(calendar, lambda running: min(running, 1.0), cores=1)
    ends: list[tuple[float, float]] = []

    def ended(use: Use) -> None:
        ends.append((calendar.now, use.cpu))

    for length in (1.0, 3.0):
        processor.compute(length, ended, gil=False)
    while not processor.idle:
        processor.pop()()
    assert [time for end in ends for time in end] == pytest.approx([2.0, 1.0, 4.0, 3.0])


def test_a_server_takes_requests_in_turn() -> None:
    """Beyond its slots requests wait, and with thrashing the length of the queue slows all down."""
    for thrash, last in ((0.0, 3.0), (0.5, 1.0 + 1.5 + 1.0)):
        calendar = Calendar()
        server = Server(calendar, slots=1, thrash=thrash)
        ends: list[float] = []
        for _ in range(3):
            server.ask(1.0, lambda ends=ends, calendar=calendar: ends.append(calendar.now))  # type: ignore[misc]
        while calendar.next < float("inf"):
            calendar.pop()()
        assert len(ends) == 3
        assert ends[-1] == pytest.approx(last)


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(sorted(KINDS)))
def test_virtual_time_only_moves_forward(seed: int, kind: str) -> None:
    """From event to event the clock never runs backwards, and a map ends no sooner than its longest item."""
    rng = random.Random(seed)
    host, shape = random_host(rng), _short(random_work(rng, kind))
    machine = SimulatedMachine(host, shape, seed)
    workers = machine.workers("threads", 4)
    futures = [workers.submit(start, min(2, len(shape) - start)) for start in range(0, len(shape), 2)]
    last = machine.now()
    while not all(future.done() for future in futures):
        assert machine.step()
        assert machine.now() >= last
        last = machine.now()
    assert last >= 0.5 * max(
        gil + free + wait for gil, free, wait in zip(shape.gil, shape.free, shape.wait, strict=True)
    )


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(sorted(KINDS)))
def test_the_same_seed_gives_the_same_run(seed: int, kind: str) -> None:
    """Shapes, decisions and seconds depend on the seed alone."""

    def run() -> list[tuple[float, float, str, object]]:
        rng = random.Random(seed)
        host, shape = random_host(rng), _short(random_work(rng, kind))
        return [(cell.seconds, cell.best, str(cell.way), cell.tried) for cell in cells(host, shape, seed=seed)]

    assert run() == run()


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(sorted(KINDS)), st.booleans())
def test_no_way_is_faster_than_its_bound(seed: int, kind: str, warm: bool) -> None:
    """The bound by which ways are left out holds for each of them, so what is called the best is the best."""
    rng = random.Random(seed)
    host, shape = replace(random_host(rng), noise=0.0), _short(random_work(rng, kind))
    totals = Totals(shape).between(0, len(shape))
    taken = {way: run_by_hand(way, host, shape, warm=warm) for way in ways(host, shape)}
    for way, measured in taken.items():
        assert measured >= 0.999 * at_least(way, host, shape, totals, warm=warm)
    assert best_way(host, shape, warm=warm)[1] == min(taken.values())


def test_the_engine_runs_every_item_once() -> None:
    """The real engine's results are those of the loop, on whatever workers, and its time is virtual."""
    shape = work(400, gil=0.01)
    machine = SimulatedMachine(HostShape(cores=8), shape)
    taken, run = run_engine(machine, SimulatedFunction(machine))
    assert run.plan.backend == "processes"
    assert run.task.items_done == 400
    assert 0.5 < taken < 2.0


def test_no_regret_is_found_where_there_is_none() -> None:
    """A difference that nobody could see counts as none; a larger one as the ratio."""
    cell = Cell(HostShape(1), work(1), COLD, 1.0005, 1.0, Way("serial"), (), "")
    assert cell.regret == 1.0
    assert replace(cell, seconds=1.5).regret == 1.5
    assert replace(cell, seconds=0.9).regret == 0.9


def test_the_machine_says_if_it_waits_for_nothing() -> None:
    """A wait for what will never come is an error instead of an endless loop."""
    machine = SimulatedMachine(HostShape(1), work(1))
    with pytest.raises(RuntimeError, match="never come"):
        machine.until(lambda: False)


def _short(shape: WorkShape) -> WorkShape:
    """At most 60 of its items, for tests that run many shapes."""
    return replace(shape, gil=shape.gil[:60], free=shape.free[:60], wait=shape.wait[:60])


def test_outcomes_of_nothing_take_no_time() -> None:
    """An empty chunk, which warms a worker up, ends at once."""
    machine = SimulatedMachine(HostShape(cores=2, prices=FREE), work(1, gil=1.0))
    outcome = machine.open(Plan(backend="threads", workers=1)).submit(Chunk(Job(machine.item), 0, [])).result()
    assert outcome == Outcome([])
    assert machine.now() == 0.0
