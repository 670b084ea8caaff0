"""One map's way to a cluster."""

from __future__ import annotations

import uuid
import weakref
from typing import Any, cast

from autopar._backends.dask import node
from autopar._backends.dask.surroundings import this_host
from autopar._backends.dask.traffic import ClusterChunk, Parcel, SharedJob, Traffic
from autopar._backends.payload import Part
from autopar._backends.pending import PendingChunk
from autopar._backends.transport import dump_items, dump_job, dump_surroundings
from autopar._model.work import Chunk, Job, RemoteItem

QUEUED = 2
"""Chunks to keep submitted for each that runs: while one runs the next is on its way."""


class ClusterPool:
    """Sends the chunks of a map. The caller's thread pickles, so its errors arise there.

    Parameters
    ----------
    traffic
        The cluster.
    workers
        Chunks under way at the same time.
    resources, gather
        As in the hints.

    Attributes
    ----------
    bytes_per_item
        Pickled bytes of an item of the latest chunk.
    """

    def __init__(self, traffic: Traffic, workers: int, *, resources: dict[str, float] | None, gather: bool) -> None:
        self._traffic = traffic
        self._resources = resources
        self._gather = gather
        self.capacity = QUEUED * workers
        self.bytes_per_item = 0.0

    def submit(self, chunk: Chunk) -> PendingChunk:
        """Pickle a chunk and send it.

        Raises
        ------
        TransportError
            Its function or its items do not pickle.
        """
        pending = ClusterChunk()
        items, inputs = _packed_items(chunk)
        if isinstance(items, bytes) and chunk.items:
            self.bytes_per_item = len(items) / len(chunk.items)
        self._traffic.send(
            Parcel(
                pending,
                self._shared(chunk.job),
                chunk.start,
                items,
                inputs,
                timeout=chunk.job.timeout,
            )
        )
        return pending

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time."""
        return limit

    def abandon(self, pending: PendingChunk) -> bool:
        """Kill the process that runs the chunk."""
        self._traffic.stop(cast("ClusterChunk", pending))
        return True

    def close(self) -> None:
        """The cluster stays as it is."""

    def _shared(self, job: Job) -> SharedJob:
        known = _shared.get(job)
        if known is None:
            known = _shared[job] = self._packed(job)
        return known

    def _packed(self, job: Job) -> SharedJob:
        packed = dump_job(job)
        apart = [part for part in packed.parts if part.digest]
        packed = packed._replace(parts=[Part(None, part.digest) if part.digest else part for part in packed.parts])
        return SharedJob(
            node.SentJob(uuid.uuid4().hex, packed, dump_surroundings("a cluster"), this_host()),
            apart,
            resources=self._resources,
            gather=self._gather,
            repeatable=job.repeatable,
            retries=job.retry.times,
        )


_shared: weakref.WeakKeyDictionary[Job, SharedJob] = weakref.WeakKeyDictionary()


def _packed_items(chunk: Chunk) -> tuple[Any, list[Any]]:
    """The items pickled; those that are on the cluster as references to the inputs of the chunk's task."""
    if not any(map(_is_remote, chunk.items)):
        return dump_items(chunk.items).data, []
    inputs: list[Any] = []
    numbers: dict[str, int] = {}

    def reference(item: Any) -> Any:
        if type(item) is tuple:
            return tuple(map(reference, item))
        if type(item) is not RemoteItem:
            return item
        number = numbers.setdefault(item.future.key, len(inputs))
        if number == len(inputs):
            inputs.append(item.future)
        return node.Reference(number, item.place)

    return list(map(reference, chunk.items)), inputs


def _is_remote(item: Any) -> bool:
    return type(item) is RemoteItem or (type(item) is tuple and any(map(_is_remote, item)))
