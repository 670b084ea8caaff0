"""Runs the items of a chunk: the only loop over items outside the caller's thread."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from types import TracebackType
from typing import Any

from autopar._backends.said import Keeper
from autopar._model.nesting import nested_cores
from autopar._model.work import Chunk, Emission, Failure, Job, Outcome, RunsBlocks
from autopar._native_api import call_each, thread_probe


def bind(job: Job) -> Callable[..., Any]:
    """The job's function with its keyword arguments."""
    return functools.partial(job.function, **job.kwargs) if job.kwargs else job.function


def run_chunk(chunk: Chunk, *, keep: bool = False) -> Outcome:
    """Run the items in order and measure them; an error ends the chunk unless the job collects errors.

    With ``keep`` what they print and log goes into the outcome.
    """
    job = chunk.job
    values: list[Any] = []
    error: BaseException | None = None
    emitted: list[Emission] = []
    keeper = Keeper(values).start() if keep else None
    token = nested_cores.set(job.cores)
    wall, cpu, process_cpu, waits, _ = thread_probe()
    try:
        if job.collect or job.retries or job.seed is not None:
            _run_carefully(job, chunk, values)
        else:
            _run_plainly(job, chunk, values)
    except BaseException as raised:
        error = raised
    finally:
        after = thread_probe()
        nested_cores.reset(token)
        if keeper is not None:
            emitted = keeper.stop()
    return Outcome(
        values,
        error,
        wall=(after[0] - wall) / 1e9,
        cpu=(after[1] - cpu) / 1e9,
        process_cpu=(after[2] - process_cpu) / 1e9,
        waits=after[3] - waits,
        emitted=emitted,
    )


def _run_plainly(job: Job, chunk: Chunk, values: list[Any]) -> None:
    """All items at once where the function can do that, else one by one."""
    block: RunsBlocks | None = getattr(job.function, "__autopar_block__", None)
    if block is None or not block(chunk.items, job.star, job.kwargs, values):
        call_each(bind(job), iter(chunk.items), len(chunk.items), values, job.star)


def _run_carefully(job: Job, chunk: Chunk, values: list[Any]) -> None:
    call = bind(job)
    seeded = job.seed is not None
    with random_state_kept if seeded else nullcontext():
        for index, item in enumerate(chunk.items, chunk.start):
            for left in range(job.retries, -1, -1):
                if job.seed is not None:
                    seed_streams(job.seed, index, numpy_random=job.numpy_random)
                try:
                    values.append(call(*item) if job.star else call(item))
                except Exception as error:
                    if left:
                        continue
                    if not job.collect:
                        raise
                    values.append(Failure(error))
                break


def seed_streams(seed: int, index: int, *, numpy_random: bool = False) -> None:
    """Start the global random streams of one item.

    The stream depends on the seed and the item's position alone, so it is the same in every backend; BLAKE2b of the
    two keeps streams of neighbouring items unrelated. NumPy's is started if NumPy is loaded, or else if
    ``numpy_random`` says that the item may import it and draw from it.
    """
    import hashlib
    import random

    digest = hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=32).digest()
    random.seed(digest)
    numpy = _numpy(load=numpy_random)
    if numpy is not None:
        numpy.random.seed([int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)])


def _numpy(*, load: bool = False) -> Any:
    """NumPy, if it is loaded and ready, or if it is wanted and there."""
    if load:
        try:
            importlib.import_module("numpy.random")
        except ImportError:
            return None
    loaded = sys.modules.get("numpy")
    return loaded if hasattr(loaded, "random") else None


class _RandomStateKept:
    """Gives the global random streams back as they were, once no seeded item of this process runs any more.

    Chunks on several threads, and coroutines of one map, overlap: only the first finds the caller's own state, and
    only the last may put it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._state: Any = None
        self._numpy_state: Any = None

    def __enter__(self) -> None:
        import random

        with self._lock:
            self._running += 1
            if self._running == 1:
                self._state = random.getstate()
                numpy = _numpy()
                self._numpy_state = None if numpy is None else numpy.random.get_state(legacy=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import random

        with self._lock:
            self._running -= 1
            if self._running:
                return
            random.setstate(self._state)
            numpy = _numpy()
            if self._numpy_state is not None:
                numpy.random.set_state(self._numpy_state)
            elif numpy is not None:
                numpy.random.seed()  # It was imported meanwhile: as fresh as after any import.
            self._state = self._numpy_state = None


random_state_kept = _RandomStateKept()
