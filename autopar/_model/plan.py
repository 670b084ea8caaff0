"""Plans, the rivals they beat, and the specifications of backends and compilers."""

from __future__ import annotations

from dataclasses import field

from autopar._model.light_dataclass import dataclass
from autopar._model.workload import Workload


@dataclass(frozen=True, slots=True)
class Spec:
    """One backend or compiler: what it needs and what it can do, known without importing it.

    Attributes
    ----------
    name
        As in hints.
    module
        Module that implements it, imported when a plan first uses it; None where autopar does not have it yet.
    needs
        Packages that must be importable.
    wins
        One sentence: when it is the best choice.
    same_process
        Items see and change the caller's objects.
    inherits
        Workers have the function and all that it reads from the caller as it is, unpickled.
    parallel_python
        Python bytecode of several items runs at the same time, GIL or not.
    overlaps_waits
        Several items can wait at the same time.
    runs_async, runs_sync
        Which functions it takes.
    minimum_python
        Lowest version, as a tuple.
    """

    name: str
    module: str | None
    wins: str
    needs: tuple[str, ...] = ()
    same_process: bool = True
    inherits: bool = False
    parallel_python: bool = False
    overlaps_waits: bool = False
    runs_async: bool = False
    runs_sync: bool = True
    minimum_python: tuple[int, int] = (3, 11)


BACKENDS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec(
            "serial",
            "autopar._backends.serial",
            "few or tiny items, and functions whose effects need the loop's order",
            runs_async=True,
        ),
        Spec(
            "threads",
            "autopar._backends.threads",
            "items that wait, and items that compute without the GIL",
            overlaps_waits=True,
        ),
        Spec(
            "asyncio",
            "autopar._backends.aio",
            "coroutine functions",
            overlaps_waits=True,
            runs_async=True,
            runs_sync=False,
        ),
        Spec(
            "processes",
            "autopar._backends.processes",
            "items that compute in Python and hold the GIL",
            same_process=False,
            parallel_python=True,
            overlaps_waits=True,
        ),
        Spec(
            "multiprocessing",
            "autopar._backends.forks",
            "functions that do not pickle and large read-only objects, inherited by fork",
            same_process=False,
            inherits=True,
            parallel_python=True,
            overlaps_waits=True,
        ),
        Spec(
            "joblib",
            "autopar._backends.loky",
            "large NumPy arguments, shared by memory map",
            needs=("joblib",),
            same_process=False,
            parallel_python=True,
            overlaps_waits=True,
        ),
        Spec(
            "interpreters",
            "autopar._backends.interpreters",
            "CPU-bound Python without new processes",
            same_process=False,
            parallel_python=True,
            overlaps_waits=True,
            minimum_python=(3, 14),
        ),
        Spec(
            "dask",
            "autopar._backends.dask",
            "more work than one machine has cores for",
            needs=("distributed",),
            same_process=False,
            parallel_python=True,
            overlaps_waits=True,
        ),
    )
}

COMPILERS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec("python", "autopar._compilers.python", "the function as it is", runs_async=True),
        Spec("native", "autopar._compilers.native", "numeric loops, compiled to C that holds no GIL"),
        Spec(
            "numba",
            "autopar._compilers.numba",
            "whole-array NumPy code, made into loops that hold no GIL",
            needs=("numba",),
        ),
        Spec("cython", "autopar._compilers.cython", "long calls that work on objects", needs=("Cython",)),
    )
}


_SINGULAR = {"threads": "thread", "processes": "process", "dask": "core of a Dask cluster"}
_PLURAL = {"dask": "cores of a Dask cluster"}


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to run the items of a map.

    Attributes
    ----------
    compiler, backend
        Names out of :data:`COMPILERS` and :data:`BACKENDS`.
    workers
        Items, or chunks of items, under way at the same time; for I/O the ceiling that concurrency may climb to.
    chunksize
        Items sent together; None lets the engine size chunks by time.
    predicted
        Seconds for the remaining items, or None where nothing is known yet.
    adaptive
        Concurrency starts low and climbs while throughput grows.
    """

    compiler: str = "python"
    backend: str = "serial"
    workers: int = 1
    chunksize: int | None = None
    predicted: float | None = None
    adaptive: bool = False

    def __str__(self) -> str:
        compiled = "" if self.compiler == "python" else f"{self.compiler}, "
        if self.workers == 1 and self.backend in _SINGULAR:
            return f"{compiled}1 {_SINGULAR[self.backend]}"
        if self.backend in _SINGULAR:
            return (
                f"{compiled}{'up to ' if self.adaptive else ''}{self.workers} {_PLURAL.get(self.backend, self.backend)}"
            )
        return f"{compiled}{self.backend}"


LOOP = Plan()
"""The plain loop."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A plan that was not taken, and why.

    Attributes
    ----------
    plan
        The rival.
    because
        The reason in words; "predicted slower" rivals carry their cost in ``plan.predicted``.
    hint
        The hint that would open this way, or an empty string.
    """

    plan: Plan
    because: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The planner's answer: the plan, its rivals, and what would make it wrong.

    Attributes
    ----------
    plan
        The way to take.
    rejected
        Every other way, with its predicted seconds or what rules it out.
    why
        One sentence.
    with_workers
        Predicted seconds if the worker processes of its best rival had been there already; None where they were, or
        where none may be used.
    """

    plan: Plan
    workload: Workload
    rejected: tuple[Rejected, ...] = ()
    why: str = ""
    serial_seconds: float | None = None
    with_workers: float | None = None
    notes: tuple[str, ...] = field(default=())
