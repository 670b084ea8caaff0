"""The map engine over a pool that writes down what it is given: chunks, order, back-pressure, blame."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autopar import parallel
from autopar._engine import deciding
from autopar._engine.deciding import Deciding
from autopar._engine.functions import FunctionState
from autopar._engine.machine import ThisMachine
from autopar._engine.run import MapRun
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.hints import DEFAULTS, settle
from autopar._model.observation import Sample
from autopar._model.plan import BACKENDS
from autopar.errors import AutoparError, ItemTimeoutError, TransportError, WorkerDiedError
from autopar.testing import FakePool, fake_host
from tests.engine import fake_backend
from tests.engine.fake_backend import AnyOrderPool

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> str:
    """The process backend, run by the fake pool."""
    monkeypatch.setitem(BACKENDS, "processes", replace(BACKENDS["processes"], module=fake_backend.__name__))
    monkeypatch.setattr(fake_backend, "pool", FakePool())
    return "processes"


def pool_of(faults: dict[int, Any] | None = None, **keywords: Any) -> FakePool:
    made = FakePool(faults=faults, **keywords)
    fake_backend.pool = made
    return made


@parallel(pure=True)
def negative(x: int) -> int:
    return -x


@pytest.mark.parametrize("chunksize", [1, 3, 10, 100])
def test_chunks_have_the_size_that_was_asked_for(backend: str, chunksize: int) -> None:
    """Chunks are consecutive items of the hinted size; only the last may be smaller."""
    pool = pool_of()
    assert negative.map(range(25), backend=backend, chunksize=chunksize) == [-x for x in range(25)]
    assert [chunk.start for chunk in pool.chunks] == list(range(0, 25, chunksize))
    assert {len(chunk.items) for chunk in pool.chunks[:-1]} <= {chunksize}
    assert [x for chunk in pool.chunks for x in chunk.items] == list(range(25))


def test_chunks_shrink_at_the_tail(backend: str) -> None:
    """Sized by time, chunks get smaller towards the end, so that no worker is left with a large one."""
    pool = pool_of(wall=1e-4)
    negative.map(range(2000), backend=backend, workers=2)
    sizes = [len(chunk.items) for chunk in pool.chunks]
    assert sum(sizes) == 2000
    assert max(sizes) > 10
    assert sizes[-1] < max(sizes) / 2


def test_all_chunks_of_a_map_share_one_job(backend: str) -> None:
    """What is the same for all items is sent once: it is one object."""
    pool = pool_of()
    parallel(pow, pure=True).map([1, 2, 3], [2, 2, 2], backend=backend, chunksize=1)
    assert len({id(chunk.job) for chunk in pool.chunks}) == 1
    job = pool.chunks[0].job
    assert job.star
    assert job.function is pow


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    items=st.integers(0, 60),
    chunksize=st.integers(1, 7),
    seed=st.integers(0, 1 << 16),
    failing=st.sets(st.integers(0, 60), max_size=3),
    buffersize=st.none() | st.integers(1, 20),
)
def test_any_order_of_completion_gives_the_loops_answer(
    backend: str, items: int, chunksize: int, seed: int, failing: set[int], buffersize: int | None
) -> None:
    """However chunks complete, map and imap give what the loop gives, up to its first exception."""

    def item(x: int) -> int:
        if x in failing:
            raise ValueError(x)
        return x * x

    function = parallel(item, pure=True)
    wrong = [x for x in sorted(failing) if x < items]
    expected = [x * x for x in range(wrong[0] if wrong else items)]
    for lazy in (False, True):
        fake_backend.pool = pool = AnyOrderPool(3, seed)
        seen: list[int] = []
        caught: list[BaseException] = []
        try:
            if lazy:
                for value in function.imap(range(items), backend=backend, chunksize=chunksize, buffersize=buffersize):
                    seen.append(value)  # noqa: PERF402
            else:
                seen = function.map(range(items), backend=backend, chunksize=chunksize)
        except ValueError as error:
            caught.append(error)
        finally:
            pool.end()
        assert [error.args for error in caught] == [(x,) for x in wrong[:1]]
        if lazy or not wrong:
            assert seen == expected


@pytest.mark.parametrize("buffersize", [1, 4, 9])
def test_back_pressure_bounds_what_is_submitted(backend: str, buffersize: int) -> None:
    """No more items are in chunks than the buffer has room for."""
    pool = pool_of(capacity=100)
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for taken in range(1, 200):  # noqa: UP028 - the variable is read outside
            yield taken

    results = negative.imap(items(), backend=backend, buffersize=buffersize)
    for delivered, value in enumerate(results):
        assert value == -(delivered + 1)
        assert taken - delivered <= buffersize + 1
    assert sum(len(chunk.items) for chunk in pool.chunks) == 199


class ClosedPool(FakePool):
    """Takes three chunks, and then no more."""

    @property
    def capacity(self) -> int:
        return int(len(self.chunks) < 3)

    @capacity.setter
    def capacity(self, capacity: int) -> None:
        pass


@pytest.mark.parametrize("operation", ["map", "imap", "imap_unordered"])
def test_no_map_ends_with_fewer_results_than_items(backend: str, operation: str) -> None:
    """A pool that takes nothing any more, and has nothing under way, is a mistake that must not look like an end."""
    fake_backend.pool = ClosedPool()
    with pytest.raises(AutoparError, match="3 results for 3 items"):
        list(getattr(negative, operation)(range(20), backend=backend, chunksize=1))


def test_nothing_is_submitted_after_a_failure(backend: str) -> None:
    """Once an item has failed, no later chunk is started."""

    def item(x: int) -> int:
        if x == 3:
            raise ValueError(x)
        return x

    pool = pool_of(capacity=1)
    with pytest.raises(ValueError, match="3"):
        parallel(item, pure=True).map(range(100), backend=backend, chunksize=1)
    assert [chunk.start for chunk in pool.chunks] == [0, 1, 2, 3]


def test_a_dead_worker_costs_its_own_item_only(backend: str) -> None:
    """A chunk whose worker died is run again item by item, until the one to blame stands alone."""
    pool = pool_of({5: WorkerDiedError("its worker process ended with signal 9", exitcode=-9)})
    results: list[Any] = negative.map(range(12), backend=backend, chunksize=4, on_error="return")
    assert results[:5] + results[6:] == [-x for x in range(12) if x != 5]
    assert isinstance(results[5], WorkerDiedError)
    assert (results[5].index, results[5].exitcode) == (5, -9)
    assert [len(chunk.items) for chunk in pool.chunks if chunk.start <= 5 < chunk.start + len(chunk.items)] == [4, 1]


def test_effects_are_not_repeated_for_a_dead_worker(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of a function that may have effects is not run again: the map ends with all its items to blame."""
    monkeypatch.setitem(BACKENDS, "threads", replace(BACKENDS["threads"], module=fake_backend.__name__))
    seen: list[int] = []

    def item(x: int) -> int:
        seen.append(x)
        return x

    pool_of({5: WorkerDiedError("its worker ended", exitcode=1)})
    with pytest.raises(WorkerDiedError, match="one of the items 4 to 7"):
        parallel(item, thread_safe=True).map(range(12), backend="threads", chunksize=4)
    assert 4 not in seen


def test_what_does_not_travel_is_named_if_demanded(backend: str) -> None:
    """A chunk that does not travel to a demanded pool is split until the item to blame stands alone."""
    pool_of({5: TransportError("cannot be pickled for a worker process: because")})
    with pytest.raises(TransportError, match="item 5: cannot be pickled") as caught:
        negative.map(range(12), backend=backend, chunksize=4)
    assert caught.value.index == 5


def test_a_timed_out_item_is_named(backend: str) -> None:
    """An ItemTimeoutError that a pool reports gets its item's index."""
    pool_of({2: ItemTimeoutError("took longer than timeout=1 seconds")})
    with pytest.raises(ItemTimeoutError, match="item 2: took longer") as caught:
        negative.map(range(5), backend=backend, chunksize=1)
    assert caught.value.index == 2


def test_retries_count_for_what_goes_wrong_around_an_item(backend: str) -> None:
    """With retries=2 a chunk whose worker died is submitted three times."""
    pool = pool_of({1: WorkerDiedError("its worker process ended with exit code 1", exitcode=1)})
    with pytest.raises(WorkerDiedError):
        negative.map(range(3), backend=backend, chunksize=1, retries=2)
    assert [chunk.start for chunk in pool.chunks].count(1) == 3


def test_the_pool_is_closed_at_the_end(backend: str) -> None:
    """A map lets go of its pool, also if an item fails or the consumer leaves."""
    pool = pool_of()
    negative.map(range(5), backend=backend)
    assert pool.closed
    pool = pool_of()
    results = negative.imap(range(50), backend=backend, buffersize=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert pool.closed


@pytest.mark.parametrize("stops", [None, 700])
def test_results_of_the_loop_go_where_they_belong(stops: int | None) -> None:
    """Slices of the loop append to the list of all results, in order; what failed ends it, and what came before ran."""
    ran: list[int] = []

    def item(x: int) -> int:
        ran.append(x)
        if x == stops:
            raise LookupError("stop")
        return -x

    run = MapRun(MapTask(FunctionState(item), Source((range(1000),), star=False), {}, DEFAULTS))
    results: list[int] = []
    run.collect(results)
    ends = []
    for block in run.blocks():
        results.extend(block.values)
        assert len(results) == block.end
        ends.append(block.end)
    assert results == [-x for x in range(1000 if stops is None else stops)]
    assert ends == sorted(ends)
    assert ran == list(range(1000 if stops is None else stops + 1))


@pytest.mark.parametrize(
    ("loaded", "cpu", "hints", "worth_it"),
    [
        (False, 1.0, {}, False),
        (True, 1.0, {}, True),
        (False, 0.0, {}, True),
        (False, 1.0, {"backend": "threads"}, True),
    ],
    ids=["too little", "analysis at hand", "waits", "demanded"],
)
def test_what_a_first_analysis_must_save(
    loaded: bool, cpu: float, hints: dict[str, Any], worth_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process that has analysed nothing yet, computing items must promise to repay that; waits always do."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)
    monkeypatch.setattr(ThisMachine, "host", staticmethod(lambda: fake_host(2, platform="linux")))
    if loaded:
        monkeypatch.setitem(sys.modules, deciding._ANALYSIS, sys)
    else:
        monkeypatch.delitem(sys.modules, deciding._ANALYSIS, raising=False)
    settings = settle({}, hints)
    task = MapTask(FunctionState(abs), Source(([1] * 20,), star=False), {}, settings)
    task.source.take(2)
    task.profile.add(Sample(2, 2e-3, 2e-3 * cpu, None, waits=0 if cpu else 2))
    assert Deciding(task).worth_it() is worth_it


def test_a_map_that_would_lose_results_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer results than items are an error of autopar's own, and never an answer."""

    def first_alone(run: MapRun) -> Iterator[Any]:
        yield run._here.run_slice()

    monkeypatch.setattr(MapRun, "_blocks", first_alone)
    with pytest.raises(AutoparError, match="please report it"):
        negative.map(range(40))
