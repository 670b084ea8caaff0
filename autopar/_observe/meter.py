"""What a run of items costs on its thread: wall clock, CPU, waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from autopar._model.observation import Sample
from autopar._model.own_work import OWN_WORK
from autopar._native_api import thread_probe

Probe: TypeAlias = Callable[[], tuple[int, int, int, int, int]]
OwnCpu: TypeAlias = Callable[[], float | None]

_NANO = 1e-9


class Meter:
    """Clocks and counters of the calling thread, read when it is made.

    One meter measures one run of items, on the thread that made it; it can be read several times.

    Parameters
    ----------
    probe
        Reads clocks and counters.
    own
        CPU seconds that threads of autopar's own have taken so far beside the items; None where that cannot be told.

    Examples
    --------
    >>> meter = Meter()
    >>> total = sum(range(1000))
    >>> sample = meter.sample(1)
    >>> sample.items, sample.wall > 0
    (1, True)
    """

    __slots__ = ("_own", "_own_then", "_probe", "_start", "_thread")

    def __init__(self, probe: Probe = thread_probe, own: OwnCpu = OWN_WORK.cpu) -> None:
        self._probe = probe
        self._thread = threading.get_ident()
        self._own = own
        self._own_then = own()
        self._start = probe()

    def sample(self, items: int, *, concurrency: int = 1, alone: bool = True) -> Sample:
        """Return what the items since then have cost.

        Parameters
        ----------
        items
            How many ran.
        concurrency
            How many such runs were under way at the same time.
        alone
            No other thread of the program ran meanwhile, so that all CPU time of the process is the items' own, but for
            what threads of autopar's own have taken.

        Raises
        ------
        RuntimeError
            Another thread made the meter: the difference of two threads' clocks means nothing.
        """
        if threading.get_ident() != self._thread:
            raise RuntimeError("a Meter must be read by the thread that made it")
        wall, cpu, process, waits, _ = self._probe()
        wall_then, cpu_then, process_then, waits_then, _ = self._start
        own = self._own() if alone and concurrency == 1 else None
        process_cpu = None
        if own is not None and self._own_then is not None:
            process_cpu = max((cpu - cpu_then) * _NANO, (process - process_then) * _NANO - (own - self._own_then))
        return Sample(
            items=items,
            wall=(wall - wall_then) * _NANO,
            cpu=(cpu - cpu_then) * _NANO,
            process_cpu=process_cpu,
            waits=waits - waits_then,
            concurrency=concurrency,
        )
