"""Maps on a cluster that was started from the command line give what the loop gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

import autopar as ap
from autopar._backends.dask import prices
from autopar._backends.dask.connections import Connection
from autopar.errors import HintValueError, ItemTimeoutError, TransportError, UnavailableError, WorkerDiedError
from tests.cluster.command_line import CommandLineCluster
from tests.cluster.functions import (
    compiled_there,
    dies,
    draws,
    fails,
    leaves_a_mark,
    says,
    spends,
    sums_up,
    tripled,
    where,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def on(cluster: CommandLineCluster) -> Any:
    """The cluster is configured, and demanded by each test."""
    with ap.config(cluster=cluster.address, backend="dask"):
        yield


def test_many_items_come_back_in_order() -> None:
    """A hundred thousand items, as a list and one by one; the decision names the cluster's cores."""
    assert tripled.map(range(100_000)) == [3 * x for x in range(100_000)]
    assert list(tripled.imap(iter(range(5_000)))) == [3 * x for x in range(5_000)]
    assert {str(plan) for plan, _ in tripled.decisions[0].tried} <= {
        "2 cores of a Dask cluster",
        "1 core of a Dask cluster",
    }


def test_a_lazy_map_takes_no_more_than_its_buffer() -> None:
    """Input is taken as results are used, and no more than the buffer ahead."""
    taken = 0

    def items() -> Any:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for done, result in enumerate(tripled.imap(items(), buffersize=8), 1):
        assert result == 3 * (done - 1)
        assert taken <= done + 8


def test_items_run_in_processes_beside_the_worker(cluster: CommandLineCluster) -> None:
    """A worker's own process, which others use too, runs no item."""
    with cluster.client() as client:
        of_workers = set(client.run(lambda: __import__("os").getpid()).values())
    assert not of_workers & set(where.map(range(20)))


def test_a_cluster_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is meant for workers that went since they were counted waits for them; whoever asks for prices does not."""
    monkeypatch.setattr(prices, "NO_ANSWER", 0.5)
    monkeypatch.setattr(prices, "_known", WeakKeyDictionary())
    monkeypatch.setattr(Connection, "restricted", ["tcp://127.0.0.1:9"])
    with pytest.raises(UnavailableError, match=r"has not answered for 0\.5 s"):
        tripled.map(range(20))
    monkeypatch.undo()
    assert tripled.map(range(20)) == [3 * x for x in range(20)]


def test_the_error_of_the_first_failing_item_is_raised() -> None:
    """It arrives as itself, with the item in a note; as values all errors do."""
    with pytest.raises(LookupError, match="no 5") as caught:
        fails.map(range(20))
    assert "item 5" in caught.value.__notes__[0]
    found: list[Any] = fails.map(range(20), on_error="return")
    assert [x for x in found if not isinstance(x, LookupError)] == [x for x in range(20) if x != 5]


def test_an_item_that_kills_its_process_is_named_and_costs_no_other() -> None:
    """The worker of the cluster lives on, so the blame is exact, with the signal."""
    found: list[Any] = dies.map(range(12), on_error="return", pure=True)
    assert [x for x in found if isinstance(x, int)] == [x for x in range(12) if x != 5]
    assert isinstance(found[5], WorkerDiedError)
    assert (found[5].index, found[5].exitcode) == (5, -9)


def test_what_items_say_comes_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines and warnings, as in the loop."""
    with pytest.warns(UserWarning, match="odd") as caught:
        assert says.map(range(6)) == list(range(6))
    assert capfd.readouterr().out == "".join(f"item {x}\n" for x in range(6))
    assert [str(each.message) for each in caught] == ["odd 1", "odd 3", "odd 5"]


def test_random_streams_are_those_of_the_other_backends() -> None:
    """With a seed each item has its stream, wherever it runs."""
    assert draws.map(range(20), seed=7) == draws.map(range(20), seed=7, backend="serial")


def test_closures_travel_and_the_environment_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions go by value with what they hold; variables that were set here are set there."""
    import os

    monkeypatch.setenv("A_VARIABLE", "of the caller")
    held = {"offset": 10}
    found = ap.map(lambda x: (x + held["offset"], os.environ["A_VARIABLE"]), range(4))
    assert found == [(10 + x, "of the caller") for x in range(4)]


def test_an_item_that_takes_too_long_is_stopped() -> None:
    """Its process is killed, and the others are right."""
    found: list[Any] = ap.map(_sleeps, [0, 60, 0], timeout=2, on_error="return")
    assert found[0] == found[2] == 0
    assert isinstance(found[1], ItemTimeoutError)


def _sleeps(seconds: float) -> float:
    import time

    time.sleep(seconds)
    return seconds


def test_what_does_not_pickle_is_named() -> None:
    """An item, and a result."""
    import threading

    with pytest.raises(TransportError, match=r"^item 1: cannot be pickled"):
        ap.map(str, [1, threading.Lock()])
    with pytest.raises(TransportError, match=r"^item 0: its result cannot be pickled"):
        ap.map(lambda x: threading.Lock(), [1])


def test_a_module_that_a_worker_lacks_is_named(tmp_path: Path) -> None:
    """The error says which worker, which module, and how it gets there."""

    def needs(x: int) -> int:
        import not_there_either  # type: ignore[import-not-found]

        return not_there_either.f(x)  # type: ignore[no-any-return]

    with pytest.raises(ModuleNotFoundError, match="not_there_either"):
        ap.map(needs, [1])


def test_compiled_functions_are_compiled_on_the_nodes() -> None:
    """Native code runs there too, made there from the function."""
    plain = sums_up.map([200_000] * 8, compiler="python")
    assert sums_up.map([200_000] * 8, compiler="native") == plain == [sums_up(200_000)] * 8
    assert str(sums_up.decisions[-1].plan) == "native, 2 cores of a Dask cluster"
    assert compiled_there.map(range(2), pure=True) == ["CompiledFunction"] * 2


def test_a_single_call() -> None:
    """`submit` goes there too."""
    assert spends.options(backend="dask").submit(4).result(60) == 4


def test_resources_that_no_hint_else_can_meet_contradict_another_backend() -> None:
    """They are a demand for a cluster."""
    with pytest.raises(HintValueError, match=r"resources=.* is for backend=\"dask\", not backend='threads'"):
        tripled.map([1], backend="threads", resources={"GPU": 1})


def test_a_killed_worker_costs_nothing_that_may_be_repeated(cluster: CommandLineCluster) -> None:
    """In the middle of a map one of two workers is killed: every result comes, once and in order."""
    results = []
    for result in spends.imap(range(600), buffersize=64):
        results.append(result)
        if len(results) == 100:
            cluster.kill_a_worker()
    assert results == list(range(600))


def test_a_killed_worker_doubles_nothing_that_may_not(cluster: CommandLineCluster, tmp_path: Path) -> None:
    """Items that are not known to be safe to repeat run at most once; those that got lost are named errors."""
    results: list[Any] = []
    marks_in = tmp_path / "marks"
    marks_in.mkdir()
    marked = leaves_a_mark.options(chunksize=2, on_error="return")
    for result in marked.imap(range(300), folder=str(marks_in), buffersize=32):
        results.append(result)
        if len(results) == 60:
            cluster.kill_a_worker()
    marks = [int(path.name.partition("-")[0]) for path in marks_in.iterdir()]
    assert len(marks) == len(set(marks))
    lost = [place for place, result in enumerate(results) if isinstance(result, WorkerDiedError)]
    assert [result for result in results if not isinstance(result, WorkerDiedError)] == [
        x for x in range(300) if x not in lost
    ]
    assert set(range(300)) - set(marks) <= set(lost)
    assert len(lost) < 40
    assert all("not known to be safe" in str(results[place]) for place in lost)
