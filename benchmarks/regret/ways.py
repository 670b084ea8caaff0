"""Autopar and its rivals: the ways to map a workload.

A way imports what it needs when it is made, and starts its pool, compiles, or opens its event loop in its first map. So
imports are nowhere in a cold map, but for a compiler's, which nobody loads for nothing: it counts as compiling.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, Protocol, TypeAlias

from benchmarks.regret.workload import Work, Workload

Role: TypeAlias = Literal["autopar", "hand-picked", "beside"]


class Way(Protocol):
    """One way to map."""

    def map(self) -> list[Any]:
        """Map all items, in order."""

    def said(self) -> dict[str, Any]:
        """Tell of the latest map what the way itself reports."""

    def close(self) -> None:
        """Close the event loop; pools end with the process."""


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Loop:
    """An event loop, opened by the first coroutine that it runs."""

    def __init__(self) -> None:
        import asyncio

        self._open: Callable[[], Any] = asyncio.Runner
        self._runner: Any = None

    def run(self, coroutine: Coroutine[Any, Any, list[Any]]) -> list[Any]:
        self._runner = self._runner or self._open()
        results: list[Any] = self._runner.run(coroutine)
        return results

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


class _Silent:
    def said(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        pass


class Serial(_Silent):
    """The plain loop; of coroutines, one awaited after the other."""

    def __init__(self, work: Work, workload: Workload) -> None:
        self._work = work
        self._loop: Loop | None = Loop() if workload.coroutine else None

    def map(self) -> list[Any]:
        if self._loop is not None:
            return self._loop.run(self._await_each())
        return list(map(self._work.function, self._work.items()))

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()

    async def _await_each(self) -> list[Any]:
        return [await self._work.function(item) for item in self._work.items()]


class Threads(_Silent):
    """A thread pool of the standard library."""

    def __init__(self, work: Work, workload: Workload, workers: int) -> None:
        import concurrent.futures.thread

        self._open: Callable[[], Any] = lambda: concurrent.futures.thread.ThreadPoolExecutor(workers)
        self._pool: Any = None
        self._work = work

    def map(self) -> list[Any]:
        self._pool = self._pool or self._open()
        return list(self._pool.map(self._work.function, self._work.items()))


class Processes(_Silent):
    """A process pool of the standard library, with its own start method and a worker for each core."""

    def __init__(self, work: Work, workload: Workload, chunksize: int) -> None:
        import concurrent.futures.process

        self._open: Callable[[], Any] = lambda: concurrent.futures.process.ProcessPoolExecutor(cores())
        self._pool: Any = None
        self._work = work
        self._chunksize = chunksize

    def map(self) -> list[Any]:
        self._pool = self._pool or self._open()
        return list(self._pool.map(self._work.function, self._work.items(), chunksize=self._chunksize))


class Gather(_Silent):
    """``asyncio.gather``, of all at once or of a few at a time."""

    def __init__(self, work: Work, workload: Workload, at_once: int | None) -> None:
        self._loop: Loop = Loop()
        self._work = work
        self._at_once = at_once

    def map(self) -> list[Any]:
        return self._loop.run(self._gather())

    def close(self) -> None:
        self._loop.close()

    async def _gather(self) -> list[Any]:
        import asyncio

        function = self._work.function
        if self._at_once is None:
            return await asyncio.gather(*map(function, self._work.items()))
        turns = asyncio.Semaphore(self._at_once)

        async def limited(item: Any) -> Any:
            async with turns:
                return await function(item)

        return await asyncio.gather(*map(limited, self._work.items()))


class Compiled(_Silent):
    """``numba.njit(nogil=True)``, in the plain loop or on a thread for each core."""

    def __init__(self, work: Work, workload: Workload, workers: int) -> None:
        import concurrent.futures.thread

        self._open: Callable[[], Any] = lambda: concurrent.futures.thread.ThreadPoolExecutor(workers)
        self._pool: Any = None
        self._work = work
        self._workers = workers
        self._function: Callable[..., Any] | None = None

    def map(self) -> list[Any]:
        if self._function is None:
            import numba

            self._function = numba.njit(nogil=True)(self._work.function)
        items = list(self._work.items())
        if self._workers == 1:
            return list(map(self._function, items))
        self._pool = self._pool or self._open()
        size = max(1, len(items) // (4 * self._workers))
        chunks = [items[start : start + size] for start in range(0, len(items), size)]
        return list(chain.from_iterable(self._pool.map(self._map_chunk, chunks)))

    def _map_chunk(self, items: list[Any]) -> list[Any]:
        assert self._function is not None
        return list(map(self._function, items))


class Joblib(_Silent):
    """joblib with all cores and otherwise its defaults."""

    def __init__(self, work: Work, workload: Workload) -> None:
        import joblib

        self._joblib = joblib
        self._work = work

    def map(self) -> list[Any]:
        call = self._joblib.delayed(self._work.function)
        return list(self._joblib.Parallel(n_jobs=-1)(call(item) for item in self._work.items()))


class Mpire(_Silent):
    """mpire with its defaults, and workers that stay for the next map."""

    def __init__(self, work: Work, workload: Workload) -> None:
        from mpire.pool import WorkerPool

        self._open: Callable[[], Any] = lambda: WorkerPool(keep_alive=True)
        self._pool: Any = None
        self._work = work

    def map(self) -> list[Any]:
        self._pool = self._pool or self._open()
        # It would unpack items that are tuples or dicts.
        arguments = [(item,) for item in self._work.items()]
        return list(self._pool.map(self._work.function, arguments, concatenate_numpy_output=False))


class Autopar:
    """autopar without any hint."""

    def __init__(self, work: Work, workload: Workload) -> None:
        import autopar

        self._autopar = autopar
        self._work = work
        self._imap = workload.call == "imap"
        self._function: Any = autopar.parallel(work.function)
        self._loop = Loop() if workload.call == "amap" else None

    def map(self) -> list[Any]:
        if self._loop is not None:
            return self._loop.run(self._amap())
        if self._imap:
            return list(self._function.imap(self._work.items()))
        return list(self._function.map(self._work.items()))

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()

    async def _amap(self) -> list[Any]:
        return list(await self._function.amap(self._work.items()))

    def said(self) -> dict[str, Any]:
        decision = self._autopar.decisions()[-1]
        workload = decision.workload
        return {
            "plan": str(decision.plan),
            "why": decision.why,
            "kind": None if workload is None else workload.kind.value,
            "evidence": [] if workload is None else list(workload.evidence),
            "gil_share": None if workload is None else workload.gil_share,
            "predicted": decision.predicted,
            "actual": decision.actual,
            "tried": [[str(plan), items] for plan, items in decision.tried],
            "rejected": [[str(each.plan), each.plan.predicted, each.because, each.hint] for each in decision.rejected],
            "notes": list(decision.notes),
            "fallbacks": list(decision.fallbacks),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A way by name.

    Attributes
    ----------
    role
        Hand-picked ways compete for the best; those beside them are shown only.
    make
        Makes the way for a workload.
    fits
        What it can run: plain functions, coroutine functions, or functions that numba compiles.
    stored
        It starts with a store that an earlier process filled with the same maps.
    patience
        Seconds that a map may take in any case before it can be given up.
    """

    role: Role
    make: Callable[[Work, Workload], Way]
    fits: tuple[Literal["plain", "coroutine", "compiles"], ...] = ("plain",)
    stored: bool = False
    patience: float = 1.0

    def can_run(self, workload: Workload) -> bool:
        """Tell whether the way is one for this workload."""
        sort = "coroutine" if workload.coroutine else "plain"
        return sort in self.fits or (workload.compiles and "compiles" in self.fits)


WAYS: dict[str, Entry] = {
    "loop": Entry("hand-picked", Serial, ("plain", "coroutine")),
    "autopar": Entry("autopar", Autopar, ("plain", "coroutine"), patience=60.0),
    "autopar stored": Entry("autopar", Autopar, ("plain", "coroutine"), stored=True, patience=60.0),
    "threads 2": Entry("hand-picked", lambda work, workload: Threads(work, workload, 2)),
    "threads 8": Entry("hand-picked", lambda work, workload: Threads(work, workload, 8)),
    "threads 64": Entry("hand-picked", lambda work, workload: Threads(work, workload, 64)),
    "processes by 1": Entry("hand-picked", lambda work, workload: Processes(work, workload, 1)),
    "processes by 8": Entry("hand-picked", lambda work, workload: Processes(work, workload, 8)),
    "processes by 32": Entry("hand-picked", lambda work, workload: Processes(work, workload, 32)),
    "gather": Entry("hand-picked", lambda work, workload: Gather(work, workload, None), ("coroutine",)),
    "gather by 8": Entry("hand-picked", lambda work, workload: Gather(work, workload, 8), ("coroutine",)),
    "gather by 64": Entry("hand-picked", lambda work, workload: Gather(work, workload, 64), ("coroutine",)),
    "numba": Entry("hand-picked", lambda work, workload: Compiled(work, workload, 1), ("compiles",), patience=30.0),
    "numba threads": Entry(
        "hand-picked", lambda work, workload: Compiled(work, workload, cores()), ("compiles",), patience=30.0
    ),
    "joblib": Entry("beside", Joblib, patience=15.0),
    "mpire": Entry("beside", Mpire, patience=15.0),
}
