"""`autopar.Executor`: calls, hints, where they run, and how it ends. CPython's own suite is in tests/conformance."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import math
import os
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from concurrent.futures.thread import BrokenThreadPool
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import pytest

import autopar as ap
from autopar._backends.processes import ProcessRunner
from autopar._engine.functions import state_of
from autopar._model.observation import Profile, Sample
from autopar._observe import host
from autopar.errors import HintTypeError, ItemTimeoutError, WorkerDiedError
from tests.executor import functions
from tests.scripts import run_python


@pytest.fixture(autouse=True)
def log_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools that configure logging in this process may have silenced the standard library's logger."""
    monkeypatch.setattr(logging.getLogger("concurrent.futures"), "disabled", False)


@pytest.fixture(scope="module")
def processes() -> Iterator[ap.Executor]:
    """An executor of one worker process."""
    with ap.Executor(1, backend="processes") as executor:
        executor.submit(functions.square, 2).result()
        yield executor


class TestPlans:
    """Where calls run."""

    def test_a_call_that_nothing_is_known_of_runs_on_a_thread(self) -> None:
        """The first call of a function sees and changes the caller's objects."""
        seen: list[int] = []
        with ap.Executor(1) as executor:
            executor.submit(seen.append, 7).result()
        assert seen == [7]
        assert ap.decisions()[-1].operation == "submit"

    @pytest.mark.slow
    @pytest.mark.parametrize(("seconds", "away"), [(1.0, True), (1e-3, False)])
    def test_calls_that_compute_for_long_go_to_processes(
        self, seconds: float, away: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On two cores, a pure function that is known to hold the GIL for seconds; one of a millisecond stays here."""
        known = Profile()
        known.add(Sample(1_000_000, 1_000_000 * seconds, 1_000_000 * seconds, 1_000_000 * seconds))
        monkeypatch.setattr(state_of(functions.work), "calls", known)
        seen = replace(host.observe_host(), cores=2, gil=True)
        monkeypatch.setattr(host, "_latest", (math.inf, os.getpid(), seen))
        with ap.Executor(2) as executor:
            results = [executor.submit(functions.work, number) for number in range(4)]
            assert [each.result() for each in results] == [functions.work(number) for number in range(4)]
        decisions = [each for each in ap.decisions() if each.function.endswith("functions.work")][-4:]
        assert [(each.plan.backend == "processes", each.fallbacks) for each in decisions] == [(away, ())] * 4

    def test_a_demanded_backend_is_met(self, processes: ap.Executor) -> None:
        """With backend="processes" calls run in another process."""
        assert processes.submit(functions.process_id).result() != os.getpid()

    def test_serial_calls_run_one_after_the_other_and_submit_does_not_wait(self) -> None:
        """With backend="serial" the second call begins when the first has ended, and neither blocks submit."""
        gate, order = threading.Event(), list[str]()

        def first() -> None:
            gate.wait()
            order.append("first")

        with ap.Executor(4, backend="serial") as executor:
            executor.submit(first)
            executor.submit(order.append, "second")
            assert order == []
            gate.set()
        assert order == ["first", "second"]

    def test_coroutine_functions_are_awaited(self) -> None:
        """Futures of coroutine functions have the result, not the coroutine."""
        with ap.Executor(2) as executor:
            results: list[Any] = [
                executor.submit(functions.double, 4).result(),
                *executor.map(functions.double, [1, 2]),
            ]
        assert results == [8, 2, 4]

    def test_coroutines_overlap_up_to_the_number_of_workers(self) -> None:
        """No more coroutines are under way than max_workers says."""
        under_way, most = 0, 0

        async def visit() -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1

        with ap.Executor(3) as executor:
            wait([executor.submit(visit) for _ in range(9)])
        assert most == 3

    def test_hints_of_a_decorated_function_count_under_those_of_the_executor(self) -> None:
        """What the executor does not say, the decorator may."""

        @ap.parallel(on_error="return", retries=1)
        def fragile(box: list[int]) -> None:
            box.append(1)
            raise ValueError("again")

        box: list[int] = []
        with ap.Executor(1) as executor:
            assert isinstance(executor.submit(fragile, box).result(), ValueError)
        assert len(box) == 2

    def test_calls_have_random_streams_of_their_own(self) -> None:
        """With seed= the nth call draws the same numbers, whatever the workers."""
        import random

        with ap.Executor(1, seed=7) as one, ap.Executor(4, seed=7) as four:
            streams = [[each.submit(random.random) for _ in range(4)] for each in (one, four)]
        first, second = ([future.result() for future in futures] for futures in streams)
        assert first == second
        assert len(set(first)) == 4

    def test_a_call_sees_the_callers_context(self) -> None:
        """Context variables are those of the line that submits."""
        variable = contextvars.ContextVar("variable", default="unset")
        variable.set("set")
        with ap.Executor(1) as executor:
            assert executor.submit(variable.get).result() == "set"


class TestBadInput:
    """What is refused, and how."""

    @pytest.mark.parametrize(
        ("arguments", "error", "text"),
        [
            ({"max_workers": 0}, ValueError, "max_workers must be greater than 0"),
            ({"max_workers": "2"}, TypeError, "not str"),
            ({"initializer": 3}, TypeError, "initializer must be a callable"),
            ({"max_tasks_per_child": 0}, ValueError, "max_tasks_per_child must be >= 1"),
            ({"max_tasks_per_child": 1.5}, TypeError, "not float"),
            ({"speed": 9}, HintTypeError, "unknown hint 'speed'"),
        ],
    )
    def test_wrong_arguments_are_named(self, arguments: dict[str, Any], error: type[Exception], text: str) -> None:
        """A wrong argument is refused at once, by name."""
        with pytest.raises(error, match=text):
            ap.Executor(**arguments)

    def test_a_forked_worker_cannot_be_replaced(self) -> None:
        """max_tasks_per_child and the start method fork exclude each other, as in the standard library."""
        with pytest.raises(ValueError, match="incompatible with the 'fork' start method"):
            ap.Executor(1, get_context("fork"), max_tasks_per_child=1)

    @pytest.mark.parametrize("arguments", [{"chunksize": 0}, {"buffersize": 0}, {"chunksize": -1}])
    def test_sizes_are_at_least_one(self, arguments: dict[str, int]) -> None:
        """A chunksize or buffersize below 1 is refused before anything runs."""
        with ap.Executor(1) as executor, pytest.raises(ValueError, match="1"):
            executor.map(abs, [1], **arguments)

    def test_only_callables_are_submitted(self) -> None:
        """What cannot be called is refused where it is submitted."""
        with ap.Executor(1) as executor, pytest.raises(TypeError, match="int is not callable"):
            executor.submit(3)  # type: ignore[arg-type]

    def test_nothing_is_taken_after_the_end(self) -> None:
        """After shutdown submit and map raise RuntimeError, of coroutine functions too."""
        executor = ap.Executor(1)
        executor.shutdown()
        calls: list[Any] = [executor.submit, executor.map]
        for call in calls:
            for function in (functions.square, functions.double):
                with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
                    call(function, [1])


class TestWhatGoesWrong:
    """Errors around calls."""

    def test_a_worker_that_dies_costs_its_own_call_only(self, processes: ap.Executor) -> None:
        """The error is the standard library's and autopar's, and the executor goes on."""
        calls = [processes.submit(functions.die, number) for number in range(6)]
        for number, call in enumerate(calls):
            if number == 3:
                error = call.exception()
                assert isinstance(error, BrokenProcessPool)
                assert isinstance(error, WorkerDiedError)
                assert error.exitcode == -9
            else:
                assert call.result() == number

    def test_an_argument_that_does_not_pickle_raises_what_pickling_raised(self, processes: ap.Executor) -> None:
        """Where processes are demanded the error is that of the standard library, with a note."""
        error = processes.submit(functions.square, threading.Lock()).exception()  # type: ignore[arg-type]
        assert isinstance(error, TypeError)
        assert "cannot be pickled for a worker process" in "".join(error.__notes__)

    def test_a_result_that_does_not_pickle_raises_what_pickling_raised(self, processes: ap.Executor) -> None:
        """A result that cannot come back from a demanded process is an error of its call."""
        error = processes.submit(functions.make_lock).exception()
        assert isinstance(error, TypeError)
        assert "its result cannot be pickled" in "".join(error.__notes__)

    @pytest.mark.parametrize("backend", ["threads", "processes"])
    def test_a_call_that_takes_too_long_is_given_up(self, backend: str) -> None:
        """With timeout= the future raises ItemTimeoutError and the next call runs."""
        with ap.Executor(1, backend=backend, timeout=0.2) as executor:
            late = executor.submit(threading.Event().wait if backend == "threads" else functions.sleep_long, 5)
            with pytest.raises(ItemTimeoutError):
                late.result()
            assert executor.submit(functions.square, 3).result() == 9

    def test_an_initializer_that_fails_on_a_thread_breaks_the_executor(self, caplog: pytest.LogCaptureFixture) -> None:
        """Calls raise BrokenThreadPool, as in the standard library, and so does submit."""
        executor = ap.Executor(1, initializer=functions.fail_to_start)
        with pytest.raises(BrokenThreadPool):
            executor.submit(functions.square, 1).result()
        with pytest.raises(BrokenExecutor):
            executor.submit(functions.square, 1)
        executor.shutdown()
        assert "Exception in initializer" in caplog.text

    @pytest.mark.slow
    def test_an_initializer_that_fails_in_a_process_breaks_the_executor(self, caplog: pytest.LogCaptureFixture) -> None:
        """Calls raise BrokenProcessPool with the initializer's error as cause, and so does submit."""
        with ap.Executor(1, get_context("spawn"), functions.fail_to_start) as executor:
            error = executor.submit(functions.square, 1).exception()
            assert isinstance(error, BrokenProcessPool)
            assert isinstance(error.__cause__, LookupError)
            with pytest.raises(BrokenProcessPool):
                executor.submit(functions.square, 1)
        assert "Exception in initializer" in caplog.text


class TestWorkers:
    """Initializers, and processes that come and go."""

    @pytest.mark.slow
    def test_what_an_initializer_sets_holds_in_each_worker(self) -> None:
        """Globals that the initializer has set in a process are what calls read there, and not the caller's."""
        with ap.Executor(2, initializer=functions.set_status, initargs=("ready",), backend="processes") as executor:
            assert {executor.submit(functions.status).result() for _ in range(4)} == {"ready"}
        assert functions.STATUS == "as imported"

    @pytest.mark.slow
    def test_a_script_sets_up_its_workers_by_its_own_globals(self) -> None:
        """The initializer of a script and the function that reads what it has set share the script's globals."""
        script = """
            import autopar as ap
            box = None
            class Box:
                pass
            def fill():
                global box
                box = Box()
            def look(_):
                return type(box).__name__, box
            if __name__ == "__main__":
                with ap.Executor(1, initializer=fill, backend="processes") as executor:
                    name, found = executor.submit(look, 0).result()
                print(name, type(found) is Box)
        """
        import tempfile
        import textwrap
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "program.py")
            program.write_text(textwrap.dedent(script))
            assert run_python(str(program)) == "Box True\n"

    @pytest.mark.slow
    def test_a_process_makes_way_after_so_many_calls(self) -> None:
        """With max_tasks_per_child=2 three calls take two processes."""
        with ap.Executor(1, max_tasks_per_child=2, backend="processes") as executor:
            first, second, third = (executor.submit(functions.process_id).result() for _ in range(3))
        assert first == second != third

    def test_processes_end_with_their_executor(self) -> None:
        """After shutdown no worker process is left."""
        with ap.Executor(2, backend="processes") as executor:
            list(executor.map(functions.square, range(20)))
            started = list(executor._processes.values())
        assert started
        assert not any(process.is_alive() for process in started)

    @pytest.mark.parametrize("end", ["terminate_workers", "kill_workers"])
    def test_no_worker_takes_the_place_of_one_that_was_ended(self, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A call that was about to be sent when the workers were ended fails too."""
        executor = ap.Executor(1, backend="processes")
        executor.submit(functions.square, 1).result()
        send, ended = ProcessRunner._send, list[Any]()

        def send_late(runner: ProcessRunner, parcel: Any) -> bool:
            if not ended:
                ended.append(runner.process)
                getattr(executor, end)()
                runner.process.join(10)
            return send(runner, parcel)

        monkeypatch.setattr(ProcessRunner, "_send", send_late)
        with pytest.raises(BrokenProcessPool):
            executor.submit(functions.sleep_long).result(20)
        executor.shutdown()

    @pytest.mark.parametrize("end", ["terminate_workers", "kill_workers"])
    def test_workers_can_be_ended_in_the_middle(self, end: str) -> None:
        """The running call fails with BrokenProcessPool, the waiting one is cancelled, and nothing more is taken."""
        executor = ap.Executor(1, backend="processes")
        executor.submit(functions.square, 1).result()
        running = executor.submit(functions.sleep_long)
        waiting = executor.submit(functions.sleep_long)
        while not running.running():
            pass
        getattr(executor, end)()
        with pytest.raises(BrokenProcessPool):
            running.result()
        with pytest.raises(CancelledError):
            waiting.result()
        with pytest.raises(RuntimeError):
            executor.submit(functions.square, 1)
        executor.shutdown()

    def test_an_executor_that_nobody_holds_ends_its_work(self) -> None:
        """Calls of an executor that was dropped still run, and its threads end then."""
        executor = ap.Executor(2)
        futures: list[Future[int]] = [executor.submit(functions.square, number) for number in range(8)]
        threads = list(executor._workers.threads._threads)
        gone = weakref.ref(executor)
        del executor
        gc.collect()
        assert gone() is None
        assert [future.result() for future in futures] == [number * number for number in range(8)]
        for thread in threads:
            thread.join()
