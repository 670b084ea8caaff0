"""Fakes for tests: a clock that stands still, a machine of your choice, a pool that writes down what it is given.

Nothing here starts a thread, reads a clock or looks at the machine. To run code that uses ``@parallel`` in the plain
loop, no fake is needed: ``AUTOPAR_BACKEND=serial`` in the environment of the tests, or a block of
``autopar.config(backend="serial")``, does that for all functions whose decorator names no backend.
"""

from __future__ import annotations

from concurrent.futures import Future

from autopar._model.observation import Host
from autopar._model.work import Chunk, Failure, Outcome
from autopar.errors import ItemTimeoutError, TransportError, WorkerDiedError

__all__ = ["FakeClock", "FakePool", "Fault", "fake_host"]

Fault = ItemTimeoutError | TransportError | WorkerDiedError
"""What can go wrong around an item."""


class FakeClock:
    """A clock that moves only when it is told to.

    Parameters
    ----------
    now
        Seconds that it shows at first.

    Examples
    --------
    >>> clock = FakeClock()
    >>> clock.advance(1.5)
    >>> clock()
    1.5
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` gives them."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock.

        Parameters
        ----------
        seconds
            How far, at least 0.

        Raises
        ------
        ValueError
            It would run backwards.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock cannot run backwards, by {seconds:g} seconds")
        self.now += seconds


def fake_host(
    cores: int = 2,
    *,
    gil: bool = True,
    python: str = "3.13.0",
    platform: str = "linux",
    threads_alive: int = 1,
    without: tuple[str, ...] = (),
) -> Host:
    """A machine for deciders to look at.

    Parameters
    ----------
    cores
        Cores it has, all of them usable; default 2.
    gil, python, platform, threads_alive
        As in the attributes of the host that is returned.
    without
        Backends and compilers that cannot be used on it.

    Returns
    -------
    Host
        What deciders are told of a machine.

    Examples
    --------
    >>> host = fake_host(cores=64, without=("processes",))
    >>> host.cores, dict(host.unavailable)
    (64, {'processes': 'this fake host has no processes'})
    """
    return Host(
        cores=cores,
        cores_why="a fake host",
        logical_cores=cores,
        gil=gil,
        python=python,
        platform=platform,
        threads_alive=threads_alive,
        unavailable={name: f"this fake host has no {name}" for name in without},
    )


class FakePool:
    """A backend's pool that runs each chunk at once, where it is submitted, and writes it down.

    Parameters
    ----------
    capacity
        Chunks to keep submitted, as of any pool; default 2.
    faults
        Position of an item -> what goes wrong around the chunk that holds it. A
        :class:`~autopar.errors.TransportError` arises in :meth:`submit`, as in a backend that pickles there.
    wall
        Seconds that each item seems to have taken; default 0.001.

    Attributes
    ----------
    chunks
        What was submitted, in that order.
    abandoned
        Futures that were given up.
    closed
        Whether the pool was let go of.

    Examples
    --------
    >>> from autopar._model.work import Job
    >>> pool = FakePool()
    >>> pool.submit(Chunk(Job(abs), start=4, items=[-1, -2])).result().values
    [1, 2]
    >>> [(chunk.start, chunk.items) for chunk in pool.chunks]
    [(4, [-1, -2])]
    """

    def __init__(self, capacity: int = 2, *, faults: dict[int, Fault] | None = None, wall: float = 1e-3) -> None:
        self.capacity = capacity
        self.chunks: list[Chunk] = []
        self.abandoned: list[Future[Outcome]] = []
        self.closed = False
        self._faults = faults or {}
        self._wall = wall

    def submit(self, chunk: Chunk) -> Future[Outcome]:
        """Run a chunk and return a future that is already done.

        Parameters
        ----------
        chunk
            The job and its items.

        Returns
        -------
        concurrent.futures.Future
            Of the outcome, or of the fault that was asked for.

        Raises
        ------
        TransportError
            It is the fault of one of the items.
        """
        self.chunks.append(chunk)
        positions = range(chunk.start, chunk.start + len(chunk.items))
        fault = next((self._faults[position] for position in positions if position in self._faults), None)
        if isinstance(fault, TransportError):
            raise fault
        future: Future[Outcome] = Future()
        if fault is not None:
            future.set_exception(fault)
        else:
            future.set_result(self._run(chunk))
        return future

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time.

        Parameters
        ----------
        limit
            How many.

        Returns
        -------
        int
            How many to keep submitted for that: the same.
        """
        return limit

    def abandon(self, future: Future[Outcome]) -> bool:
        """Note that a chunk was given up; it had ended before.

        Parameters
        ----------
        future
            What :meth:`submit` returned.

        Returns
        -------
        bool
            True: nothing of it runs any more.
        """
        self.abandoned.append(future)
        return True

    def close(self) -> None:
        """Note that the pool was let go of."""
        self.closed = True

    def _run(self, chunk: Chunk) -> Outcome:
        job, outcome = chunk.job, Outcome([])
        for item in chunk.items:
            try:
                outcome.values.append(job.function(*(item if job.star else (item,)), **job.kwargs))
            except Exception as error:
                if not job.collect:
                    outcome.error = error
                    break
                outcome.values.append(Failure(error))
        outcome.wall = outcome.cpu = self._wall * len(outcome.values)
        return outcome
