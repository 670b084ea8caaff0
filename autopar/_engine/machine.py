"""The machine as one map sees it: its clock, its cores, its workers. All that a map asks of the real world is here.

Whoever gives a map another :class:`Machine` runs it in another world, such as one with a virtual clock.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from autopar._backends import load
from autopar._backends.forkable import LINGERING, why_not_forkable_without
from autopar._engine import cluster
from autopar._engine.beside import Beside, Story
from autopar._engine.completions import CompletionQueue, Completions
from autopar._engine.journal import settled
from autopar._model.cluster import Cluster
from autopar._model.hints import Settings
from autopar._model.nesting import nested_cores
from autopar._model.observation import Host
from autopar._model.plan import Plan
from autopar._model.work import Pool
from autopar._native_api import thread_probe
from autopar._observe.host import current_host
from autopar._observe.meter import Probe
from autopar._observe.pickled_size import PickledSize, pickled_size, shared_size

WRITING = 0.02
"""Seconds that a planning waits for the store's thread to end: a fifth of what forked workers save."""

THREADS_AT_MOST = 1024
"""Threads of all maps together that plans may ask for: at 8 MiB of reserved stack each, 8 GiB of address space."""


class Machine(Protocol):
    """Where a map runs.

    Attributes
    ----------
    probe
        Clocks and counters of the calling thread, as :func:`autopar._native_twin.thread_probe` reads them.
    missed
        Seconds that worker processes would have saved in this process's maps, had they been there.
    """

    missed: float

    @property
    def probe(self) -> Probe: ...

    def now(self) -> float:
        """Seconds on a monotonic clock."""

    def host(self) -> Host:
        """What is known of the hardware and the interpreter."""

    def threads_left(self) -> int:
        """How many more threads a plan may ask for, at least 1."""

    def warm_workers(self) -> Mapping[str, int]:
        """Backend -> workers that are already running."""

    def forkable(self, ending: int = 0) -> bool:
        """New worker processes can be forked, once so many threads of autopar's own have ended."""

    def modules(self) -> int:
        """How many modules are loaded."""

    def open(self, plan: Plan) -> Pool:
        """The plan's pool."""

    def look_at_cluster(self, settings: Settings, cores: int) -> tuple[Any, Cluster]:
        """The cluster that the hints name, and what it offers; `UnavailableError` if it cannot be used."""

    def open_on(self, plan: Plan, cluster: Any, settings: Settings) -> Pool:
        """The plan's pool on a cluster."""

    def beside(self, story: Story) -> AbstractContextManager[object]:
        """Let a story happen on another thread while the block runs."""

    def completions(self) -> Completions:
        """A queue for the chunks of one pool as they end."""

    def pickled_size(self, value: Any) -> PickledSize:
        """Bytes of an object on its way to a worker."""

    def shared_size(self, values: Iterable[Any]) -> float:
        """About how many bytes travel with a function, once to each worker."""


class ThisMachine:
    """The real one."""

    missed = 0.0
    probe = staticmethod(thread_probe)
    now = staticmethod(time.perf_counter)
    beside = staticmethod(Beside)
    pickled_size = staticmethod(pickled_size)
    shared_size = staticmethod(shared_size)

    def host(self) -> Host:
        return current_host()

    def forkable(self, ending: int = 0) -> bool:
        return not _why_not_forkable("threads", ending=ending)

    def threads_left(self) -> int:
        return threads_left()

    def modules(self) -> int:
        return len(sys.modules)

    def warm_workers(self) -> Mapping[str, int]:
        return warm_workers()

    def open(self, plan: Plan) -> Pool:
        return load(plan.backend).open(plan)

    look_at_cluster = staticmethod(cluster.look)
    open_on = staticmethod(cluster.open_pool)

    def completions(self) -> Completions:
        return CompletionQueue()


THIS_MACHINE: Machine = ThisMachine()


def cores_here(host: Host) -> int:
    """Cores for a map that starts here: the host's, or the share of the item it runs in."""
    nested = nested_cores.get()
    return host.cores if nested is None else max(1, min(nested, host.cores))


def threads_left() -> int:
    """How many more threads a plan may ask for."""
    return max(1, THREADS_AT_MOST - threading.active_count())


def closed_ways(demanded: str | None = None) -> dict[str, str]:
    """Backend -> why it cannot be used at this moment; loads none of them.

    For one that is demanded, threads of autopar's own that have just handed over their last result are waited for.
    """
    pools = ("threads", "processes", "forks", "interpreters")
    why_not = _why_not_forkable(*pools)
    until = time.monotonic() + LINGERING
    while why_not and demanded == "multiprocessing" and time.monotonic() < until:
        time.sleep(0)
        why_not = why_not_forkable_without(*pools)
    interpreters = sys.modules.get("autopar._backends.interpreters") if demanded != "interpreters" else None
    reasons = {"multiprocessing": why_not, "interpreters": getattr(interpreters, "why_not", "")}
    return {name: reason for name, reason in reasons.items() if reason}


def _why_not_forkable(*pools: str, ending: int = 0) -> str:
    """Why this process cannot be forked, even if idle threads of these pools of autopar's own end before."""
    why_not = why_not_forkable_without(*pools, ending=ending)
    if why_not and not settled(0.0) and settled(WRITING):
        why_not = why_not_forkable_without(*pools, ending=ending)  # The thread that writes to the store is gone.
    return why_not


LOADING = {"processes": 12e-3, "multiprocessing": 12e-3, "joblib": 130e-3}
"""Backend -> seconds of importing what sends items to other processes, cloudpickle, multiprocessing or joblib among it
(``python -X importtime``: 10 to 13 ms; 125 to 160 ms)."""

_LOADED_WITH = {"processes": "processes", "multiprocessing": "forks", "joblib": "loky"}


def loading() -> dict[str, float]:
    """Backend -> seconds of importing it, for those that are not loaded."""
    missing = (name for name, room in _LOADED_WITH.items() if f"autopar._backends.{room}" not in sys.modules)
    return {name: LOADING[name] for name in missing}


def warm_workers() -> dict[str, int]:
    """Backend -> workers that are already running; asks only backends that are in use."""
    warm = {}
    for name in ("threads", "processes", "joblib", "interpreters"):
        module = sys.modules.get(f"autopar._backends.{name}")
        ask = getattr(module, "warm", None)  # absent while another thread is still importing the module
        if ask is not None:
            warm[name] = ask()
    return warm
