"""Where hints come from, and which of them wins: call, options, decorator, config, environment, default."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from tests.api.functions import plain_square, where

PLACES = ["call", "options", "decorator", "inner config", "outer config", "environment"]
"""Highest precedence first."""


@pytest.mark.parametrize("highest", range(len(PLACES)), ids=lambda n: PLACES[n])
def test_the_nearest_place_wins(highest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint in a nearer place overrides all that are further away."""

    def hints(place: str) -> dict[str, Any]:
        number = PLACES.index(place)
        return {"chunksize": 2 + number} if number >= highest else {}

    monkeypatch.setenv("AUTOPAR_CHUNKSIZE", str(hints("environment")["chunksize"]))
    function = parallel(plain_square, backend="threads", **hints("decorator")).options(**hints("options"))
    with ap.config(**hints("outer config")), ap.config(**hints("inner config")):
        function.map(range(50), **hints("call"))
    assert function.decisions[-1].plan.chunksize == 2 + highest


def test_hints_of_different_places_add_up() -> None:
    """A place that says nothing of a hint leaves it to the others."""
    with ap.config(backend="threads", workers=2):
        function = parallel(plain_square, workers=1)
        function.map(range(5), chunksize=2)
    plan = function.decisions[-1].plan
    assert (plan.backend, plan.workers, plan.chunksize) == ("threads", 1, 2)


def test_none_takes_a_hint_back() -> None:
    """None says "not set" and so overrides what is further away."""
    with ap.config(backend="serial"):
        function = parallel(plain_square, backend=None)
        function.map(range(5))
        assert "backend" not in function.decisions[-1].why


def test_options_leave_the_original_alone() -> None:
    """`options` returns another object; the hints it does not name stay."""
    original = parallel(plain_square, backend="serial", chunksize=3)
    other = original.options(backend="threads")
    other.map(range(4))
    assert (other.decisions[-1].plan.backend, other.decisions[-1].plan.chunksize) == ("threads", 3)
    original.map(range(4))
    assert original.decisions[-1].plan.backend == "serial"
    assert other.__wrapped__ is original.__wrapped__
    assert other.__name__ == "plain_square"


def test_options_of_a_coroutine_function_stay_asynchronous() -> None:
    """`options` of an `async def` still map to results."""

    async def later(x: int) -> int:
        return x + 1

    assert parallel(later).options(workers=2).map([1, 2]) == [2, 3]


def test_config_ends_with_its_block() -> None:
    """After the block, also one left by an exception, the hints are those from before."""
    function = parallel(plain_square)
    with pytest.raises(KeyError), ap.config(backend="threads"):
        raise KeyError
    function.map([1])
    assert function.decisions[-1].plan.backend == "serial"


def test_config_can_be_used_again() -> None:
    """One config object may be entered several times, nested too."""
    function = parallel(plain_square)
    block = ap.config(backend="threads")
    for _ in range(2):
        with block, block:
            function.map([1, 2])
        assert function.decisions[-1].plan.backend == "threads"


def test_config_concerns_ap_map() -> None:
    """Undecorated functions follow config too."""
    with ap.config(backend="threads"):
        assert ap.map(plain_square, [1, 2]) == [1, 4]
        (identity, *_) = ap.map(lambda x: threading.get_ident(), [1, 2])
    assert identity != threading.get_ident()


@pytest.mark.usefixtures("not_eager")  # Outside of it the plain loop is the one that saves most.
def test_config_holds_in_its_own_thread_only() -> None:
    """Another thread does not see a block of this one."""
    function = parallel(plain_square)
    seen = []

    def elsewhere() -> None:
        function.map([1, 2])
        seen.append(function.decisions[-1].plan.backend)

    with ap.config(backend="threads"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(10)
    assert seen == ["serial"]


@pytest.mark.usefixtures("not_eager")
def test_config_holds_in_its_own_task_only() -> None:
    """Another task does not see a block of this one."""
    function = parallel(plain_square)

    async def inside(entered: asyncio.Event, checked: asyncio.Event) -> None:
        with ap.config(backend="threads"):
            entered.set()
            await checked.wait()

    async def main() -> str:
        entered, checked = asyncio.Event(), asyncio.Event()
        task = asyncio.ensure_future(inside(entered, checked))
        await entered.wait()
        function.map([1, 2])
        checked.set()
        await task
        return function.decisions[-1].plan.backend

    assert asyncio.run(main()) == "serial"


def test_a_decorator_on_a_method_gives_its_hints_to_bound_methods() -> None:
    """Hints of a decorated method hold for every object."""

    class Thing:
        @parallel(backend="threads")
        def own(self, x: int) -> int:
            return threading.get_ident()

    assert threading.get_ident() not in Thing().own.map([1, 2])


@pytest.mark.usefixtures("not_eager")  # Without the variable the plain loop is the one that saves most.
@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("AUTOPAR_BACKEND", "threads", "backend", "threads"),
        ("AUTOPAR_COMPILER", "python", "compiler", "python"),
        ("AUTOPAR_CHUNKSIZE", "3", "chunksize", 3),
    ],
)
def test_the_environment_is_read_at_each_map(
    variable: str, text: str, attribute: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment variable counts from when it is set until it is gone; an empty one counts as not set."""
    function = parallel(plain_square)
    hints: dict[str, Any] = {} if variable == "AUTOPAR_BACKEND" else {"backend": "threads"}
    monkeypatch.setenv(variable, text)
    function.map(range(9), **hints)
    assert getattr(function.decisions[-1].plan, attribute) == value
    monkeypatch.setenv(variable, "")
    function.map(range(9))
    assert function.decisions[-1].plan.backend == "serial"


def test_retries_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers in the environment are numbers."""
    monkeypatch.setenv("AUTOPAR_RETRIES", "2")
    attempts: list[int] = []

    @parallel
    def flaky(x: int) -> int:
        attempts.append(x)
        if len(attempts) < 3:
            raise ValueError
        return x

    assert flaky.map([5]) == [5]
    assert attempts == [5, 5, 5]


def test_worker_processes_have_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demand in the environment does not reach into workers a second time."""
    monkeypatch.setenv("AUTOPAR_BACKEND", "processes")
    assert len({pid for pid, _ in where.map(range(4))}) >= 1


def test_progress_calls_back() -> None:
    """progress= gets (done, total), never backwards, and the last call says that all is done."""
    told: list[tuple[int, int | None]] = []
    parallel(plain_square, progress=lambda done, total: told.append((done, total))).map(range(100))
    assert told[-1] == (100, 100)
    assert told == sorted(told)
    told.clear()
    list(parallel(plain_square).imap(iter(range(10)), progress=lambda done, total: told.append((done, total))))
    assert told[-1:] == [(10, None)]


def test_progress_is_quiet_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    """progress=True writes to a terminal only."""
    parallel(plain_square, progress=True).map(range(10))
    assert capsys.readouterr() == ("", "")


def test_an_error_of_the_progress_callback_is_the_callers(tmp_path: Path) -> None:
    """What the callback raises ends the map."""

    def callback(done: int, total: int | None) -> None:
        raise LookupError("callback")

    with pytest.raises(LookupError, match="callback"):
        parallel(plain_square, progress=callback).map(range(10))


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_bound_what_runs_at_the_same_time(workers: int) -> None:
    """workers= is the most items under way."""
    lock, under_way, most = threading.Lock(), 0, 0

    @parallel(thread_safe=True, pure=True, backend="threads", workers=workers)
    def item(x: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        plain_square(x)
        with lock:
            under_way -= 1

    item.map(range(100), chunksize=1)
    assert most <= workers
