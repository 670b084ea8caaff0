"""The public fakes: a clock, a machine, and a pool that writes down what it is given."""

from __future__ import annotations

import pytest

from autopar._model.work import Chunk, Failure, Job, Pool
from autopar.errors import TransportError, WorkerDiedError
from autopar.testing import FakeClock, FakePool, fake_host


def refuse_two(x: int) -> int:
    if x == 2:
        raise ValueError(x)
    return -x


def test_a_fake_clock_moves_when_told() -> None:
    """It shows what it was set to, and what it was moved by."""
    clock = FakeClock(10.0)
    assert clock() == clock() == 10.0
    clock.advance(0.5)
    clock.advance(0)
    assert clock() == 10.5


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_fake_clock_never_runs_backwards(seconds: float) -> None:
    """It refuses what a clock cannot do."""
    with pytest.raises(ValueError, match="a clock cannot run backwards"):
        FakeClock().advance(seconds)


def test_a_fake_host_is_what_was_asked_for() -> None:
    """Cores, GIL and version are as given, and what is left out is a usual machine."""
    host = fake_host(cores=8, gil=False, python="3.14.0", platform="win32", threads_alive=3, without=("processes",))
    assert (host.cores, host.logical_cores, host.gil, host.python) == (8, 8, False, "3.14.0")
    assert (host.platform, host.threads_alive) == ("win32", 3)
    assert list(host.unavailable) == ["processes"]
    assert (fake_host().cores, fake_host().gil, dict(fake_host().unavailable)) == (2, True, {})


def test_a_fake_pool_runs_chunks_and_keeps_them() -> None:
    """The future is done when submit returns, and the chunk is written down."""
    pool = FakePool()
    chunk = Chunk(Job(pow, star=True), 5, [(2, 3), (3, 2)])
    future = pool.submit(chunk)
    assert future.done()
    assert future.result().values == [8, 9]
    assert pool.chunks == [chunk]
    assert future.result().wall == pytest.approx(0.002)


def test_a_fake_pool_broadcasts_keywords() -> None:
    """Keyword arguments of the job go to every item."""
    assert FakePool().submit(Chunk(Job(int, kwargs={"base": 2}), 0, ["10", "11"])).result().values == [2, 3]


def test_an_error_ends_the_chunk_of_a_fake_pool() -> None:
    """Unless the job collects errors, the first ends its chunk."""
    outcome = FakePool().submit(Chunk(Job(refuse_two), 0, [1, 2, 3])).result()
    assert outcome.values == [-1]
    assert isinstance(outcome.error, ValueError)


def test_a_fake_pool_collects_errors_if_the_job_does() -> None:
    """A job that collects has failures in the place of results."""
    outcome = FakePool().submit(Chunk(Job(refuse_two, collect=True), 0, [1, 2, 3])).result()
    assert outcome.error is None
    assert [type(value) for value in outcome.values] == [int, Failure, int]


def test_faults_of_a_fake_pool_belong_to_positions() -> None:
    """The chunk that holds the position has the fault, a TransportError already while it is submitted."""
    pool = FakePool(faults={3: WorkerDiedError("died"), 8: TransportError("does not travel")})
    assert pool.submit(Chunk(Job(abs), 0, [1, 2, 3])).result().values == [1, 2, 3]
    assert isinstance(pool.submit(Chunk(Job(abs), 3, [1])).exception(), WorkerDiedError)
    with pytest.raises(TransportError):
        pool.submit(Chunk(Job(abs), 6, [1, 2, 3]))


def test_a_fake_pool_is_a_pool() -> None:
    """It has what the engine asks of any pool, and remembers what was given up and that it was closed."""
    pool: Pool = (fake := FakePool(capacity=7))
    assert pool.capacity == 7
    future = pool.submit(Chunk(Job(abs), 0, [1]))
    assert pool.abandon(future)
    pool.close()
    assert fake.abandoned == [future]
    assert fake.closed
