"""An executor on a cluster, and on the workers that all maps share."""

from __future__ import annotations

import threading
from concurrent.futures import BrokenExecutor, Future
from typing import Any

import pytest

import autopar as ap
from autopar.errors import ItemTimeoutError, TransportError, UnsafeDemandError
from tests.cluster.command_line import CommandLineCluster
from tests.executor import functions
from tests.routes import own_log

__all__ = ["own_log"]


@pytest.fixture(scope="module")
def hints(cluster: CommandLineCluster) -> dict[str, Any]:
    """What sends calls to the cluster of the test session."""
    return {"backend": "dask", "cluster": cluster.address}


@pytest.mark.slow
@pytest.mark.timeout(120)
class TestOnACluster:
    """backend="dask" takes every call of an executor to a cluster."""

    def test_calls_and_maps_run_there(self, hints: dict[str, Any]) -> None:
        """Results are those of the calls, in order, from other processes; the decision names cluster and number."""
        with ap.Executor(**hints) as executor:
            futures = [executor.submit(functions.square, number) for number in range(20)]
            assert [future.result() for future in futures] == [number**2 for number in range(20)]
            assert ap.decisions()[-1].plan.backend == "dask"
            assert list(executor.map(functions.invert, range(1, 41))) == [1 / number for number in range(1, 41)]
            assert ap.decisions()[-1].items == 40
            assert set(executor.map(functions.process_id, range(4))).isdisjoint({functions.process_id()})

    def test_an_error_of_a_call_is_its_future_s(self, hints: dict[str, Any]) -> None:
        """Of a map the results before the error come first."""
        with ap.Executor(**hints) as executor:
            assert isinstance(executor.submit(functions.invert, 0).exception(), ZeroDivisionError)
            results = executor.map(functions.invert, [2, 1, 0, 4], chunksize=4)
            assert [next(results), next(results)] == [0.5, 1.0]
            with pytest.raises(ZeroDivisionError):
                next(results)

    def test_what_would_be_lost_there_is_refused(self, hints: dict[str, Any]) -> None:
        """A call that changes the caller's objects raises, as on any demanded backend."""
        seen: list[int] = []
        with ap.Executor(**hints) as executor, pytest.raises(UnsafeDemandError, match="dask"):
            executor.submit(lambda: seen.append(1)).result()
        assert seen == []

    def test_what_does_not_travel_fails_alone(self, hints: dict[str, Any]) -> None:
        """Argument and result: each costs its own call."""
        with ap.Executor(**hints) as executor:
            lock = executor.submit(functions.square, threading.Lock())  # type: ignore[arg-type]
            made = executor.submit(functions.make_lock)
            fine = executor.submit(functions.square, 3)
            assert isinstance(lock.exception(), (TypeError, TransportError))
            assert isinstance(made.exception(), (TypeError, TransportError))
            assert fine.result() == 9

    def test_only_the_call_that_kills_its_process_fails(self, hints: dict[str, Any]) -> None:
        """The others of its chunk run again, and the executor goes on."""
        with ap.Executor(pure=True, on_error="return", **hints) as executor:
            results = list(executor.map(functions.die, range(5), chunksize=5))
            assert [results[place] for place in (0, 1, 2, 4)] == [0, 1, 2, 4]
            assert isinstance(results[3], BrokenExecutor)
            assert executor.submit(functions.square, 4).result() == 16

    def test_a_call_that_takes_too_long_is_ended(self, hints: dict[str, Any]) -> None:
        """Its process is killed, and its core is free for the next call."""
        with ap.Executor(timeout=1, pure=True, **hints) as executor:
            assert isinstance(executor.submit(functions.sleep_long).exception(), ItemTimeoutError)

    def test_shutting_down_cancels_what_waits(self, hints: dict[str, Any]) -> None:
        """With cancel_futures=True calls that have not begun never run."""
        executor = ap.Executor(1, timeout=1, pure=True, **hints)
        busy = executor.submit(functions.sleep_long)
        waiting: list[Future[int]] = [executor.submit(functions.square, number) for number in range(8)]
        executor.shutdown(cancel_futures=True)
        assert all(future.cancelled() for future in waiting)
        assert busy.done()


@pytest.mark.slow
def test_a_result_that_cannot_come_back_is_an_error() -> None:
    """On the workers that all maps share, too, it is never handed out as if it were a result."""
    with ap.Executor(2, backend="joblib", pure=True) as executor:
        assert executor.submit(functions.square, 5).result() == 25
        assert isinstance(executor.submit(functions.make_lock).exception(), (TypeError, TransportError))
