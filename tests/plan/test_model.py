"""Predicted seconds: what the laws of parallel work and the prices of the backends give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._model.cluster import Cluster
from autopar._model.observation import Host
from autopar._model.plan import Plan
from autopar._model.workload import Kind, Workload
from autopar._plan import DEFAULT_COSTS, Costs, choose
from autopar._plan.model import Load, load, predict, priced, throughput_time
from tests.plan.cases import HOST, situation

FREE = Costs(
    thread_start=0.0,
    thread_dispatch=0.0,
    thread_item=0.0,
    process_base=0.0,
    process_start=0.0,
    process_call=0.0,
    fork_base=0.0,
    fork_start=0.0,
    fork_call=0.0,
    process_dispatch=0.0,
    process_item=0.0,
    process_byte=0.0,
    process_object=0.0,
    async_start=0.0,
    async_dispatch=0.0,
)
PRICED = ("serial", "threads", "asyncio", "processes")


def seconds(plan: Plan, work: Load, *, costs: Costs = FREE, host: Host = HOST, **more: Any) -> float:
    """Predict on 2 cores where nothing but the items costs anything."""
    return predict(plan, work, replace(situation(host=host, **more), costs=costs))


def computing(items: int, each: float, gil: float = 1.0) -> Load:
    """Items that only compute."""
    return Load(items, each, busy=each, gil=gil * each)


def waiting(items: int, each: float) -> Load:
    """Items that only wait."""
    return Load(items, each, busy=0.0, gil=0.0)


IDEAL: list[tuple[str, Plan, Load, float]] = [
    ("the loop", Plan(), computing(200, 5e-3), 1.0),
    ("threads under the GIL gain nothing", Plan(backend="threads", workers=2), computing(200, 5e-3), 1.0),
    ("threads without it gain all", Plan(backend="threads", workers=2), computing(200, 5e-3, gil=0.0), 0.5),
    ("half the time under the GIL", Plan(backend="threads", workers=2), computing(200, 5e-3, gil=0.5), 0.625),
    ("no more than the cores", Plan(backend="threads", workers=8), computing(200, 5e-3, gil=0.0), 0.5),
    ("processes gain all", Plan(backend="processes", workers=2), computing(200, 5e-3), 0.5),
    ("no more than the cores in processes", Plan(backend="processes", workers=8), computing(200, 5e-3), 0.5),
    ("three heavy items on two workers", Plan(backend="processes", workers=2), computing(3, 1.0), 2.0),
    ("waits overlap", Plan(backend="threads", workers=100), waiting(200, 15e-3), 0.03),
    ("waits overlap on a loop", Plan(backend="asyncio", workers=200), waiting(200, 15e-3), 0.015),
    ("waits overlap in processes", Plan(backend="processes", workers=4), waiting(200, 15e-3), 0.75),
    ("a loop has one thread", Plan(backend="asyncio", workers=200), computing(200, 5e-3), 1.0),
    ("climbing takes 3 rounds", Plan(backend="threads", workers=200, adaptive=True), waiting(200, 15e-3), 0.045),
]


@pytest.mark.parametrize(("plan", "work", "expected"), [c[1:] for c in IDEAL], ids=[c[0] for c in IDEAL])
def test_without_overhead_the_laws_of_parallel_work_remain(plan: Plan, work: Load, expected: float) -> None:
    """Cores, the GIL, rounds of waiting and the last item bound what any plan can gain."""
    assert seconds(plan, work) == pytest.approx(expected)


def test_a_cold_pool_costs_its_start_and_a_warm_one_nothing() -> None:
    """Only workers that are missing are paid for, and meanwhile those that are there go on."""
    plan, work = Plan(backend="processes", workers=2, chunksize=1), computing(2, 1.0)
    costs = replace(FREE, process_base=0.05, process_start=0.02)
    assert seconds(plan, work, costs=costs) == pytest.approx(1.09)
    assert seconds(plan, work, costs=costs, warm={"processes": 1}) == pytest.approx(0.07 + (2.0 - 0.07) / 2)
    assert seconds(plan, work, costs=costs, warm={"processes": 2}) == pytest.approx(1.0)


@pytest.mark.parametrize(("second", "expected"), [(1.0, 1.0), (0.6, 2.0 / 1.6), (0.1, 2.0 / 1.5), (1.2, 1.0)])
def test_cores_may_be_worth_less_together(second: float, expected: float) -> None:
    """What a second worker adds stretches items that run side by side; by less than half it is not believed to be."""
    costs = replace(FREE, second_thread=second, second_process=second)
    for backend in ("threads", "processes"):
        plan = Plan(backend=backend, workers=2, chunksize=1)
        assert seconds(plan, computing(2, 1.0, gil=0.0), costs=costs, warm={backend: 2}) == pytest.approx(expected)


@pytest.mark.parametrize(("cores", "forkable", "expected"), [(1, 0, 1.61), (2, 0, 0.81), (16, 0, 0.11), (16, 1, 0.09)])
def test_new_processes_start_side_by_side(cores: int, forkable: int, expected: float) -> None:
    """The caller starts one after the other, and each does the rest on whatever core is free."""
    plan, work = Plan(backend="processes", workers=8), computing(8, 0.0)
    costs = replace(FREE, process_base=0.01, process_call=0.0, process_start=0.1, fork_call=0.01, fork_start=0.02)
    case = replace(situation(host=Host(cores=cores, python="3.11.7")), costs=costs, forkable=bool(forkable))
    assert predict(plan, work, case) == pytest.approx(expected)


def test_bytes_are_paid_for_by_the_caller() -> None:
    """Each item's pickled bytes, there and back, at the price of a byte."""
    work = replace(computing(100, 1e-3), transport=1e6)
    plan, costs = Plan(backend="processes", workers=2), replace(FREE, process_byte=1e-9)
    assert seconds(plan, work, costs=costs) == pytest.approx(0.05 + 0.1)


@pytest.mark.parametrize(("objects", "expected"), [(1.0, 0.1), (5_000.0, 0.5)])
def test_items_of_many_small_objects_are_paid_for_by_these(objects: float, expected: float) -> None:
    """Each takes its time to pickle, however few bytes it has; a large one takes that of its bytes."""
    work = replace(computing(100, 1e-3), transport=1e6, objects=objects)
    plan, costs = Plan(backend="processes", workers=2), replace(FREE, process_byte=1e-9, process_object=1e-6)
    assert seconds(plan, work, costs=costs) == pytest.approx(0.05 + expected)


def test_what_travels_with_the_function_is_paid_for_by_each_worker() -> None:
    """Captured data goes to every worker once, however many items there are; the loop and threads send nothing."""
    costs = replace(FREE, process_byte=4e-9)
    work = replace(computing(200, 5e-3, gil=0.0), shared=25e6)
    assert seconds(Plan(backend="processes", workers=2), work, costs=costs) == pytest.approx(0.5 + 0.2)
    assert seconds(Plan(backend="processes", workers=2), replace(work, items=400), costs=costs) == pytest.approx(1.2)
    assert seconds(Plan(backend="threads", workers=2), work, costs=costs) == pytest.approx(0.5)
    assert seconds(Plan(), work, costs=costs) == pytest.approx(1.0)


def test_chunks_are_dispatched_at_their_price() -> None:
    """Ten chunks of ten items cost ten dispatches."""
    costs = replace(FREE, process_dispatch=1e-3)
    plan = Plan(backend="processes", workers=2, chunksize=10)
    assert seconds(plan, computing(100, 1e-3), costs=costs) == pytest.approx(0.05 + 0.01)


def test_a_remembered_concurrency_shortens_the_climb() -> None:
    """Climbing starts where it ended the last time."""
    plan = Plan(backend="threads", workers=200, adaptive=True)
    assert seconds(plan, waiting(200, 15e-3), known={"best_concurrency": 200}) == pytest.approx(15e-3)


def test_a_multithreaded_function_gains_nothing_from_workers() -> None:
    """An item that keeps both cores busy leaves none for another."""
    case = situation(10e-3, 100, known={"gil_share": 0.0})
    inside = replace(case.workload, cpu_per_item=20e-3, cores_per_item=2.0)
    work = load(replace(case, workload=inside))
    for backend in ("threads", "processes"):
        assert seconds(Plan(backend=backend, workers=2), work) == pytest.approx(1.0)


def test_time_taken_by_other_programs_is_no_wait() -> None:
    """A CPU-bound item on a busy machine is priced by its wall time."""
    work = load(situation(workload=Workload(Kind.CPU, 10e-3, 5e-3, gil_share=1.0)))
    assert work.busy == work.gil == 10e-3


def test_an_unknown_gil_share_is_priced_as_held() -> None:
    """Threads gain nothing until a race has shown that they do."""
    work = load(situation(workload=Workload(Kind.CPU, 10e-3, 10e-3)))
    assert work.gil == 10e-3


def test_an_unknown_length_is_as_much_again_as_was_seen() -> None:
    """Doubling: at worst half of the work was planned too small."""
    assert load(situation(remaining=None, seen=37)).items == 37
    assert load(situation(remaining=None, seen=0)).items == 1


def test_an_unknown_length_of_long_items_is_a_worker_each() -> None:
    """As many as could be started in the time that was spent, and no more than there are cores."""
    costs = replace(DEFAULT_COSTS, process_start=0.1)
    for cores, seen, items in ((16, 1, 10), (16, 12, 16), (4, 1, 4)):
        case = situation(1.0, None, seen=seen, host=Host(cores=cores))
        assert load(replace(case, costs=costs)).items == items


def test_an_unknown_length_of_waits_is_a_thread_each() -> None:
    """As many as could be started in the time that was spent: the second of two items need not wait for the first."""
    costs = replace(DEFAULT_COSTS, thread_start=1e-3)
    for threads, seconds, items in ((256, 10e-3, 10), (4, 10e-3, 4), (256, 10.0, costs.climb_start), (256, 1e-3, 1)):
        case = replace(situation(seconds, None, cpu=0.0, seen=1, threads=threads), costs=costs)
        assert case.items == items
    assert choose(situation(10e-3, None, cpu=0.0, seen=1)).plan.backend == "threads"


def test_backends_without_a_price_say_so() -> None:
    """The model prices what is built."""
    assert [name for name in (*PRICED, "of a later version") if priced(name)] == list(PRICED)


plans = st.builds(
    Plan,
    backend=st.sampled_from(PRICED),
    workers=st.integers(1, 512),
    chunksize=st.none() | st.integers(1, 100),
    adaptive=st.booleans(),
)
shares = st.floats(0.0, 1.0)
each = st.floats(1e-7, 10.0)


@given(plan=plans, seconds_each=each, busy=shares, gil=shares, items=st.integers(1, 10**6), more=st.integers(0, 10**6))
def test_predictions_are_positive_and_grow_with_the_items(
    plan: Plan, seconds_each: float, busy: float, gil: float, items: int, more: int
) -> None:
    """More items never take less time, for a plan with a fixed chunk size and as many workers as items."""
    plan = replace(plan, chunksize=plan.chunksize or 1, workers=min(plan.workers, items))
    work = Load(items, seconds_each, busy * seconds_each, gil * busy * seconds_each)
    case = situation()
    first, second = (predict(plan, replace(work, items=n), case) for n in (items, items + more))
    assert 0 < first <= second * (1 + 1e-9)


@given(seconds_each=each, share=shares, workers=st.integers(1, 512))
def test_threads_are_never_faster_than_the_gil_or_slower_than_one(
    seconds_each: float, share: float, workers: int
) -> None:
    """Time between completions lies between what the GIL allows and what one thread takes, and falls with workers."""
    gil = share * seconds_each
    now = throughput_time(seconds_each, gil, workers)
    assert max(gil, seconds_each / workers) * (1 - 1e-9) <= now <= seconds_each * (1 + 1e-9)
    assert throughput_time(seconds_each, gil, workers + 1) <= now * (1 + 1e-9)


@given(plan=plans, seconds_each=each, busy=shares, items=st.integers(1, 10**5))
def test_no_plan_beats_perfect_parallelism(plan: Plan, seconds_each: float, busy: float, items: int) -> None:
    """At least one item's time, the work over the workers, and the CPU work over the cores."""
    work = Load(items, seconds_each, busy * seconds_each, 0.0)
    case = replace(situation(), costs=DEFAULT_COSTS)
    cores = 1 if plan.backend in ("serial", "asyncio") else 2
    workers = 1 if plan.backend == "serial" else plan.workers
    least = max(seconds_each, items * seconds_each / workers, items * work.busy / cores)
    assert predict(plan, work, case) >= least * (1 - 1e-9)


CLUSTER = Cluster("tcp://host:8786", workers=4, cores=16, warm=True, round_trip=10e-3, dispatch=2e-3, byte=10e-9)
ON_THE_WAY = 10e-3 + 2e-3 * 400 / 1.3
"""Of 400 items of 0.1 s, in chunks of forty times what a chunk costs its worker: 3.25 ms."""


@pytest.mark.parametrize(
    ("cluster", "seconds"),
    [
        (CLUSTER, 400 * 0.1 / 16 + ON_THE_WAY),
        (replace(CLUSTER, busy=8.0), 400 * 0.1 / 8 + ON_THE_WAY),
        (replace(CLUSTER, busy=16.0), 400 * 0.1 + ON_THE_WAY),
        (replace(CLUSTER, speed=2.0), 400 * 0.1 / 32 + ON_THE_WAY),
        (replace(CLUSTER, warm=False), 400 * 0.1 / 16 + ON_THE_WAY + 0.085),
        (replace(CLUSTER, dispatch=20e-3), 400 * 0.1 / 16 + 0.01 + 20e-3 * 50),
    ],
    ids=["as it is", "half of it busy", "busy", "quicker cores", "first used", "slow scheduler"],
)
def test_a_cluster_has_its_price(cluster: Cluster, seconds: float) -> None:
    """Cores that others leave, at their speed, behind a scheduler that takes its time for every chunk."""
    case = replace(situation(0.1, 400, cluster=cluster.where), cluster=cluster)
    plan = Plan(backend="dask", workers=16)
    assert predict(plan, load(case), case) == pytest.approx(seconds, rel=0.02)


def test_bytes_to_a_cluster_have_their_price() -> None:
    """Those of the items, and once to each worker those of the function."""
    few = replace(situation(0.1, 400), cluster=CLUSTER)
    many = replace(few, profile=replace(few.profile, bytes_in=1e6, bytes_shared=1e8))
    plan = Plan(backend="dask", workers=16)
    more = predict(plan, load(many), many) - predict(plan, load(few), few)
    assert more == pytest.approx(400 * 1e6 * 10e-9 + 4 * 1e8 * 10e-9, rel=0.01)
