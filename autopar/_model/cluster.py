"""A cluster as a planning sees it."""

from __future__ import annotations

from autopar._model.light_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is known of the cluster that a map may use.

    Attributes
    ----------
    where
        Its address, or how it was started, in words.
    workers
        Dask workers that can run autopar's chunks.
    cores
        Chunks that these run at the same time: the sum of their threads.
    busy
        Of these, how many were at others' tasks when it was looked at.
    warm
        The processes that run chunks on its nodes have been started by an earlier map.
    round_trip
        Seconds for one chunk there and back while nothing else is under way.
    dispatch
        Seconds between chunks when many are under way: what the scheduler, the client and the workers need for each.
    byte
        Seconds for a pickled byte, there or back.
    speed
        How fast its cores are, as a multiple of the caller's.
    elsewhere
        Some of its workers are on other machines than the caller.
    notes
        What a decision should mention of it.
    """

    where: str
    workers: int
    cores: int
    busy: float = 0.0
    warm: bool = False
    round_trip: float = 10e-3
    dispatch: float = 2e-3
    byte: float = 10e-9
    speed: float = 1.0
    elsewhere: bool = False
    notes: tuple[str, ...] = ()

    @property
    def chunk(self) -> float:
        """Seconds that a chunk costs the worker that runs it: chunks are made long against that.

        Between two chunks a worker waits for its own event loop, and now and then for the scheduler. With 4,000 items
        of 1 ms on two workers it was 11 ms a chunk where dispatch was 6.5 and the round trip 42 ms, on a machine with
        seven times its work to do (benchmarks/dask_cluster.py).
        """
        return self.dispatch + self.round_trip / 8

    @property
    def free(self) -> float:
        """Cores that are left for a map; at least one, since whoever waits for long gets a turn."""
        return max(1.0, self.cores - self.busy)
