"""`register_joblib()`: autopar underneath joblib. joblib's own suite is in tests/conformance."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config

import autopar as ap
from autopar.joblib_backend import AutoparBackend
from tests.joblib_backend import functions


@pytest.fixture(autouse=True)
def on_autopar() -> Iterator[None]:
    """Run every test's calls on two of autopar's workers."""
    ap.register_joblib()
    with parallel_config(backend="autopar", n_jobs=2):
        yield


def run(function: Any, items: Any, **keywords: Any) -> Any:
    """Map with joblib."""
    return Parallel(**keywords)(delayed(function)(item) for item in items)


class TestWhereCallsRun:
    """joblib's hints, and what is planned without them."""

    def test_processes_are_the_rule(self) -> None:
        """Without a hint calls run in worker processes, as with joblib's default."""
        assert os.getpid() not in {process for process, _ in run(functions.where, range(4))}
        assert ap.decisions()[-1].operation == "joblib"
        assert ap.decisions()[-1].plan.backend == "processes"

    @pytest.mark.parametrize("hint", [{"require": "sharedmem"}, {"prefer": "threads"}])
    def test_hints_for_threads_are_met_by_our_own(self, hint: dict[str, str]) -> None:
        """Shared memory and a preference for threads are met by autopar, not by another backend."""
        seen = run(functions.where, range(4), **hint)
        assert {process for process, _ in seen} == {os.getpid()}
        assert all(name.startswith("autopar-joblib") for _, name in seen)
        assert next(iter(hint)) in ap.decisions()[-1].why

    def test_what_changes_shared_objects_stays_where_it_is_told(self) -> None:
        """With require="sharedmem" calls change the caller's objects."""
        seen: list[int] = []
        run(seen.append, range(10), require="sharedmem")
        assert sorted(seen) == list(range(10))

    def test_a_function_that_is_known_to_wait_goes_to_threads(self) -> None:
        """Once calls are known to wait, and to change nothing, they need no process; imports count as neither."""
        for _ in range(2):
            run(time.sleep, [0.05] * 4)
        assert ap.decisions()[-1].plan.backend == "threads"

    def test_one_job_is_the_loop(self) -> None:
        """With n_jobs=1 calls run in the caller's thread."""
        assert run(functions.where, range(2), n_jobs=1) == [(os.getpid(), threading.current_thread().name)] * 2


class TestResults:
    """Order, errors, generators, time limits."""

    @pytest.mark.parametrize("batch_size", ["auto", 1, 7])
    def test_results_come_in_order(self, batch_size: Any) -> None:
        """Whatever the batches, the list is the loop's."""
        assert run(functions.double, range(100), batch_size=batch_size) == [2 * number for number in range(100)]

    def test_generators_hand_out_results_as_they_come(self) -> None:
        """return_as="generator" keeps the order, "generator_unordered" need not."""
        assert list(run(functions.double, range(20), return_as="generator")) == [2 * number for number in range(20)]
        assert sorted(run(functions.double, range(20), return_as="generator_unordered")) == list(range(0, 40, 2))

    @pytest.mark.parametrize("hint", [{}, {"require": "sharedmem"}])
    def test_an_error_of_a_call_arrives_as_itself(self, hint: dict[str, str]) -> None:
        """The exception of a call is raised, and the backend can be used again."""
        with pytest.raises(LookupError, match="three"):
            run(functions.fail_at_three, range(6), **hint)
        assert run(functions.double, [1], **hint) == [2]

    def test_a_time_limit_ends_the_call(self) -> None:
        """A call past the timeout raises TimeoutError, and its worker is gone."""
        with pytest.raises(multiprocessing.TimeoutError):
            run(functions.sleep_long, range(2), timeout=0.3)
        assert run(functions.double, [1, 2]) == [2, 4]

    def test_a_worker_that_dies_is_an_error_and_not_a_hang(self) -> None:
        """Whoever ends its process gets an error of the standard library's kind; the next call works."""
        with pytest.raises(BrokenExecutor, match="exit code 7"):
            run(functions.leave, range(2))
        assert run(functions.double, [1, 2]) == [2, 4]

    def test_workers_have_the_callers_warnings_filters(self) -> None:
        """What the caller ignores is ignored in workers, and what it turns into errors is raised there."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UserWarning, match="careful"):
                run(functions.warn_once, range(2))


class TestArrays:
    """Large arrays."""

    def test_large_arrays_are_mapped_and_small_ones_are_sent(self) -> None:
        """An array above max_nbytes is a read-only memory map in the worker, a smaller one an array of its own."""
        large, small = np.ones(1 << 18), np.ones(10)
        assert run(functions.kind_of, [large, small]) == [("memmap", False, 1 << 18), ("ndarray", True, 10.0)]

    def test_mapping_can_be_left_out(self) -> None:
        """With max_nbytes=None every array is sent."""
        assert run(functions.kind_of, [np.ones(1 << 18)] * 2, max_nbytes=None)[0][0] == "ndarray"

    def test_the_results_of_mapped_arrays_are_arrays_of_their_own(self) -> None:
        """A worker that returns its mapped argument sends back an array that needs no file."""
        back = run(functions.same, [np.arange(1 << 18)] * 2)
        assert type(back[0]) is np.ndarray
        assert (back[1] == np.arange(1 << 18)).all()

    def test_no_file_is_left(self, tmp_path: Path) -> None:
        """After the call, and after one that failed, the folder of the arrays is empty."""
        run(functions.kind_of, [np.ones(1 << 18)] * 2, temp_folder=str(tmp_path))
        with pytest.raises(LookupError):
            run(functions.fail_at_numbers, [3, np.ones(1 << 18)], temp_folder=str(tmp_path), batch_size=1)
        assert list(tmp_path.iterdir()) == []


class TestNesting:
    """Calls inside calls."""

    def test_nested_calls_run_on_threads_of_the_worker(self) -> None:
        """A call inside a worker uses threads of that worker."""
        for results in run(functions.nested, [4, 4]):
            assert [number for number, _ in results] == [0, 1, 2, 3]
            assert len({process for _, process in results}) == 1
            assert os.getpid() not in {process for _, process in results}

    def test_workers_know_the_backend_by_its_name(self) -> None:
        """backend="autopar" inside a worker is found there."""
        assert run(functions.nested_by_name, [2, 3]) == [[0, 2], [0, 2, 4]]

    def test_maps_of_autopar_inside_a_worker_know_their_share(self) -> None:
        """A worker's share of the cores holds for autopar's own maps in it."""
        assert run(functions.map_inside, [3, 2]) == [[0, 2, 4], [0, 2]]
        assert set(run(functions.share, range(2))) == {max(1, joblib.cpu_count() // 2)}

    def test_a_backend_travels_as_its_level(self) -> None:
        """What a nested call is given can be pickled in the middle of a call."""
        nested, jobs = AutoparBackend(nesting_level=0).get_nested_backend()
        assert jobs is None
        again = pickle.loads(pickle.dumps(nested))
        assert type(again) is AutoparBackend
        assert again.nesting_level == 1
        deepest, _ = again.get_nested_backend()
        assert type(deepest).__name__ == "SequentialBackend"


@pytest.mark.parametrize(("jobs", "workers"), [(None, 1), (1, 1), (3, 3), (-1, joblib.cpu_count())])
def test_numbers_of_jobs_are_joblibs(jobs: int | None, workers: int) -> None:
    """What n_jobs means is what it means to joblib's other backends."""
    assert AutoparBackend(nesting_level=0).effective_n_jobs(jobs) == workers


def test_no_jobs_have_no_meaning() -> None:
    """n_jobs=0 is refused."""
    with pytest.raises(ValueError, match="n_jobs == 0"):
        AutoparBackend(nesting_level=0).effective_n_jobs(0)
