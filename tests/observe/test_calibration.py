"""Calibration: trials give plausible figures, observations move them by and by, and the planner gets them as prices."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autopar as ap
from autopar._engine import calibrating, cold
from autopar._engine.calibrating import SHARE_OF_A_MAP, SHORTEST_MAP, TRIALS, Trial, measure_after_map
from autopar._engine.journal import decision_log, new_log
from autopar._engine.prices import CORE_QUANTITIES, PRICES_OF, HostPrices, costs_of, host_prices
from autopar._model.calibration import (
    BELIEVED_FOR,
    FURTHEST_STEP,
    MEASURABLE,
    OBSERVED,
    WRONG_AFTER,
    Calibration,
    Quantity,
    plausible,
)
from autopar._model.nesting import nested_cores
from autopar._model.work import Chunk, Job, Outcome
from autopar._observe import calibration as trials
from autopar._observe.host import current_host
from autopar._plan import DEFAULT_COSTS, Costs
from autopar._record import DecisionLog, Known, Store
from autopar.testing import FakePool
from tests.scripts import run_python

CALIBRATED = {field.name for field in fields(Costs)} & set(MEASURABLE)


@pytest.fixture
def prices() -> HostPrices:
    """Prices of a host of which nothing is known."""
    log = DecisionLog()
    log.note_host("a host", current_host())
    return HostPrices(log)


# Trials


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantity", "trial"),
    [
        ("thread_start", trials.thread_start),
        ("thread_wake", trials.thread_wake),
        ("gil_hand_over", trials.gil_hand_over),
        ("copy_byte", trials.copy_byte),
        ("pickle_byte", trials.pickle_byte),
        ("pickle_item", trials.pickle_item),
        ("async_start", trials.event_loop),
        ("async_dispatch", trials.coroutine_on_loop),
        ("second_thread", trials.second_thread),
    ],
)
def test_a_trial_measures_what_a_machine_can_show(quantity: str, trial: Callable[[], float]) -> None:
    """Each figure is within what any machine shows, however busy it is."""
    assert plausible(quantity, trial())


def test_every_quantity_is_measured_by_a_trial_or_by_a_start() -> None:
    """Nothing in the table is without a source."""
    starts = {"process_base", "process_start", "fork_base", "fork_start"}
    assert {trial.quantity for trial in TRIALS} | starts == set(MEASURABLE)


def test_prices_of_backends_are_calibrated() -> None:
    """What a backend costs in the planner's model comes from calibration, by the same name."""
    assert {name for names in PRICES_OF.values() for name in names} <= CALIBRATED


@pytest.mark.parametrize(
    ("alone", "together", "adds"),
    [(1.0, 1.0, 1.0), (1.0, 2.0, 0.0), (1.0, 1.6, 0.25), (1.0, 3.0, 0.0), (1.0, 0.5, 1.0)],
)
def test_what_a_second_worker_adds(alone: float, together: float, adds: float) -> None:
    """All of a core if two take as long as one, none if they take as long as one after the other."""
    assert trials.what_a_second_adds(lambda: alone, lambda: together) == adds


def test_a_busy_moment_does_not_hide_a_core() -> None:
    """Of several trials the best ones count, of one worker as of two."""
    alone, together = iter([1.0, 5.0, 1.1]), iter([9.0, 1.0, 2.0])
    assert trials.what_a_second_adds(lambda: next(alone), lambda: next(together)) == 1.0


def test_a_trial_through_a_pool_asks_it_for_real_chunks() -> None:
    """A pool that is handed in runs what is measured."""
    pool = FakePool(capacity=4)
    assert trials.chunk_there_and_back(pool, 10) > 0
    assert sum(len(chunk.items) for chunk in pool.chunks) == 3 * 11


def test_a_chunk_that_fails_measures_nothing() -> None:
    """An error in a trial is raised, not taken for a figure."""

    class Broken(FakePool):
        def _run(self, chunk: Chunk) -> Outcome:
            return Outcome([], ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        trials.item_in_chunk(Broken(), 10)


# Values


@given(st.floats(1e-5, 1e-3), st.lists(st.floats(1e-6, 1e-1), min_size=1, max_size=30))
def test_observations_move_a_value_step_by_step(first: float, seen: list[float]) -> None:
    """No observation moves a value further than its weight of the largest step, nor past what was seen."""
    known = Quantity(first, 0.0)
    for n, value in enumerate(seen):
        after = known.after(value, float(n))
        assert min(known.value, value) <= after.value <= max(known.value, value)
        assert after.value <= known.value * (1 + 0.3 * (FURTHEST_STEP - 1)) * (1 + 1e-9)
        known = after
    assert known.source == OBSERVED
    assert known.count == 1 + len(seen)


def test_values_are_stale_after_a_month() -> None:
    """Old values are used until they are renewed, but no longer count as fresh; nor do those from the future."""
    known = Calibration("host", quantities={"thread_start": Quantity(1e-4, 1000.0)})
    assert known.fresh("thread_start", 1000.0 + BELIEVED_FOR / 2)
    assert known.missing(["thread_start", "thread_item"], 1000.0) == ["thread_item"]
    assert known.missing(["thread_start"], 1001.0 + BELIEVED_FOR) == ["thread_start"]
    assert known.missing(["thread_start"], 0.0) == ["thread_start"]


def test_the_planner_gets_what_is_known_and_defaults_else() -> None:
    """Values become the prices of the same name; what the model does not price is left out."""
    values = {"thread_start": Quantity(1e-3, 0.0), "copy_byte": Quantity(1e-10, 0.0)}
    costs = costs_of(Calibration("host", quantities=values))
    assert costs.thread_start == 1e-3
    assert costs.process_base == DEFAULT_COSTS.process_base


def test_impossible_values_do_not_reach_the_planner(prices: HostPrices) -> None:
    """What no machine could show is not taken over, from wherever it comes."""
    prices.take_measured({"thread_start": math.nan, "process_base": -1.0, "nonsense": 1.0})
    prices.take_observed({"process_item": 1e9})
    assert prices.calibration.quantities == {}
    assert prices.costs == DEFAULT_COSTS


def test_a_cold_start_moves_both_of_its_prices(prices: HostPrices) -> None:
    """A pool that took longer than its price makes base and start dearer, but one stalled start is not believed."""
    expected = DEFAULT_COSTS.process_base + 2 * DEFAULT_COSTS.process_start
    prices.take_cold_start(2, 100 * expected, forked=False)
    ratio = 1 + 0.3 * (FURTHEST_STEP - 1)
    assert prices.costs.process_base == pytest.approx(ratio * DEFAULT_COSTS.process_base)
    assert prices.costs.process_start == pytest.approx(ratio * DEFAULT_COSTS.process_start)
    assert prices.costs.fork_base == DEFAULT_COSTS.fork_base
    for _ in range(40):
        prices.take_cold_start(2, expected, forked=False)
    assert prices.costs.process_base + 2 * prices.costs.process_start == pytest.approx(expected, rel=0.01)


def test_the_way_of_chunks_moves_the_price_of_dispatch(prices: HostPrices) -> None:
    """Dispatch follows the round trip, once both were measured."""
    prices.take_round_trip(1e-3)
    assert prices.costs.process_dispatch == DEFAULT_COSTS.process_dispatch
    prices.take_measured({"process_round_trip": 1e-4, "process_dispatch": 2e-4})
    prices.take_round_trip(1.5e-4)
    assert prices.costs.process_dispatch == pytest.approx(2.3e-4)


def test_prices_proven_wrong_are_dropped(prices: HostPrices) -> None:
    """Predictions off by more than a factor of two, time and again, put the prices behind them in doubt, no others."""
    prices.take_measured({"process_base": 0.05, "process_dispatch": 1e-4, "thread_start": 1e-4})
    for _ in range(WRONG_AFTER - 1):
        prices.take_outcome("processes", math.log(3))
    assert prices.calibration.value("process_base") == 0.05
    prices.take_outcome("processes", math.log(3))
    assert set(prices.calibration.quantities) == {"thread_start"}
    assert prices.costs.process_base == DEFAULT_COSTS.process_base


def test_ordinary_errors_of_prediction_prove_nothing(prices: HostPrices) -> None:
    """Noise on both sides leaves prices alone, however long it goes on."""
    prices.take_measured({"process_base": 0.05})
    for n in range(50):
        prices.take_outcome("processes", math.log(3) if n % 2 else -math.log(3))
    assert prices.calibration.value("process_base") == 0.05


def test_under_another_limit_on_cores_their_worth_is_unknown(prices: HostPrices) -> None:
    """A quota or an affinity that changed makes what a second worker adds stale, and nothing else."""
    earlier = dict.fromkeys((*CORE_QUANTITIES, "thread_wake"), Quantity(0.5, time.time()))
    earlier["thread_wake"] = Quantity(1e-5, time.time())
    prices.start_from(Known(quantities=earlier, conditions="the quota of 0.5 cores"))
    assert set(prices.calibration.quantities) == {"thread_wake"}


def test_what_was_learned_here_is_newer_than_the_store(prices: HostPrices) -> None:
    """A late look at the store does not undo a measurement."""
    prices.take_measured({"thread_start": 2e-4})
    prices.start_from(Known(quantities={"thread_start": Quantity(1e-4, 0.0), "thread_item": Quantity(1e-8, 0.0)}))
    assert prices.calibration.value("thread_start") == 2e-4
    assert prices.calibration.value("thread_item") == 1e-8


# After maps


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trials that only note their turn."""
    seen: list[str] = []

    def trial(name: str, seconds: float, value: float, backend: str = "") -> Trial:
        def measure() -> float:
            seen.append(name)
            return value

        return Trial(name, seconds, measure, backend)

    several = (
        trial("thread_wake", 1e-3, 1e-5),
        trial("copy_byte", 50e-3, 1e-10),
        trial("thread_item", 1e-3, 1e-8, "threads"),
    )
    monkeypatch.setattr(calibrating, "TRIALS", several)
    monkeypatch.setattr(calibrating, "warm_workers", lambda: {"threads": 0})
    return seen


def test_after_a_long_map_what_is_missing_is_measured(measured: list[str]) -> None:
    """Only what fits into a hundredth of the map's time, only with workers that are there, and each thing once."""
    measure_after_map(1.0)
    assert measured == ["thread_wake"]
    measure_after_map(1.0)
    assert measured == ["thread_wake"]
    measure_after_map(1.01 * 50e-3 / SHARE_OF_A_MAP)
    assert measured == ["thread_wake", "copy_byte"]
    assert host_prices().calibration.value("copy_byte") == 1e-10


def test_what_matters_most_is_measured_first(measured: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that are named come before the others, however long it takes; these only while there is time."""
    monkeypatch.setattr(calibrating, "fork_pool", lambda: None)
    monkeypatch.setattr(calibrating, "spawn_pool", dict)
    calibrating.calibrate(0.0, first=("copy_byte",))
    assert measured == ["copy_byte"]
    calibrating.calibrate(60.0, first=("copy_byte",))
    assert measured[1:] == ["copy_byte", "thread_wake", "thread_item"]


def test_a_trial_that_fails_costs_no_map(measured: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried again in this process; the others are."""

    def fails() -> float:
        measured.append("failed")
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(calibrating, "TRIALS", (Trial("thread_start", 1e-3, fails), *calibrating.TRIALS))
    monkeypatch.setattr(calibrating, "_failed", {})
    measure_after_map(1.0)
    measure_after_map(1.0)
    assert measured == ["failed", "thread_wake"]
    assert calibrating._failed == {"thread_start": "RuntimeError: can't start new thread"}


def test_inside_an_item_nothing_is_measured(measured: list[str]) -> None:
    """A map in an item of another one shares the machine with its siblings."""
    token = nested_cores.set(1)
    try:
        measure_after_map(1.0)
    finally:
        nested_cores.reset(token)
    assert measured == []


def test_after_a_short_map_nothing_is_measured(measured: list[str]) -> None:
    """A map of some milliseconds is not followed by anything."""
    measure_after_map(SHORTEST_MAP / 2)
    assert measured == []


# All at once


def test_where_no_other_process_can_be_started_that_price_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded interpreter without a name, a start that fails or hangs, an answer that is none: nothing is known."""

    def answer(text: str) -> Callable[..., object]:
        return lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=text)

    def fails(*_: object, **__: object) -> object:
        raise subprocess.TimeoutExpired("python", 1)

    for stand_in in (answer("nonsense"), answer(""), answer("1 2 3"), fails):
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "run", stand_in)
            assert cold.spawn_pool() == {}
    monkeypatch.setattr(sys, "executable", "")
    assert cold.spawn_pool() == {}


@pytest.mark.slow
def test_calibrate_measures_everything_and_keeps_it(isolated_store: Path) -> None:
    """One call knows every quantity; the next program finds them in the store, and the planner has them."""
    script = "import autopar as ap; print(*ap.calibrate(60).quantities)"
    names = set(run_python("-c", script).split())
    alone = set() if current_host().cores > 1 else set(CORE_QUANTITIES)
    forked = set() if "fork_base" in names else {"fork_base", "fork_start"}
    assert names == set(MEASURABLE) - alone - forked
    new_log()
    known = calibrating.known_calibration()
    assert set(known.quantities) == names
    assert host_prices().costs.process_base == known.value("process_base")
    for name in names:
        assert name in str(known)


def test_a_wrong_limit_is_refused() -> None:
    """It says what is expected."""
    with pytest.raises(ap.AutoparError, match="seconds as a number, not str"):
        ap.calibrate("1")  # type: ignore[arg-type]


@pytest.mark.slow
def test_calibrate_leaves_the_callers_event_loop_alone() -> None:
    """It works from a coroutine too, and no policy or loop of the caller is changed."""
    import asyncio

    async def main() -> float | None:
        return ap.calibrate(60).value("async_dispatch")

    assert asyncio.run(main())


def test_a_store_that_cannot_be_had_costs_one_warning(isolated_store: Path) -> None:
    """Prices are then those of the defaults, and of what this process finds out."""
    isolated_store.parent.mkdir(mode=0o700)
    isolated_store.touch(0o600)
    isolated_store.write_bytes(b"no database" * 100)
    prices = HostPrices(decision_log())
    with pytest.warns(ap.AutoparWarning, match="not a database"):
        prices.load()
    assert prices.costs == DEFAULT_COSTS
    assert isinstance(decision_log().store, Store)


def test_a_job_of_a_trial_travels_by_name() -> None:
    """Worker processes import what a trial runs, so nothing is pickled by value."""
    seen: list[Job] = []

    class Noting(FakePool):
        def _run(self, chunk: Chunk) -> Outcome:
            seen.append(chunk.job)
            return super()._run(chunk)

    trials.byte_both_ways(Noting(), 100)
    assert all(job.reference is not None for job in seen)
