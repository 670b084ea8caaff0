"""Chunks on their way to one cluster and back: sent together, taken back together, and sent again where they got lost.

Dask runs a task again when the worker that ran it, or that held its result, dies. That is what a chunk wants that may
be repeated. One that must not run twice is bound to one process of one worker, and that process begins it once.
"""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from asyncio import CancelledError
from collections import Counter, OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from autopar._backends.dask import node
from autopar._backends.dask.connections import Connection
from autopar._backends.payload import BYTES_KEPT, PARTS_KEPT, Part
from autopar._backends.pending import PendingChunk
from autopar._backends.pickling import load_error
from autopar._backends.transport import load_outcome
from autopar._model.work import Failure, Outcome
from autopar.errors import UnavailableError, WorkerDiedError

INLINE = 256 * 1024
"""Pickled bytes of a chunk's items up to which they travel inside the task, through the scheduler; Dask warns of graphs
of 10 MB, and up to forty chunks are sent together."""

SENT_TOGETHER = 32

TRIES = 4
"""Times a chunk that may be repeated is sent before the cluster counts as unable to run it."""

LOOK_FOR_GONE = 1.0
"""Seconds between two looks for workers that have gone with chunks which must not run elsewhere."""

NO_WORKER = 30.0
"""Seconds for which a cluster may be without scheduler or workers before its chunks are given up: as long as Dask's
clients try to connect anew."""

TRY_AGAIN = 0.2
"""Seconds between two attempts to send chunks to a cluster that takes none at the moment."""


_SENT = object()
"""Wakes the receiver, which looks for workers that have gone only while something is under way."""


@dataclass(eq=False, slots=True)
class SharedJob:
    """What all chunks of a job have in common.

    Attributes
    ----------
    job
        The job without the parts that travel by themselves.
    parts
        Those.
    resources
        What each chunk needs of its worker, as Dask's ``resources``.
    gather
        Results come back; otherwise they stay on the cluster as futures.
    repeatable
        A chunk may run more than once.
    retries
        Passed on to Dask, for what goes wrong around the items.
    """

    job: node.SentJob
    parts: Sequence[Part]
    resources: dict[str, float] | None = None
    gather: bool = True
    repeatable: bool = True
    retries: int = 0


@dataclass(eq=False, slots=True)
class Parcel:
    """One chunk: what is sent, and who waits for it.

    Attributes
    ----------
    pending
        What the engine waits for.
    shared
        Its job.
    start, timeout
        As in its ticket.
    items, inputs
        As for :func:`autopar._backends.dask.node.run`.
    name
        Of its latest sending.
    worker
        The one that it is bound to, or an empty string.
    tries
        How often it was sent.
    """

    pending: ClusterChunk
    shared: SharedJob
    start: int
    items: Any
    inputs: list[Any] = field(default_factory=list)
    timeout: float | None = None
    name: str = ""
    worker: str = ""
    tries: int = 0


class ClusterChunk(PendingChunk):
    """A chunk on a cluster: whether it has begun is not known here, so it can always be given up."""

    __slots__ = ("future", "name")

    def __init__(self) -> None:
        super().__init__()
        self.future: Any = None
        self.name = ""

    def cancel(self) -> bool:
        """Give it up; a worker that has begun it goes on for nothing."""
        cancelled = super().cancel()
        self.future = None  # Dask forgets a task that nobody holds a future of.
        return cancelled


class Traffic:
    """All chunks of this process on one cluster.

    Parameters
    ----------
    connection
        The cluster.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._client = connection.client
        self._out: SimpleQueue[Parcel | None] = SimpleQueue()
        self._back: SimpleQueue[Any] = SimpleQueue()
        self._under_way: dict[str, Parcel] = {}
        self._bound: Counter[str] = Counter()
        self._jobs: OrderedDict[str, Any] = OrderedDict()
        self._parts: OrderedDict[bytes, tuple[int, Any]] = OrderedDict()
        self._prefix = f"autopar-{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self._since_alone = 0.0
        self._looked = 0.0
        self._stale = False
        self._nap = threading.Event()
        for name, work in (("sender", self._send_all), ("receiver", self._receive_all)):
            threading.Thread(target=work, name=f"autopar-cluster-{name}", daemon=True).start()

    def send(self, parcel: Parcel) -> None:
        """Send a chunk soon."""
        self._out.put(parcel)

    def stop(self, pending: ClusterChunk) -> None:
        """Kill the process that runs a chunk, wherever it is; does not wait for that."""
        pending.cancel()
        if pending.name:
            self._client.loop.add_callback(self._stop, pending.name)

    async def _stop(self, name: str) -> None:
        with suppress(Exception):  # The cluster is away, or nothing of it runs there any more.
            await self._client.run(node.stop, name)

    def close(self) -> None:
        """End its threads; nothing is under way any more."""
        self._nap.set()
        self._out.put(None)
        self._back.put(None)

    # -- there ------------------------------------------------------------------------------------------------------

    def _send_all(self) -> None:
        while True:
            parcels = self._waiting()
            if not parcels:
                return
            self._send_or_give_up(parcels)
            del parcels

    def _send_or_give_up(self, parcels: list[Parcel]) -> None:
        """Send them, for as long as the cluster may still come back."""
        began = time.monotonic()
        while parcels := [parcel for parcel in parcels if not parcel.pending.cancelled()]:
            try:
                self._be_connected()
                for group in self._alike(parcels):
                    self._send(group)
                    parcels = [parcel for parcel in parcels if parcel not in group]
            except BaseException as error:
                self._stale = True
                gone = time.monotonic() - began > NO_WORKER or not self.connection.alive
                if gone or not isinstance(error, (OSError, TimeoutError, UnavailableError)):
                    self._unsent(parcels, error)
                    return
                self._nap.wait(TRY_AGAIN)

    def _be_connected(self) -> None:
        """Know the workers anew if anything was lost.

        Raises
        ------
        UnavailableError
            The scheduler is away, or no worker can run chunks.
        """
        if self._client.status != "running":
            raise UnavailableError(f"the client is {self._client.status}")
        if self._stale:
            # Jobs may be lost with what was, and bound workers gone.
            self._jobs.clear()
            self._parts.clear()
            self.connection.look(again=True)
            self._stale = False

    def _waiting(self) -> list[Parcel]:
        """What is to be sent, as much as goes together; nothing once this is closed."""
        found = []
        parcel = self._out.get()
        while parcel is not None:
            found.append(parcel)
            if len(found) == SENT_TOGETHER:
                break
            try:
                parcel = self._out.get_nowait()
            except Empty:
                break
        return found

    def _alike(self, parcels: list[Parcel]) -> list[list[Parcel]]:
        """Parcels that can be sent by one call: those of one job, for one worker where they are bound to one."""
        groups: dict[Any, list[Parcel]] = {}
        for parcel in parcels:
            if not parcel.shared.repeatable and not parcel.worker:
                parcel.worker = self._least_busy()
            groups.setdefault((id(parcel.shared), parcel.worker), []).append(parcel)
        return [*groups.values()]

    def _least_busy(self) -> str:
        """The worker with the least of the chunks that are bound to one, for each of its threads."""
        threads = self.connection.threads
        address = min(threads, key=lambda each: (self._bound[each] + 1) / threads[each])
        self._bound[address] += 1
        return address

    def _send(self, group: list[Parcel]) -> None:
        shared, worker = group[0].shared, group[0].worker
        job = self._job(shared)
        parts = [self._part(part) for part in shared.parts]
        identity = "" if shared.repeatable else self.connection.about[worker].identity
        for parcel in group:
            parcel.name = f"{self._prefix}-{next(self._numbers)}"
            parcel.pending.name = parcel.name
            parcel.tries += 1
            self._under_way[parcel.name] = parcel
        self._back.put(_SENT)
        tickets = [node.Ticket(each.name, each.start, each.timeout, identity) for each in group]
        options: dict[str, Any] = {
            "workers": [worker] if worker else self.connection.restricted,
            "resources": shared.resources,
            "retries": shared.retries,
            "pure": False,
        }
        count = len(group)
        futures = self._client.map(
            node.run,
            tickets,
            [job] * count,
            [parts] * count,
            [self._items(each) for each in group],
            [each.inputs for each in group],
            key=[each.name for each in group],
            **options,
        )
        if not shared.gather:
            futures = self._keeping(group, futures, options)
        for parcel, future in zip(group, futures, strict=True):
            parcel.pending.future = future
            future.add_done_callback(self._back.put)

    def _keeping(self, group: list[Parcel], futures: list[Any], options: dict[str, Any]) -> list[Any]:
        """What to wait for where results stay; the answers themselves are held by their chunks."""
        heard = self._client.map(node.told, futures, key=[f"{each.name}-told" for each in group], pure=False)
        for parcel, future in zip(group, futures, strict=True):
            parcel.inputs = [future]
            self._under_way[f"{parcel.name}-told"] = self._under_way.pop(parcel.name)
            parcel.name = f"{parcel.name}-told"
        return heard  # type: ignore[no-any-return]

    def _items(self, parcel: Parcel) -> Any:
        if isinstance(parcel.items, bytes) and len(parcel.items) > INLINE:
            return self._scattered(parcel.items)
        return parcel.items

    def _job(self, shared: SharedJob) -> Any:
        """The job on the cluster; the latest ones stay there."""
        name = shared.job.name
        if name not in self._jobs:
            self._jobs[name] = self._scattered(shared.job)
            while len(self._jobs) > node.JOBS_KEPT:
                self._jobs.popitem(last=False)
        return self._jobs[name]

    def _part(self, part: Part) -> Any:
        """A large part on the cluster, where the next job with the same finds it."""
        data = part.data or b""
        known = self._parts.get(part.digest)
        if known is None:
            known = len(data), self._scattered(data)
            self._parts[part.digest] = known
        self._parts.move_to_end(part.digest)
        while len(self._parts) > PARTS_KEPT or sum(size for size, _ in self._parts.values()) > BYTES_KEPT:
            if len(self._parts) == 1:
                break
            self._parts.popitem(last=False)
        return known[1]

    def _scattered(self, value: Any) -> Any:
        return self._client.scatter([value], workers=self.connection.restricted, hash=False, timeout=NO_WORKER)[0]

    def _unsent(self, group: list[Parcel], error: BaseException) -> None:
        for parcel in group:
            self._forget(parcel)
            cause = str(error) if isinstance(error, UnavailableError) else f"{type(error).__name__}: {error}"
            text = f"the cluster at {self.connection.where} takes no chunks: {cause}"
            failed = UnavailableError(text)
            failed.__cause__ = error
            parcel.pending.settle(None, failed)

    # -- back -------------------------------------------------------------------------------------------------------

    def _receive_all(self) -> None:
        while True:
            try:
                futures = [self._back.get(timeout=LOOK_FOR_GONE if self._under_way else None)]
            except Empty:
                futures = []
            while True:
                try:
                    futures.append(self._back.get_nowait())
                except Empty:
                    break
            if None in futures:
                return
            self._receive(futures)
            del futures
            now = time.monotonic()
            if self._under_way and now - self._looked > LOOK_FOR_GONE:
                self._looked = now
                self._look_for_gone(now)

    def _receive(self, arrivals: list[Any]) -> None:
        finished = []
        for arrival in arrivals:
            if arrival is _SENT:
                continue
            if type(arrival) is _Fetched:
                self._take(arrival)
                continue
            parcel = self._under_way.get(arrival.key)
            if parcel is None:
                continue
            if parcel.pending.cancelled():
                self._forget(parcel)
            elif arrival.status == "finished":
                finished.append((parcel, arrival))
            else:
                self._failed(parcel, arrival)
        if finished:
            self._client.loop.add_callback(self._fetch, finished)

    async def _fetch(self, finished: list[tuple[Parcel, Any]]) -> None:
        """Get the answers of tasks that have ended, on the client's event loop: one may have to be made again first."""
        try:
            answers = await self._client.gather([future for _, future in finished], asynchronous=True)
        except (Exception, CancelledError):
            if len(finished) > 1:  # One of them got lost; each for itself says which.
                for each in finished:
                    self._client.loop.add_callback(self._fetch, [each])
                return
            answers = [None]
        for (parcel, future), answer in zip(finished, answers, strict=True):
            self._back.put(_Fetched(parcel, future, answer))

    def _take(self, fetched: _Fetched) -> None:
        """Settle a chunk whose task has ended well."""
        parcel, future, answer = fetched
        if self._under_way.get(parcel.name) is not parcel:
            return
        if answer is None:
            self._failed(parcel, future)
            return
        self._forget(parcel)
        parcel.pending.future = None
        status, data = answer
        if status == node.REFUSED:
            self._lost(parcel, "it was sent to another process than the one that it was meant for")
            return
        self.connection.used = True
        try:
            if status == node.ERROR:
                parcel.pending.settle(None, load_error(data))
                return
            outcome = load_outcome(data)
            if not parcel.shared.gather:
                self._leave_results(parcel, outcome)
            parcel.pending.settle(outcome, None)
        except BaseException as error:
            parcel.pending.settle(None, error)

    def _leave_results(self, parcel: Parcel, outcome: Outcome) -> None:
        """Put futures in the place of results."""
        (answer,) = parcel.inputs
        name = parcel.name.removesuffix("-told")
        values = self._client.submit(node.results, answer, key=f"{name}-results", pure=False)
        places = [place for place, value in enumerate(outcome.values) if not isinstance(value, Failure)]
        keys = [f"{name}-result-{place}" for place in places]
        for place, future in zip(
            places, self._client.map(node.element, [values] * len(places), places, key=keys, pure=False), strict=True
        ):
            outcome.values[place] = future

    def _failed(self, parcel: Parcel, future: Any) -> None:
        """A task that Dask could not end well: its worker died too often, or it could not even be loaded."""
        self._forget(parcel)
        error = future.exception() if future.status == "error" else None
        if error is None or type(error).__name__ in ("KilledWorker", "FutureCancelledError", "CancelledError"):
            self._lost(parcel, "the cluster lost it" if error is None else f"the workers that it ran on died: {error}")
            return
        text = f"a worker of the cluster at {self.connection.where} could not run a chunk"
        failed = UnavailableError(f"{text}: {type(error).__name__}: {error}")
        failed.__cause__ = error
        parcel.pending.settle(None, failed)

    def _lost(self, parcel: Parcel, why: str) -> None:
        """Send a chunk again if it may be repeated."""
        self._stale = True
        if not parcel.shared.repeatable:
            text = f"{why}; whether it had begun is not known, and it is not known to be safe to run it again"
            parcel.pending.settle(None, WorkerDiedError(text))
        elif parcel.tries >= TRIES:
            text = f"the cluster at {self.connection.where} lost a chunk {parcel.tries} times"
            parcel.pending.settle(None, UnavailableError(f"{text}: {why}"))
        else:
            self.send(parcel)

    def _forget(self, parcel: Parcel) -> None:
        """It is under way no more."""
        self._under_way.pop(parcel.name, None)
        if parcel.worker:
            self._bound[parcel.worker] -= 1
            parcel.worker = ""

    def _look_for_gone(self, now: float) -> None:
        """Chunks that are bound to a worker that has gone would wait for ever, and all if no worker is left."""
        try:
            present = dict(self._client.nthreads())
        except (Exception, CancelledError):  # The scheduler is away: the client says so itself when it gives up.
            return
        if present:
            self._since_alone = 0.0
        elif not self._since_alone:
            self._since_alone = now
        alone = self._since_alone and now - self._since_alone > NO_WORKER
        for parcel in [*self._under_way.values()]:
            future, worker = parcel.pending.future, parcel.worker
            if worker and worker not in present:
                self._forget(parcel)
                self._lost(parcel, f"the worker {worker} that held it has gone")
            elif alone:
                self._forget(parcel)
                text = f"the cluster at {self.connection.where} has had no worker for {NO_WORKER:g} s"
                parcel.pending.settle(None, UnavailableError(text))
            else:
                continue
            if future is not None:
                future.cancel()


class _Fetched(NamedTuple):
    """What came back for a chunk; without an answer its task has not ended well after all."""

    parcel: Parcel
    future: Any
    answer: node.Answer | None
