"""The choice: the plan, its rivals and why, demands, and the tests of what is worth its cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._model.cluster import Cluster
from autopar._model.effects import EffectKind as E
from autopar._model.hints import Settings
from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Choice, Rejected
from autopar._model.workload import Kind, Workload
from autopar._plan import Situation, best_race, choose, gil_share_from_race, worth_planning
from autopar._plan.eligibility import barriers
from autopar._plan.model import throughput_time
from autopar.errors import DemandError, UnavailableError, UnsafeDemandError
from tests.plan.cases import HOST, profile, situation

NO_GIL = Host(cores=2, gil=False, python="3.13.0")
BIG = Host(cores=16, python="3.11.7")
ASYNC = {"is_async": True}
FOREIGN: dict[str, Any] = {"facts": {"foreign_calls": ("lxml.etree.parse",)}}
MULTITHREADED = {"process_cpu": 0.19, "process_wall": 0.1}


def rival(choice: Choice, name: str) -> Rejected:
    """The rejected plan of a backend."""
    return next(r for r in choice.rejected if r.plan.backend == name and r.plan.compiler == "python")


FREE_CHOICES: list[tuple[str, Situation, str]] = [
    ("CPU-bound Python", situation(5e-3, 400), "400 items on 2 processes"),
    ("CPU-bound Python with warm workers", situation(5e-3, 20, warm={"processes": 2}), "processes"),
    ("too little for cold workers", situation(5e-3, 20), "serial"),
    ("CPU-bound without holding the GIL", situation(5e-3, 200, known={"gil_share": 0.0}), "threads"),
    ("CPU-bound on a Python without GIL", situation(5e-3, 200, host=NO_GIL), "threads"),
    ("I/O-bound", situation(15e-3, 200, cpu=0.02), "threads"),
    ("a few waits", situation(0.1, 3, cpu=0.0), "threads"),
    ("coroutines", situation(10e-3, 400, cpu=0.01, facts=ASYNC), "asyncio"),
    ("coroutines before anything is measured", situation(remaining=400, facts=ASYNC, measured=False), "asyncio"),
    ("a plain function before anything is measured", situation(measured=False), "serial"),
    ("trivial items", situation(1e-7, 200_000), "serial"),
    ("one heavy item", situation(10.0, 1), "serial"),
    ("four heavy items", situation(2.0, 4), "processes"),
    ("nothing left", situation(1.0, 0), "serial"),
    ("one core for CPU-bound work", situation(5e-3, 400, cores=1), "serial"),
    ("one core for I/O", situation(15e-3, 200, cpu=0.02, cores=1), "threads"),
    ("unknown length, little seen", situation(5e-3, None, seen=3), "serial"),
    ("unknown length, much seen", situation(5e-3, None, seen=300), "processes"),
    ("large arguments", situation(1e-3, 500, known={"bytes_in": 1e6}), "serial"),
    ("writes a global", situation(5e-3, 400, E.WRITES_GLOBAL), "serial"),
    ("unseen code", situation(5e-3, 400, E.UNKNOWN), "serial"),
    ("waits with a lock", situation(15e-3, 200, E.LOCK, cpu=0.02), "threads"),
    ("random with a seed", situation(5e-3, 400, E.RANDOM, seed=1), "processes"),
    ("waits and draws random numbers with a seed", situation(0.1, 200, E.RANDOM, cpu=0.0, seed=1), "processes"),
    ("does not pickle", situation(5e-3, 400, known={"pickles": False}), "serial"),
    ("processes failed before", situation(5e-3, 400, excluded={"processes": "no space"}), "serial"),
    ("does not pickle, GIL share unknown", situation(5e-3, 400, known={"pickles": False}, **FOREIGN), "2 threads"),
    ("uses all cores by itself", situation(10e-3, 400, known=MULTITHREADED), "serial"),
]


@pytest.mark.parametrize(("case", "expected"), [c[1:] for c in FREE_CHOICES], ids=[c[0] for c in FREE_CHOICES])
def test_the_eligible_plan_that_finishes_first_is_taken(case: Situation, expected: str) -> None:
    """Each sort of work goes where it gains, or stays in the loop."""
    assert choose(case).plan.backend == expected.split()[-1]


@pytest.mark.parametrize("case", [c[1] for c in FREE_CHOICES], ids=[c[0] for c in FREE_CHOICES])
def test_every_way_is_the_plan_or_rejected_with_a_reason(case: Situation) -> None:
    """All backends and compilers appear, each with words; priced ones with their price."""
    choice = choose(case)
    named = [r.plan.backend for r in choice.rejected if r.plan.compiler == "python"]
    assert sorted([*named, choice.plan.backend]) == sorted(BACKENDS)
    assert sorted([*(r.plan.compiler for r in choice.rejected if r.plan.compiler != "python"), "python"]) == sorted(
        COMPILERS
    )
    assert all(r.because for r in choice.rejected)
    assert choice.why
    assert choice.workload is case.workload


def test_the_choice_carries_its_prices() -> None:
    """Plan and rivals say what they were predicted to take, in seconds; the loop's price is always there."""
    choice = choose(situation(5e-3, 400))
    assert choice.serial_seconds == pytest.approx(2.0)
    assert choice.plan.predicted == pytest.approx(1.15, abs=0.1)
    assert choice.why == f"predicted {choice.plan.predicted:.3g} s with 2 processes against 2 s in the plain loop"
    assert rival(choice, "serial").because == "predicted slower"
    assert rival(choice, "serial").plan.predicted == choice.serial_seconds
    assert rival(choice, "dask").because == "no cluster is configured"


def test_what_no_hint_could_open_has_no_price() -> None:
    """A price would suggest that it could be had."""
    choice = choose(situation(15e-3, 400, E.WRITES_GLOBAL, cpu=0.0, known={"pickles": False}))
    assert rival(choice, "asyncio").plan.predicted is None
    assert rival(choice, "processes").plan.predicted is None
    assert rival(choice, "threads").plan.predicted is not None


def test_a_gain_below_the_margin_is_not_taken() -> None:
    """A plan must be better by 10 % and by a millisecond."""
    case = situation(10e-3, 100, known={"gil_share": 0.97})
    choice = choose(replace(case, excluded={"processes": "no"}))
    assert choice.plan.backend == "serial"
    assert choice.why.startswith("no way is predicted to beat 1 s in the plain loop")


def test_workers_that_are_there_are_worth_less_of_a_gain() -> None:
    """A millisecond is not worth starting a worker, but using one."""
    case = situation(0.5e-3, 4, known={"gil_share": 0.0}, host=BIG)
    assert choose(case).plan.backend == "serial"
    assert choose(replace(case, warm={"threads": 16})).plan.backend == "threads"


def test_waits_on_processes_take_one_for_each_core_where_more_cost_too_much() -> None:
    """Beside the widest pool that could be of use one of as many processes as there are cores is priced."""
    case = situation(5e-3, 200, cpu=0.2, known={"gil_share": 1.0}, host=replace(BIG, cores=48))
    assert str(choose(replace(case, forkable=True)).plan) == "up to 48 processes"


def test_nothing_eligible_says_so() -> None:
    """Only the plain loop keeps the answer."""
    assert choose(situation(5e-3, 400, E.OUTPUT)).why == "only the plain loop keeps the answer"


def test_waiting_items_climb_towards_a_ceiling_one_by_one() -> None:
    """I/O plans are adaptive, with chunks of one item, and as many workers as items, up to the ceiling."""
    few, many = (choose(situation(15e-3, n, cpu=0.0)).plan for n in (40, 10_000))
    assert (few.adaptive, few.chunksize, few.workers) == (True, 1, 40)
    assert many.workers == 256


@pytest.mark.parametrize(
    ("cpu", "gil", "workers"), [(0.05, 0.0, 80), (0.05, 1.0, 64), (0.5, 0.0, 64), (0.02, 1.0, 100)]
)
def test_waiting_items_get_no_more_workers_than_twice_what_the_cpu_keeps_up_with(
    cpu: float, gil: float, workers: int
) -> None:
    """Two cores keep up with 2 / share items at once, one GIL with 1 / share; 64 may always be tried."""
    case = situation(15e-3, 1000, cpu=cpu, known={"gil_share": gil})
    assert choose(replace(case, settings=Settings(backend="threads"))).plan.workers == workers


def test_the_thread_budget_bounds_the_ceiling() -> None:
    """What may still be made, and what is there already."""
    assert choose(situation(15e-3, 1000, cpu=0.0, threads=30, warm={"threads": 10})).plan.workers == 40


def test_coroutines_all_start_at_once() -> None:
    """As gather() would, up to a thousand."""
    plan = choose(situation(10e-3, 400, cpu=0.01, facts=ASYNC)).plan
    assert (plan.workers, plan.adaptive, plan.chunksize) == (400, False, 1)
    assert choose(situation(10e-3, 10**6, cpu=0.01, facts=ASYNC)).plan.workers == 1024


def test_processes_use_no_more_workers_than_pay() -> None:
    """Four heavy items on 16 cores need four; light ones on many cores only as many as repay their start."""
    assert choose(situation(2.0, 4, host=BIG)).plan.workers == 4
    assert choose(situation(5e-3, 100_000, host=BIG)).plan.workers == 16
    assert 16 <= choose(situation(5e-3, 200, host=replace(BIG, cores=512))).plan.workers < 128


def test_nested_maps_keep_to_their_cores() -> None:
    """The budget of an inner map is its own."""
    assert choose(situation(2.0, 40, host=BIG, cores=3)).plan.workers == 3


def test_workers_is_an_upper_bound() -> None:
    """For chosen and for demanded backends."""
    assert choose(situation(2.0, 40, host=BIG, workers=5)).plan.workers == 5
    assert choose(situation(15e-3, 200, cpu=0.0, workers=7)).plan.workers == 7
    assert choose(situation(2.0, 40, host=BIG, workers=5, backend="processes")).plan.workers == 5
    assert choose(situation(2.0, 40, workers=1)).plan.backend == "serial"


def test_chunksize_and_timeout_decide_on_chunks() -> None:
    """A timeout needs items one by one; else the user's size, else the engine's."""
    assert choose(situation(5e-3, 400)).plan.chunksize is None
    assert choose(situation(5e-3, 400, chunksize=9)).plan.chunksize == 9
    assert choose(situation(5e-3, 400, chunksize=9, timeout=5.0)).plan.chunksize == 1


EAGER: list[tuple[str, Situation, str]] = [
    ("even for trivial items", situation(1e-7, 10, eager=True, known={"gil_share": 1.0}), "threads"),
    ("even for one item", situation(1e-3, 1, eager=True), "threads"),
    ("even before anything is measured", situation(measured=False, eager=True), "processes"),
    ("even on one core", situation(5e-3, 10, eager=True, cores=1), "threads"),
    ("coroutines", situation(measured=False, eager=True, facts=ASYNC), "asyncio"),
    ("not what would change the answer", situation(5e-3, 400, E.OUTPUT, eager=True), "serial"),
    ("not without items", situation(5e-3, 0, eager=True), "serial"),
]


@pytest.mark.parametrize(("case", "expected"), [c[1:] for c in EAGER], ids=[c[0] for c in EAGER])
def test_eager_takes_the_cheapest_eligible_parallel_plan(case: Situation, expected: str) -> None:
    """Whether or not it is worth it; never one that is not eligible."""
    plan = choose(case).plan
    assert plan.backend == expected
    assert plan.workers > 1 or plan.backend == "serial" or case.items == 1


DEMANDED: list[tuple[str, Situation, str, int]] = [
    ("serial", situation(5e-3, 400, backend="serial"), "serial", 1),
    ("threads for what holds the GIL", situation(5e-3, 400, backend="threads"), "threads", 2),
    ("processes for trivial items", situation(1e-7, 400, backend="processes"), "processes", 2),
    ("asyncio", situation(1e-2, 4, backend="asyncio", facts=ASYNC), "asyncio", 4),
    ("serial for coroutines", situation(1e-2, 4, backend="serial", facts=ASYNC), "serial", 1),
    ("threads before anything is measured", situation(backend="threads", measured=False), "threads", 2),
    ("threads of foreign code", situation(backend="threads", measured=False, **FOREIGN), "threads", 200),
    ("threads in order for writes", situation(5e-3, 400, E.WRITES_GLOBAL, backend="threads"), "threads", 1),
    ("threads in order for output", situation(5e-3, 400, E.OUTPUT, backend="threads"), "threads", 1),
    ("threads in order all the same", situation(5e-3, 400, E.WRITES_SELF, backend="threads", workers=8), "threads", 1),
    ("threads on promise", situation(5e-3, 400, E.WRITES_GLOBAL, backend="threads", thread_safe=True), "threads", 2),
    ("asyncio in order for writes", situation(1e-2, 4, E.WRITES_GLOBAL, backend="asyncio", facts=ASYNC), "asyncio", 1),
    ("processes for unseen code", situation(5e-3, 400, E.UNKNOWN, backend="processes"), "processes", 2),
    ("processes with a seed", situation(5e-3, 400, E.RANDOM, backend="processes", seed=1), "processes", 2),
    ("processes though pickling is untried", situation(known={"pickles": None}, backend="processes"), "processes", 2),
    ("serial with a timeout", situation(5e-3, 400, backend="serial", timeout=1.0), "serial", 1),
]  # fmt: skip


@pytest.mark.parametrize(("case", "backend", "workers"), [c[1:] for c in DEMANDED], ids=[c[0] for c in DEMANDED])
def test_a_demand_is_met(case: Situation, backend: str, workers: int) -> None:
    """A demanded backend is the plan's, with one worker where the loop's order must be kept."""
    plan = choose(case).plan
    assert (plan.backend, plan.workers) == (backend, workers)


REFUSED: list[tuple[str, Situation, type[DemandError], str]] = [
    (
        "processes that lose a write",
        situation(5e-3, 400, E.WRITES_GLOBAL, backend="processes"),
        UnsafeDemandError,
        'backend="processes" would change what case.item does: line 1 writes a global: object 1; .*; say pure=True',
    ),
    (
        "processes that lose the random stream",
        situation(5e-3, 400, E.RANDOM, backend="processes"),
        UnsafeDemandError,
        "say seed=0 if that is all right",
    ),
    (
        "processes for generators",
        situation(5e-3, 400, E.GENERATOR, backend="processes"),
        UnsafeDemandError,
        "leave the hint out to run it as the plain loop does",
    ),
    (
        "threads that lose a context variable",
        situation(5e-3, 400, E.CONTEXT, backend="threads"),
        UnsafeDemandError,
        "changes a context variable: object 1; the change would be lost on a worker; say pure=True",
    ),
    (
        "processes for what does not pickle",
        situation(known={"pickles": False, "why_not_pickles": "a lock"}, backend="processes"),
        UnavailableError,
        'backend="processes" cannot run case.item: its items or results cannot be pickled: a lock',
    ),
    (
        "asyncio for a plain function",
        situation(backend="asyncio"),
        UnavailableError,
        'use backend="threads"',
    ),
    (
        "threads for a coroutine function",
        situation(backend="threads", facts=ASYNC),
        UnavailableError,
        'use backend="asyncio"',
    ),
    (
        "what the machine lacks",
        situation(backend="processes", host=replace(HOST, unavailable={"processes": "no /dev/shm"})),
        UnavailableError,
        "no /dev/shm",
    ),
    ("no cluster", situation(backend="dask"), UnavailableError, "no cluster is configured"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "error", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_demand_that_cannot_be_met_is_an_error_that_says_why(
    case: Situation, error: type[DemandError], message: str
) -> None:
    """The message names the hint, the function, the cause and the way out."""
    with pytest.raises(error, match=message):
        choose(case)


def test_a_demand_that_is_taken_as_consent_is_noted() -> None:
    """The log says what nobody has proven."""
    note = choose(situation(5e-3, 400, E.UNKNOWN, backend="threads")).notes[0]
    assert note.startswith("line 1 calls code that cannot be seen: object 1;")
    assert note.endswith("backend='threads' is taken as consent")


def test_one_worker_in_order_is_noted_with_the_hint_and_its_gain() -> None:
    """The log says what thread_safe=True would be worth."""
    choice = choose(situation(15e-3, 400, E.WRITES_GLOBAL, cpu=0.0, backend="threads"))
    assert (
        "one worker runs the items in order; hint thread_safe=True would let them overlap: predicted" in choice.notes[0]
    )


def test_a_hint_that_would_help_is_offered_with_its_gain() -> None:
    """The note names hint, backend and both predictions; the rejected rival carries hint and price as data."""
    choice = choose(situation(15e-3, 400, E.WRITES_GLOBAL, cpu=0.0))
    cost = rival(choice, "threads").plan.predicted
    assert cost is not None
    assert rival(choice, "threads").hint == "thread_safe=True"
    assert f"hint thread_safe=True would allow threads: predicted {cost * 1e3:.3g} ms instead of 6 s" in choice.notes


def test_a_hint_that_would_not_help_is_not_offered() -> None:
    """Threads would not speed up what holds the GIL."""
    choice = choose(situation(5e-3, 20, E.WRITES_GLOBAL))
    assert choice.notes == ()


TIMEOUT: list[tuple[str, Situation, str, int]] = [
    ("the cheapest way that can be interrupted", situation(5e-3, 3, timeout=1.0), "threads", 2),
    ("one worker where the order counts", situation(5e-3, 400, E.WRITES_GLOBAL, timeout=1.0), "threads", 1),
    ("one worker for unseen code", situation(5e-3, 400, E.UNKNOWN, timeout=1.0), "threads", 1),
    ("one coroutine at a time", situation(5e-3, 40, E.OUTPUT, timeout=1.0, facts=ASYNC), "asyncio", 1),
    ("the loop where a worker would change the answer", situation(5e-3, 400, E.CONTEXT, timeout=1.0), "serial", 1),
]


@pytest.mark.parametrize(("case", "backend", "workers"), [c[1:] for c in TIMEOUT], ids=[c[0] for c in TIMEOUT])
def test_a_timeout_leaves_the_plain_loop_if_anything_else_keeps_the_answer(
    case: Situation, backend: str, workers: int
) -> None:
    """A plain call cannot be interrupted; a worker can be written off."""
    choice = choose(case)
    assert (choice.plan.backend, choice.plan.workers) == (backend, workers)


def test_a_timeout_that_cannot_be_kept_in_time_is_noted() -> None:
    """The log says that it is checked as each item returns."""
    note = choose(situation(5e-3, 400, E.CONTEXT, timeout=1.0)).notes[0]
    assert note.endswith("it is checked as each item returns")


WORTH: list[tuple[str, float, int | None, int, dict[str, Any], bool]] = [
    ("trivial items", 1e-7, 200_000, 10_000, {}, False),
    ("small items", 3e-7, 200_000, 10_000, {}, False),
    ("millions of small items", 2e-6, 10_000_000, 1000, {}, True),
    ("computing items", 5e-3, 200, 3, {}, True),
    ("two waits", 20e-3, 2, 1, {}, True),
    ("one item", 10.0, 1, 1, {}, True),
    ("a last short item", 1e-3, 1, 100, {}, False),
    ("nothing left", 1.0, 0, 10, {}, False),
    ("unknown length, nothing seen to speak of", 1e-4, None, 3, {}, False),
    ("unknown length, much seen", 1e-3, None, 300, {}, True),
    ("one slow first item", 500e-6, 200_000, 1, {}, False),
    ("eager", 1e-7, 1, 1, {"eager": True}, True),
    ("eager with nothing left", 1e-7, 0, 1, {"eager": True}, False),
    ("demanded", 1e-7, 1, 1, {"backend": "threads"}, True),
    ("with a timeout", 1e-7, 1, 1, {"timeout": 1.0}, True),
    ("to be compiled", 1e-7, 20_000, 20_000, {"compiler": "native"}, True),
    ("not to be compiled", 1e-7, 20_000, 20_000, {"compiler": "python"}, False),
]


@pytest.mark.parametrize(
    ("seconds", "remaining", "seen", "hints", "worth"), [c[1:] for c in WORTH], ids=[c[0] for c in WORTH]
)
def test_planning_is_worth_it_only_where_the_best_thinkable_plan_repays_it(
    seconds: float, remaining: int | None, seen: int, hints: dict[str, Any], worth: bool
) -> None:
    """Trivial items never pay for analysis; demands are always planned."""
    assert worth_planning(seconds, remaining, seen, HOST, Settings(**hints)) is worth


RACES: list[tuple[str, Situation, bool]] = [
    ("unknown share, much left", situation(5e-3, 200, **FOREIGN), True),
    ("does not pickle, so threads are tried at once", situation(5e-3, 200, known={"pickles": False}, **FOREIGN), False),
    ("threads of its own, and cores for more", situation(1e-2, 400, host=BIG, known=MULTITHREADED, **FOREIGN), True),
    ("mixed", situation(10e-3, 200, cpu=0.5, **FOREIGN), True),
    ("known share", situation(5e-3, 200), False),
    ("waits", situation(15e-3, 200, cpu=0.02, **FOREIGN), False),
    ("tiny", situation(1e-7, 200_000, **FOREIGN), False),
    ("little left", situation(1e-3, 4, **FOREIGN), False),
    ("a few heavy items that could go to processes", situation(1.0, 8, **FOREIGN), False),
    ("one core", situation(5e-3, 200, cores=1, **FOREIGN), False),
    ("effects that need the order", situation(5e-3, 200, E.WRITES_GLOBAL, **FOREIGN), False),
    ("a backend is demanded", situation(5e-3, 200, backend="processes", **FOREIGN), False),
    ("one worker is demanded", situation(5e-3, 200, workers=1, **FOREIGN), False),
    ("no thread left", situation(5e-3, 200, threads=1, **FOREIGN), False),
    ("uses all cores by itself", situation(1e-2, 400, known=MULTITHREADED, **FOREIGN), False),
    ("nothing measured", situation(measured=False, **FOREIGN), False),
]  # fmt: skip


@pytest.mark.parametrize(("case", "wanted"), [c[1:] for c in RACES], ids=[c[0] for c in RACES])
def test_the_gil_share_is_raced_for_only_where_the_answer_matters(case: Situation, wanted: bool) -> None:
    """Unknown share, threads open, cores to gain, and more to win than the race could lose."""
    assert (best_race(case) is not None) is wanted


@pytest.mark.parametrize(
    ("alone", "together", "workers", "share"),
    [
        (1.0, 0.5, 2, 0.0),
        (1.0, 0.56, 2, 0.0),
        (1.0, 0.625, 2, 0.5),
        (1.0, 0.96, 2, 1.0),
        (1.0, 1.3, 2, 1.0),
        (1.0, 0.25, 4, 0.0),
        (1.0, 0.4375, 4, 0.44),
        (1.0, 0.5, 4, 0.5),
        (1.0, 0.85, 1.5, 0.74),
        (1.0, 0.955, 1.25, 0.88),
        (0.0, 0.0, 2, 1.0),
        (1.0, 0.5, 1, 1.0),
    ],
)
def test_the_gil_share_is_read_off_the_gain(alone: float, together: float, workers: int, share: float) -> None:
    """Perfect gain is none of it, no gain is all of it, and noise at both ends is rounded away."""
    assert gil_share_from_race(alone, together, workers) == share


def test_items_that_start_together_meet_more_often() -> None:
    """The same loss stands for a smaller share where each thread ran one item than where many met by chance."""
    shares = [gil_share_from_race(1.0, 0.25, 8, items) for items in (1, 1.5, 1000)]
    assert shares == [0.14, 0.2, 0.25]


@given(share=st.floats(0.0, 1.0), workers=st.integers(2, 8))
def test_the_race_inverts_the_model(share: float, workers: int) -> None:
    """A share that the model turned into a time is found again, but for the rounding of noise."""
    ratio = throughput_time(1.0, share, workers)
    if 1.15 / workers < ratio < 0.95:
        assert gil_share_from_race(1.0, ratio, workers) == pytest.approx(share, abs=0.011)


hints = st.fixed_dictionaries(
    {},
    optional={
        "backend": st.sampled_from([name for name, spec in BACKENDS.items() if spec.module]),
        "workers": st.integers(1, 64),
        "chunksize": st.integers(1, 100),
        "timeout": st.floats(0.1, 10.0),
        "seed": st.integers(0, 9),
        "pure": st.booleans(),
        "thread_safe": st.booleans(),
        "eager": st.booleans(),
    },
)
workloads = st.builds(
    Workload,
    kind=st.sampled_from(Kind),
    seconds_per_item=st.floats(0.0, 10.0),
    cpu_per_item=st.floats(0.0, 10.0),
    gil_share=st.none() | st.floats(0.0, 1.0),
    cores_per_item=st.floats(1.0, 16.0),
)


@given(
    kinds=st.lists(st.sampled_from(E), max_size=3),
    workload=workloads,
    remaining=st.none() | st.integers(0, 10**6),
    cores=st.integers(1, 64),
    threads=st.integers(0, 300),
    pickles=st.none() | st.booleans(),
    is_async=st.booleans(),
    measured=st.booleans(),
    given_hints=hints,
)
def test_a_choice_is_eligible_and_keeps_its_bounds_or_is_a_demand_error(
    kinds: list[E],
    workload: Workload,
    remaining: int | None,
    cores: int,
    threads: int,
    pickles: bool | None,
    is_async: bool,
    measured: bool,
    given_hints: dict[str, Any],
) -> None:
    """Whatever the situation: no ineligible plan except one worker in order, and demands are met or refused."""
    case = situation(
        1.0,
        remaining,
        *kinds,
        facts={"is_async": is_async},
        known={"pickles": pickles},
        host=Host(cores=cores, python="3.11.7"),
        workload=workload,
        threads=threads,
        measured=measured,
        **given_hints,
    )
    try:
        choice = choose(case)
    except DemandError:
        assert case.settings.backend is not None
        assert barriers(case.settings.backend, case)
        return
    plan = choice.plan
    against = barriers(plan.backend, case)
    if plan.backend == "serial":
        assert all(barrier.effect is None for barrier in against)
    else:
        assert not against or (plan.workers == 1 and all(barrier.in_order for barrier in against))
    assert plan.backend == (case.settings.backend or plan.backend)
    assert 1 <= plan.workers <= (case.settings.workers or 10**9)
    assert plan.predicted is None or plan.predicted >= 0
    assert {r.plan.backend for r in choice.rejected} | {plan.backend} == set(BACKENDS)


def test_profiles_carry_what_was_learned() -> None:
    """A share that a race has measured ends the question."""
    case = situation(5e-3, 200, **FOREIGN)
    known = profile(5e-3, gil_share=0.0)
    after = replace(case, profile=known, workload=replace(case.workload, gil_share=0.0))
    assert best_race(after) is None
    assert choose(after).plan.backend == "threads"


LARGE_CLUSTER = Cluster("tcp://host:8786", workers=4, cores=32, round_trip=10e-3, dispatch=2e-3, byte=10e-9)


@pytest.mark.parametrize(
    ("seconds", "items", "cluster", "backend"),
    [
        (0.1, 2000, LARGE_CLUSTER, "dask"),
        (0.1, 2000, replace(LARGE_CLUSTER, busy=32.0), "processes"),
        (0.1, 2000, replace(LARGE_CLUSTER, cores=2), "processes"),
        (0.1, 2000, replace(LARGE_CLUSTER, speed=0.05), "processes"),
        (0.1, 2000, replace(LARGE_CLUSTER, dispatch=30.0), "processes"),
        (5e-3, 20, LARGE_CLUSTER, "serial"),
        (0.1, 2000, None, "processes"),
    ],
    ids=[
        "it pays",
        "it is busy",
        "it is no larger",
        "it is slow",
        "its scheduler is slow",
        "few items",
        "none",
    ],
)
def test_a_cluster_is_taken_where_it_pays(seconds: float, items: int, cluster: Cluster | None, backend: str) -> None:
    """Of two local cores and a cluster the one that finishes first, by what the cluster costs and others leave."""
    case = situation(seconds, items, known={"gil_share": 1.0}, cluster="tcp://host:8786")
    assert choose(replace(case, cluster=cluster)).plan.backend == backend


def test_what_finds_other_things_elsewhere_stays_here() -> None:
    """A function that reads files goes to workers on this machine, and to others on demand only."""
    case = situation(0.1, 2000, facts={"outside_calls": ("io.open",)}, known={"gil_share": 1.0}, cluster="tcp://h:1")
    here, there = (replace(case, cluster=replace(LARGE_CLUSTER, elsewhere=away)) for away in (False, True))
    assert choose(here).plan.backend == "dask"
    choice = choose(there)
    assert choice.plan.backend == "processes"
    assert "io.open" in rival(choice, "dask").because
    assert rival(choice, "dask").hint == 'backend="dask"'
    assert choose(replace(there, settings=Settings(backend="dask"))).plan.backend == "dask"


def test_a_cluster_that_is_named_makes_long_maps_worth_a_plan() -> None:
    """Even one core may have a cluster behind it; a short map is not worth a look."""
    host = Host(cores=1, python="3.11.7")
    named = Settings(cluster="tcp://host:8786")
    assert worth_planning(1e-5, 10**6, 200, host, named)
    assert not worth_planning(1e-5, 10**6, 200, host, Settings())
    assert not worth_planning(1e-5, 1000, 200, host, named)


def test_workers_are_started_once_maps_have_lost_their_price() -> None:
    """A map too short to start workers for starts them after enough of its kind; its prediction stays the true one."""
    alone = situation(1e-3, 30)
    first = choose(alone)
    assert first.plan.backend == "serial"
    assert first.with_workers is not None
    assert first.plan.predicted is not None
    lost = first.plan.predicted - first.with_workers
    price = rival(first, "processes").plan.predicted
    assert price is not None
    later = choose(replace(alone, missed=lost))
    assert later.plan.backend == "serial"
    at_last = choose(replace(alone, missed=price))
    assert at_last.plan.backend == "processes"
    assert at_last.plan.predicted == price
    assert "worth their start" in at_last.why


def test_workers_that_are_there_are_not_missed() -> None:
    """Nothing is counted as lost where workers run, or where none may be used."""
    assert choose(replace(situation(1e-3, 30), warm={"processes": 64})).with_workers is None
    assert choose(situation(1e-3, 30, E.WRITES_GLOBAL)).with_workers is None


def test_a_backend_that_is_not_loaded_costs_its_import() -> None:
    """What importing a backend takes is part of its price, in the choice and in what the log says of it."""
    at_hand = choose(situation(5e-3, 70))
    assert at_hand.plan.backend == "processes"
    first = choose(replace(situation(5e-3, 70), loading={"processes": 0.035, "multiprocessing": 0.035}))
    assert first.plan.backend == "serial"
    before, after = at_hand.plan.predicted, rival(first, "processes").plan.predicted
    assert before is not None
    assert after == pytest.approx(before + 0.035)
