"""autopar underneath joblib, and so underneath scikit-learn and all others that parallelise with it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib import cpu_count, register_parallel_backend
from joblib._parallel_backends import (
    AutoBatchingMixin,
    FallbackToBackend,
    ParallelBackendBase,
    SequentialBackend,
)

from autopar._backends.batches import MappedArrays
from autopar._engine.joblib_calls import JoblibCalls
from autopar._engine.machine import cores_here
from autopar._observe.host import current_host

NAME = "autopar"

# joblib's own defaults for large arrays, for who configures the backend by hand.
MAX_NBYTES = 1 << 20
MMAP_MODE = "r"


class AutoparBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """A backend of joblib that runs batches on autopar's threads and worker processes.

    ``require="sharedmem"`` and ``prefer="threads"`` are met by threads, ``prefer="processes"`` by processes; without
    either, functions that are known to change nothing, and to wait or to compute without the GIL, go to threads, and
    all others to processes, which is what joblib's default does. Inside a worker nested calls run on the worker's
    share of the cores, on threads, and those inside them one after the other.
    """

    supports_retrieve_callback = True
    supports_sharedmem = True
    supports_inner_max_num_threads = True
    default_n_jobs = 1

    _calls: JoblibCalls | None = None
    parallel: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.nesting_level, self.inner_max_num_threads)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Workers for this number of jobs: -1 stands for all cores, in a nested call for its share of them.

        Raises
        ------
        ValueError
            It is 0.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        if n_jobs < 0:
            cores: int = cpu_count()
            if self.nesting_level:
                cores = min(cores, cores_here(current_host()))
            return max(cores + 1 + n_jobs, 1)
        return n_jobs

    def configure(
        self,
        n_jobs: int = 1,
        parallel: Any = None,
        prefer: str | None = None,
        require: str | None = None,
        temp_folder: str | None = None,
        max_nbytes: int | None = MAX_NBYTES,
        mmap_mode: str | None = MMAP_MODE,
        **_: Any,
    ) -> int:
        """Get ready for the calls of one ``Parallel``; the number of workers."""
        n_jobs = self.effective_n_jobs(n_jobs)
        if n_jobs == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        self.parallel = parallel
        context_id = parallel._id if parallel is not None else f"{id(self):x}"
        arrays = functools.partial(MappedArrays, context_id, temp_folder, max_nbytes, mmap_mode)
        inner = self.inner_max_num_threads or max(1, cpu_count() // n_jobs)
        self._calls = JoblibCalls(n_jobs, inner, arrays, *self._where(prefer, require))
        return n_jobs

    def _where(self, prefer: str | None, require: str | None) -> tuple[bool | None, str]:
        """Whether on threads, if that is said, and what says so."""
        if require == "sharedmem" or prefer == "threads":
            return True, f"joblib's caller said {'require' if require else 'prefer'}={require or prefer!r}"
        if self.nesting_level:
            return True, "it is nested in another call of joblib's"
        if prefer == "processes":
            return False, "joblib's caller said prefer='processes'"
        return None, ""

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], object] | None = None) -> Future[Any]:
        """Have a batch run."""
        assert self._calls is not None, "configure() comes first"  # noqa: S101
        future = self._calls.submit(func)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """The results of a batch; raises what it raised."""
        return out.result()

    def stop_call(self) -> None:
        """A call of ``Parallel`` has ended."""
        if self._calls is not None:
            self._calls.record()

    def terminate(self) -> None:
        """No more calls: delete the files of large arrays. Worker processes stay for the next ``Parallel``."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        self.reset_batch_stats()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Give up what runs; be ready for more if that is asked for."""
        if self._calls is not None:
            self._calls.abort()
            error = sys.exc_info()[1]
            self._calls.record(None if isinstance(error, GeneratorExit) else error)
            self._calls.close()
            self._calls = None
        if ensure_ready:
            self.configure(self.parallel.n_jobs, self.parallel, **self.parallel._backend_kwargs)

    def get_nested_backend(self) -> tuple[ParallelBackendBase, None]:
        """What calls inside a batch use."""
        level = (self.nesting_level or 0) + 1
        kind = AutoparBackend if level == 1 else SequentialBackend
        return kind(nesting_level=level), None


def _restored(nesting_level: int | None, inner_max_num_threads: int | None) -> AutoparBackend:
    return AutoparBackend(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)


def register_joblib(*, make_default: bool = False) -> None:
    """Make ``"autopar"`` a backend of joblib.

    Parameters
    ----------
    make_default
        Use it wherever no backend is named; default False.

    Notes
    -----
    joblib comes from ``pip install autopar``. Results are those of joblib's default backend: batches go to worker
    processes unless ``require="sharedmem"`` or ``prefer="threads"`` says otherwise, or the function is known to do as
    well on threads.

    Examples
    --------
    >>> import autopar as ap
    >>> from joblib import Parallel, delayed, parallel_config
    >>> ap.register_joblib()
    >>> with parallel_config(backend="autopar", n_jobs=2):
    ...     Parallel()(delayed(abs)(number) for number in (-1, 2))
    [1, 2]
    """
    register_parallel_backend(NAME, AutoparBackend, make_default=make_default)
