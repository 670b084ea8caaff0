"""What has been seen: the host, the function's static traits, and samples of real items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field

from autopar._model.effects import EffectReport
from autopar._model.light_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """The machine as this process may use it.

    Attributes
    ----------
    cores
        Usable cores: the least of CPU affinity, cgroup quota and environment caps.
    cores_why
        What set that number, in words.
    logical_cores
        Cores the machine has.
    gil
        True if this interpreter runs one Python thread at a time.
    python
        Version, as ``"3.13.0"``.
    platform
        ``sys.platform``.
    start_methods
        What ``multiprocessing`` can do here, its default first.
    threads_alive
        Threads of this process when it was looked at.
    memory
        Bytes that may still be taken: the least of what the system has and what control groups leave; None where
        nothing says so.
    unavailable
        Backend or compiler name -> why it cannot be used here. A name that is absent is available.
    """

    cores: int
    cores_why: str = ""
    logical_cores: int = 1
    gil: bool = True
    python: str = ""
    platform: str = "linux"
    start_methods: tuple[str, ...] = ("spawn",)
    threads_alive: int = 1
    memory: int | None = None
    unavailable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traits:
    """Static facts about a function, from its source and code objects.

    Attributes
    ----------
    name
        ``module.qualname``.
    is_async
        Calling it gives a coroutine.
    is_generator
        Calling it gives a generator, whose body runs later in whoever consumes it.
    has_loops
        Its own body, or one it calls, has a loop.
    blocking_calls
        Calls known to wait: ``"time.sleep"``, ``"socket.create_connection"``.
    releasing_calls
        Calls known to release the GIL while they compute: ``"zlib.compress"``.
    foreign_calls
        Other library calls; whether they release the GIL is not known.
    outside_calls
        Calls that reach beyond the process, to files, other programs or machines: ``"io.open"``.
    array_work
        Operators and methods on what may be arrays (``"@"``, ``".sum()"``), whose C code may release the GIL.
    report
        Its effects.
    gil_seconds
        Seconds of an item under the GIL where that is known beforehand, as of compiled code.
    """

    name: str
    is_async: bool = False
    is_generator: bool = False
    has_loops: bool = False
    blocking_calls: tuple[str, ...] = ()
    releasing_calls: tuple[str, ...] = ()
    foreign_calls: tuple[str, ...] = ()
    outside_calls: tuple[str, ...] = ()
    array_work: tuple[str, ...] = ()
    report: EffectReport = field(default_factory=EffectReport)
    gil_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Measurements of one run of consecutive items on one thread.

    Attributes
    ----------
    items
        How many items ran.
    wall, cpu
        Seconds of wall clock, and of CPU of the thread that ran them.
    process_cpu
        Seconds of CPU of the whole process, or None if other threads ran at the time.
    waits
        Voluntary context switches of the thread: each is a wait for something.
    concurrency
        How many such runs were under way at the same time.
    importing
        Seconds that have been taken from them, for modules that a first item imported.
    """

    items: int
    wall: float
    cpu: float
    process_cpu: float | None = None
    waits: int = 0
    concurrency: int = 1
    importing: float = 0.0


@dataclass(slots=True)
class Profile:
    """What is known of a function's items; grows with each sample.

    ``pickles`` is said of items and results, ``job_pickles`` of what travels with the function.
    ``objects`` are those that an item and its result consist of, as pickle counts them.
    ``bytes_shared`` is the pickled size of what travels with the function, once to each worker, and not with an item.
    ``process_cpu`` is the CPU time of the whole process during ``process_wall`` seconds of items that ran alone.
    ``importing`` is what a first item took for importing modules, and is in none of its times.
    Means are weighted by items; ``spread`` is the standard deviation between the means of the sampled runs
    (Welford's recurrence, Knuth, TAOCP vol. 2, 4.2.2).
    """

    items: int = 0
    runs: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    waits: int = 0
    slowest: float = 0.0
    process_cpu: float = 0.0
    process_wall: float = 0.0
    importing: float = 0.0
    bytes_in: float | None = None
    bytes_out: float | None = None
    bytes_shared: float | None = None
    objects: float | None = None
    pickles: bool | None = None
    why_not_pickles: str = ""
    job_pickles: bool | None = None
    why_not_job_pickles: str = ""
    gil_share: float | None = None
    gil_share_why: str = ""
    gil_share_assumed: bool = False
    best_concurrency: int | None = None
    _mean: float = 0.0
    _m2: float = 0.0

    def add(self, sample: Sample) -> None:
        """Take in one sample that ran alone (concurrency 1)."""
        if sample.items <= 0:
            return
        self.items += sample.items
        self.runs += 1
        self.wall += sample.wall
        self.cpu += sample.cpu
        self.waits += sample.waits
        self.importing += sample.importing
        if sample.process_cpu is not None:
            self.process_cpu += sample.process_cpu
            self.process_wall += sample.wall
        per_item = sample.wall / sample.items
        self.slowest = max(self.slowest, per_item)
        delta = per_item - self._mean
        self._mean += delta / self.runs
        self._m2 += delta * (per_item - self._mean)

    def forget_times(self) -> None:
        """Start anew with times; what else is known of the items stays."""
        self.items = self.runs = self.waits = 0
        self.wall = self.cpu = self.slowest = self.process_cpu = self.process_wall = self._mean = self._m2 = 0.0
        self.importing = 0.0

    @property
    def seconds_per_item(self) -> float:
        """Mean wall seconds of an item run alone; 0 while nothing is known."""
        return self.wall / self.items if self.items else 0.0

    @property
    def cpu_per_item(self) -> float:
        """Mean CPU seconds of an item on its own thread."""
        return self.cpu / self.items if self.items else 0.0

    @property
    def cpu_share(self) -> float:
        """CPU seconds over wall seconds, 0 to 1."""
        return min(1.0, self.cpu / self.wall) if self.wall > 0 else 1.0

    @property
    def waits_per_item(self) -> float:
        """Voluntary context switches of an item."""
        return self.waits / self.items if self.items else 0.0

    @property
    def cores_per_item(self) -> float:
        """Cores that one item keeps busy by itself: above 1 the function is multithreaded inside."""
        return max(self.cpu_share, self.process_cpu / self.process_wall) if self.process_wall > 0 else 1.0

    @property
    def spread(self) -> float:
        """Standard deviation, in seconds, between the per-item means of the sampled runs."""
        return math.sqrt(self._m2 / (self.runs - 1)) if self.runs > 1 else 0.0
