"""Prices of a host: what was measured or observed of it, quantity by quantity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from autopar._model.light_dataclass import dataclass

MEASURED, OBSERVED = "measured", "observed"
"""Where a value comes from: a trial made for it, or maps that ran anyway."""

NEW_SHARE = 0.3
"""Weight of one observation against all before it: after two more, half of the figure is new. Unmeasured: a convention
between following a change and being thrown by one busy moment."""

FURTHEST_STEP = 2.0
"""One observation counts as at most this factor away from what is known: a stalled machine is no slow machine."""

BELIEVED_FOR = 30 * 86_400.0
"""Seconds for which a value counts as fresh: machines are upgraded and moved, but not often. Unmeasured."""

WRONG_FACTOR, WRONG_AFTER = 2.0, 8
"""Predictions off by this factor on average, over so many maps, prove prices wrong."""


@dataclass(frozen=True, slots=True)
class Measurable:
    """A quantity that can be measured on a host.

    Attributes
    ----------
    unit
        ``"s"``, ``"s/byte"`` or ``"cores"``.
    least, most
        What any machine could show; a value outside is a mistake and is not used.
    what
        In words, for people.
    """

    unit: str
    least: float
    most: float
    what: str


MEASURABLE: Mapping[str, Measurable] = {
    "thread_start": Measurable("s", 1e-6, 0.05, "start of a thread"),
    "thread_wake": Measurable("s", 1e-7, 0.05, "a waiting thread wakes up"),
    "gil_hand_over": Measurable("s", 1e-7, 0.5, "a waiting thread gets the GIL from one that computes"),
    "thread_dispatch": Measurable("s", 1e-6, 0.05, "a chunk to a warm thread and back"),
    "thread_item": Measurable("s", 1e-10, 1e-3, "an item more in a chunk for a thread"),
    "process_base": Measurable("s", 1e-4, 30.0, "first spawned worker process, once"),
    "process_start": Measurable("s", 1e-3, 30.0, "each spawned worker process"),
    "fork_base": Measurable("s", 1e-5, 30.0, "first forked worker process, once"),
    "fork_start": Measurable("s", 1e-5, 30.0, "each forked worker process"),
    "process_dispatch": Measurable("s", 5e-6, 0.1, "a chunk to a warm worker process and back"),
    "process_round_trip": Measurable("s", 5e-6, 0.1, "one chunk to an idle worker process and back"),
    "process_item": Measurable("s", 1e-9, 1e-3, "an item more in a chunk for a process"),
    "process_byte": Measurable("s/byte", 1e-11, 1e-6, "a pickled byte, to a worker process or back"),
    "pickle_item": Measurable("s", 1e-9, 1e-3, "pickling and unpickling a small object"),
    "pickle_byte": Measurable("s/byte", 1e-12, 1e-6, "pickling and unpickling a byte of one large object"),
    "copy_byte": Measurable("s/byte", 1e-12, 1e-7, "copying a byte in memory"),
    "async_start": Measurable("s", 1e-6, 1.0, "start and end of an event loop"),
    "async_dispatch": Measurable("s", 1e-7, 0.01, "a coroutine that waits once"),
    "second_thread": Measurable("cores", 0.0, 1.2, "what a second thread adds, without the GIL"),
    "second_process": Measurable("cores", 0.0, 1.2, "what a second process adds"),
}
"""Every quantity, by the name that it has in the planner's prices too, where these have it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One value.

    Attributes
    ----------
    value
        In the unit of its :class:`Measurable`.
    time
        Unix time, in seconds, of the latest measurement or observation.
    source
        ``"measured"`` or ``"observed"``.
    count
        Measurements and observations behind it.
    """

    value: float
    time: float
    source: str = MEASURED
    count: int = 1

    def after(self, value: float, time: float) -> Quantity:
        """Take in an observation; a far one only as far as :data:`FURTHEST_STEP`.

        Examples
        --------
        >>> Quantity(1.0, time=0.0).after(0.9, time=60.0).value
        0.97
        """
        within = min(max(value, self.value / FURTHEST_STEP), self.value * FURTHEST_STEP)
        blended = self.value + NEW_SHARE * (within - self.value)
        return Quantity(blended, time, OBSERVED, self.count + 1)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of one host.

    Attributes
    ----------
    host
        Its fingerprint.
    conditions
        What limits the cores of this process, in words; another limit makes the cores' values stale.
    quantities
        Name out of :data:`MEASURABLE` -> its value.

    Examples
    --------
    >>> print(Calibration("a host", quantities={"thread_start": Quantity(0.0001, time=0.0)}))
    a host
    quantity      value  from      what
    ------------  -----  --------  -----------------
    thread_start  100us  measured  start of a thread
    """

    host: str
    conditions: str = ""
    quantities: Mapping[str, Quantity] = field(default_factory=dict)

    def value(self, name: str) -> float | None:
        """The value of a quantity, or None while it is not known."""
        known = self.quantities.get(name)
        return None if known is None else known.value

    def fresh(self, name: str, now: float) -> bool:
        """Whether a value is known and was looked at lately."""
        known = self.quantities.get(name)
        return known is not None and 0 <= now - known.time < BELIEVED_FOR

    def missing(self, names: Iterable[str], now: float) -> list[str]:
        """Those that are not known or stale."""
        return [name for name in names if not self.fresh(name, now)]

    def with_values(self, quantities: Mapping[str, Quantity]) -> Calibration:
        """The same with some quantities replaced; those that no machine could show are left out."""
        taken = {name: quantity for name, quantity in quantities.items() if plausible(name, quantity.value)}
        return replace(self, quantities={**self.quantities, **taken})

    def without(self, names: Iterable[str]) -> Calibration:
        """The same without some quantities."""
        gone = set(names)
        return replace(self, quantities={k: v for k, v in self.quantities.items() if k not in gone})

    def __str__(self) -> str:
        rows = [("quantity", "value", "from", "what")]
        for name, measurable in MEASURABLE.items():
            if name not in self.quantities:
                continue
            known = self.quantities[name]
            maps = "1 map" if known.count == 1 else f"{known.count} maps"
            source = known.source if known.source == MEASURED else maps
            rows.append((name, _readable(known.value, measurable.unit), source, measurable.what))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2], "-" * widths[3]))
        lines = [
            f"{name:{widths[0]}}  {value:>{widths[1]}}  {source:{widths[2]}}  {what}"
            for name, value, source, what in rows
        ]
        return "\n".join([self.host, *lines])


def plausible(name: str, value: object) -> bool:
    """Whether a machine could show this value for a quantity of this name."""
    known = MEASURABLE.get(name)
    if known is None or not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return math.isfinite(value) and known.least <= value <= known.most


def _readable(value: float, unit: str) -> str:
    if unit == "cores":
        return f"{value:.2f}"
    if unit == "s/byte":
        return f"{1e-9 / value:.3g} GB/s" if value > 0 else "-"
    for factor, name in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g}{name}"
    return f"{value * 1e9:.3g}ns"
