"""What this host costs: the planner's prices, corrected by what was measured of it and by what maps have shown."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from autopar._engine.journal import decision_log
from autopar._engine.machine import THIS_MACHINE, Machine
from autopar._model.calibration import (
    NEW_SHARE,
    OBSERVED,
    WRONG_AFTER,
    WRONG_FACTOR,
    Calibration,
    Quantity,
    plausible,
)
from autopar._observe.host import current_host
from autopar._plan import DEFAULT_COSTS, Costs
from autopar._record import DecisionLog, Known, Teaching
from autopar.errors import StoreWarning

CORE_QUANTITIES = ("second_thread", "second_process")
"""They hold under the limit on cores under which they were measured, and no other."""

PRICES_OF = {
    "threads": ("thread_start", "thread_dispatch", "thread_item"),
    "processes": (
        "fork_base",
        "fork_start",
        "process_base",
        "process_start",
        "process_dispatch",
        "process_item",
        "process_byte",
    ),
    "asyncio": ("async_start", "async_dispatch"),
}
"""What is in doubt when predictions for a backend turn out wrong again and again."""


class HostPrices:
    """Prices of the host that one process uses and adds to. Any thread may use it.

    Parameters
    ----------
    log
        Takes along to the store what is learned.

    Attributes
    ----------
    calibration
        What is known.
    costs
        The same as the planner takes it; what is not known has its default.
    """

    def __init__(self, log: DecisionLog) -> None:
        self._log = log
        self._lock = threading.RLock()
        self._started = False
        self._errors: dict[str, tuple[int, float]] = {}
        self.calibration = Calibration(log.host, current_host().cores_why)
        self.costs = DEFAULT_COSTS

    def load(self) -> None:
        """Read the store, unless a function's first map has done so already."""
        if self._started or self._log.store is None:
            return
        with suppress(StoreWarning):  # where warnings are errors: it is as if there were no store
            self.start_from(self._log.store.read_known("", self._log.host))

    def start_from(self, known: Known) -> None:
        """Take over what the store knows; what was learned here since then is newer."""
        with self._lock:
            if self._started:
                return
            self._started = True
            earlier = dict(known.quantities)
            if known.conditions != self.calibration.conditions:
                for name in CORE_QUANTITIES:
                    earlier.pop(name, None)
            self._know(earlier | dict(self.calibration.quantities))

    def take_measured(self, values: Mapping[str, float]) -> None:
        """Take over what trials have measured."""
        now = time.time()
        measured = {name: Quantity(value, now) for name, value in values.items() if plausible(name, value)}
        with self._lock:
            self._know(measured)
        self._log.teach(Teaching(measured=measured, conditions=self.calibration.conditions))

    def take_observed(self, values: Mapping[str, float]) -> None:
        """Blend in what a map has shown."""
        now, seen = time.time(), []
        with self._lock:
            for name, value in values.items():
                if plausible(name, value):
                    known = self.calibration.quantities.get(name)
                    new = Quantity(value, now, OBSERVED) if known is None else known.after(value, now)
                    self._know({name: new})
                    seen.append((name, value, now))
        if seen:
            self._log.teach(Teaching(observed=seen, conditions=self.calibration.conditions))

    def take_cold_start(self, workers: int, seconds: float, *, forked: bool) -> None:
        """A pool of processes has started: both of its prices move by the same factor."""
        costs = self.costs
        base, start = ("fork_base", "fork_start") if forked else ("process_base", "process_start")
        factor = seconds / (getattr(costs, base) + workers * getattr(costs, start))
        seen = {name: factor * getattr(costs, name) for name in (base, start)}
        for name, value in seen.items():
            if self.calibration.value(name) is None:
                # The first look starts from the default, so that one stalled start is not taken at its word.
                seen[name] = Quantity(getattr(costs, name), 0.0).after(value, 0.0).value
        self.take_observed(seen)

    def take_round_trip(self, seconds: float) -> None:
        """Chunks of a map were so long on their way: dispatch moves by the same factor as the round trip does."""
        trip = self.calibration.value("process_round_trip")
        dispatch = self.calibration.value("process_dispatch")
        if trip is not None and dispatch is not None:
            self.take_observed({"process_round_trip": seconds, "process_dispatch": dispatch * seconds / trip})

    def take_outcome(self, backend: str, log_ratio: float) -> None:
        """Note how far a prediction was off; prices that are wrong again and again are measured anew."""
        names = PRICES_OF.get(backend)
        if names is None:
            return
        with self._lock:
            count, mean = self._errors.get(backend, (0, 0.0))
            mean += (log_ratio - mean) * (NEW_SHARE if count else 1.0)
            self._errors[backend] = count + 1, mean
            if count + 1 < WRONG_AFTER or abs(mean) < math.log(WRONG_FACTOR):
                return
            del self._errors[backend]
            doubted = set(names) & set(self.calibration.quantities)
            self.calibration = self.calibration.without(doubted)
            self._know({})
        self._log.teach(Teaching(doubted=doubted, conditions=self.calibration.conditions))

    def missing(self, names: Iterable[str]) -> list[str]:
        """Quantities that are unknown or stale."""
        return self.calibration.missing(names, time.time())

    def _know(self, quantities: Mapping[str, Quantity]) -> None:
        self.calibration = self.calibration.with_values(quantities)
        self.costs = costs_of(self.calibration)


def costs_of(calibration: Calibration, defaults: Costs = DEFAULT_COSTS) -> Costs:
    """The planner's prices: each that has been calibrated by its own name, the others as they are.

    Examples
    --------
    >>> costs_of(Calibration("host", quantities={"thread_start": Quantity(0.001, 0.0)})).thread_start
    0.001
    """
    priced = {field.name for field in fields(Costs)}
    values: dict[str, Any] = {name: q.value for name, q in calibration.quantities.items() if name in priced}
    return replace(defaults, **values)


def costs_on(machine: Machine) -> Costs:
    """The prices of a machine; one that is not this one has those that the planner starts from."""
    return host_prices().costs if machine is THIS_MACHINE else DEFAULT_COSTS


_lock = threading.RLock()
_prices: tuple[DecisionLog, HostPrices] | None = None


def host_prices() -> HostPrices:
    """The prices that belong to the process's decision log."""
    global _prices
    log = decision_log()
    known = _prices
    if known is None or known[0] is not log:
        with _lock:
            if _prices is None or _prices[0] is not log:
                _prices = log, HostPrices(log)
            known = _prices
    return known[1]
