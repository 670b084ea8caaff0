"""Measures the host: all at once when asked to, else piece by piece at the end of maps that were long against it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from autopar._backends import load
from autopar._engine.cold import fork_pool, spawn_pool
from autopar._engine.machine import warm_workers
from autopar._engine.prices import HostPrices, host_prices
from autopar._model.calibration import Calibration
from autopar._model.light_dataclass import dataclass
from autopar._model.nesting import nested_cores
from autopar._model.plan import Plan
from autopar._model.work import Pool
from autopar._observe import calibration as trials
from autopar._observe.host import current_host

SHARE_OF_A_MAP = 0.01
"""Part of a map's time that may be spent on measuring after it."""

SHORTEST_MAP = 0.2
"""Seconds of a map below which its share pays for no trial."""

_THREAD_CHUNKS, _THREAD_ITEMS = 100, 2_000
_ROUND_TRIPS = 32
_PROCESS_CHUNKS, _PROCESS_ITEMS, _PROCESS_BYTES = 40, 2_000, 2 << 20


@dataclass(frozen=True, slots=True)
class Trial:
    """One measurement.

    Attributes
    ----------
    quantity
        What it tells.
    seconds
        What it takes, as measured on 2 shared x86-64 cores with CPython 3.11.
    measure
        Does it.
    backend
        The backend whose workers it needs, warm; empty for none.
    """

    quantity: str
    seconds: float
    measure: Callable[[], float]
    backend: str = ""


def _threads() -> Pool:
    return load("threads").open(Plan(backend="threads", workers=2))


def _processes() -> Pool:
    return load("processes").open(Plan(backend="processes", workers=2))


TRIALS = (
    Trial("thread_wake", 2e-3, trials.thread_wake),
    Trial("thread_start", 4e-3, trials.thread_start),
    Trial("thread_dispatch", 12e-3, lambda: trials.chunk_there_and_back(_threads(), _THREAD_CHUNKS), "threads"),
    Trial("thread_item", 2e-3, lambda: trials.item_in_chunk(_threads(), _THREAD_ITEMS), "threads"),
    Trial("process_dispatch", 15e-3, lambda: trials.chunk_there_and_back(_processes(), _PROCESS_CHUNKS), "processes"),
    Trial("process_round_trip", 5e-3, lambda: trials.round_trip(_processes(), _ROUND_TRIPS), "processes"),
    Trial("process_item", 5e-3, lambda: trials.item_in_chunk(_processes(), _PROCESS_ITEMS), "processes"),
    Trial("process_byte", 40e-3, lambda: trials.byte_both_ways(_processes(), _PROCESS_BYTES), "processes"),
    Trial("pickle_item", 5e-3, trials.pickle_item),
    Trial("pickle_byte", 12e-3, trials.pickle_byte),
    Trial("copy_byte", 50e-3, trials.copy_byte),
    Trial("async_start", 5e-3, trials.event_loop),
    Trial("async_dispatch", 10e-3, trials.coroutine_on_loop),
    Trial("gil_hand_over", 25e-3, trials.gil_hand_over),
    Trial("second_thread", 100e-3, trials.second_thread),
    Trial("second_process", 100e-3, lambda: trials.second_process(_processes()), "processes"),
)
"""In the order in which they matter to a plan."""

_failed: dict[str, str] = {}
"""Quantity -> why it could not be measured in this process; that is not tried again after every map."""


def calibrate(seconds: float, first: Collection[str] = ()) -> Calibration:
    """Measure everything now; no trial but those of the quantities named ``first`` begins when so much time has passed.

    The start of forked worker processes is measured only where this process may still fork them.
    """
    began = time.perf_counter()
    prices = host_prices()
    prices.load()
    forked = fork_pool()
    if forked is not None:
        prices.take_cold_start(2, forked, forked=True)
    prices.take_measured(spawn_pool())
    cores = current_host().cores
    for trial in sorted(TRIALS, key=lambda trial: trial.quantity not in first):
        if trial.quantity not in first and time.perf_counter() - began > seconds:
            break
        if cores < 2 and trial.quantity.startswith("second_"):
            continue
        prices.take_measured({trial.quantity: trial.measure()})
    return prices.calibration


def known_calibration() -> Calibration:
    """What is known without measuring anything."""
    prices = host_prices()
    prices.load()
    return prices.calibration


def measure_after_map(seconds: float) -> None:
    """Spend a small share of what a map took on what is not known yet, with the workers that it left warm."""
    if seconds < SHORTEST_MAP or nested_cores.get() is not None:
        return
    prices, budget, warm = host_prices(), SHARE_OF_A_MAP * seconds, warm_workers()
    missing = set(prices.missing(trial.quantity for trial in TRIALS))
    for trial in TRIALS:
        if trial.quantity in missing and trial.seconds <= budget and _at_hand(trial, warm):
            budget -= _try(trial, prices)


def _at_hand(trial: Trial, warm: dict[str, int]) -> bool:
    """The workers that it needs are there: no trial starts any, or leaves a thread behind that forbids forking."""
    return trial.quantity not in _failed and (not trial.backend or warm.get(trial.backend, 0) >= 2)


def _try(trial: Trial, prices: HostPrices) -> float:
    """Measure, and return what that took; a trial that fails, for want of threads or memory, must not cost a map."""
    started = time.perf_counter()
    try:
        prices.take_measured({trial.quantity: trial.measure()})
    except Exception as error:
        _failed[trial.quantity] = f"{type(error).__name__}: {error}"
    return time.perf_counter() - started
