"""What runs on a Dask worker: chunks, each in a process of autopar's own that belongs to one of the worker's threads.

A worker's process is shared by all who use the cluster, has an event loop of its own and one GIL. So items do not run
in it, but in processes like those of the ``processes`` backend: they look like the caller (:mod:`context`), keep what
items print, and may die without taking anything along. A worker of sixteen threads computes on sixteen cores.

Nothing here raises because of an item: what comes back is an answer of ``(status, bytes)``.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autopar._backends.dask.surroundings import adapted, this_host
from autopar._backends.payload import Part
from autopar._backends.pickling import dump_error
from autopar._backends.processes import ProcessRunner, spawned
from autopar._backends.processes import SentJob as NumberedJob
from autopar._backends.segments import Packed
from autopar._backends.transport import PackedJob, dump_items, dump_outcome, load_outcome
from autopar._model.work import Failure, Outcome
from autopar.errors import ItemTimeoutError, TransportError, WorkerDiedError

OUTCOME, ERROR, REFUSED = "outcome", "error", "refused"
"""The chunk ran and this is its outcome; something went wrong around its items; it was not begun here."""

Answer = tuple[str, bytes]

IDENTITY = uuid.uuid4().hex
"""Names this process of the worker: one that is started in its place, even under the same address, has another."""

CHUNK_PROCESS = "autopar-node-worker"

JOBS_KEPT = 64
"""Jobs whose numbers a node remembers; one that comes back after so many others is sent to the processes anew."""

CHUNKS_KEPT = 100_000
"""Chunks that run once at most which a node remembers to have begun: 10 MB, hours of work."""


class Ticket(NamedTuple):
    """What a node must know of a chunk besides the chunk.

    Attributes
    ----------
    name
        Its own, on this cluster.
    start
        Position of its first item.
    timeout
        Seconds that its one item may take, or None.
    only_on
        It must not run twice: the identity of the node that may begin it; empty where it may be repeated.
    """

    name: str
    start: int
    timeout: float | None = None
    only_on: str = ""


class SentJob(NamedTuple):
    """A job on its way to the nodes.

    Attributes
    ----------
    name
        Its own, on this cluster.
    packed
        As for a worker process; the parts that travel by themselves are left out.
    surroundings
        What surrounds the caller.
    host
        Where that is.
    """

    name: str
    packed: PackedJob
    surroundings: bytes
    host: str


class Reference(NamedTuple):
    """An item that is on the cluster: an input of the chunk's task, or an element of it."""

    source: int
    place: int | None


class _NodeRunner(ProcessRunner):
    """One process for chunks; what it answers is passed on unread."""

    def _outcome(self, data: bytes) -> Outcome:
        return Outcome([data])


class _Node:
    """The processes of this worker, and what it has begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_NodeRunner] = []
        self._running: dict[str, _NodeRunner] = {}
        self._begun: OrderedDict[str, None] = OrderedDict()
        self._jobs: OrderedDict[str, NumberedJob] = OrderedDict()
        self._numbers = itertools.count(1)

    def may_begin(self, ticket: Ticket) -> bool:
        """Whether the chunk may run here and now; one that may run once only is noted as begun."""
        return not ticket.only_on or (ticket.only_on == IDENTITY and self.claim(ticket.name))

    def claim(self, name: str) -> bool:
        """Note a chunk as begun; False if it was."""
        with self._lock:
            if name in self._begun:
                return False
            self._begun[name] = None
            if len(self._begun) > CHUNKS_KEPT:
                self._begun.popitem(last=False)
            return True

    def numbered(self, job: SentJob, parts: Sequence[bytes]) -> NumberedJob:
        """The job as the processes of this node know it."""
        with self._lock:
            known = self._jobs.get(job.name)
            if known is None:
                arrived = iter(parts)
                whole = [Part(next(arrived) if data is None else data, digest) for data, digest in job.packed.parts]
                packed = job.packed._replace(parts=whole)
                known = NumberedJob(next(self._numbers), packed, adapted(job.surroundings, job.host), None)
                self._jobs[job.name] = known
                if len(self._jobs) > JOBS_KEPT:
                    self._jobs.popitem(last=False)
            return known

    def take(self, ticket: Ticket) -> _NodeRunner:
        with self._lock:
            runner = self._idle.pop() if self._idle else None
        if runner is None:
            runner = _NodeRunner(functools.partial(spawned, CHUNK_PROCESS))
        with self._lock:
            self._running[ticket.name] = runner
        return runner

    def give_back(self, ticket: Ticket, runner: _NodeRunner) -> None:
        runner.stopped = False
        with self._lock:
            self._running.pop(ticket.name, None)
            self._idle.append(runner)

    def stop(self, name: str) -> bool:
        with self._lock:
            runner = self._running.get(name)
        return runner is not None and runner.stop()


_node = _Node()


def run(ticket: Ticket, job: SentJob, parts: Sequence[bytes], items: bytes | Sequence[Any], inputs: Any) -> Answer:
    """Run a chunk: the task that the client sends.

    ``items`` are pickled, or a list of which a :class:`Reference` is an item that is on the cluster, among ``inputs``.
    """
    if not _node.may_begin(ticket):
        return REFUSED, b""
    try:
        if not isinstance(items, bytes):
            items = dump_items([_found(item, inputs) for item in items]).data
        return OUTCOME, _run(ticket, _node.numbered(job, parts), items)
    except Exception as error:
        return ERROR, dump_error(_of_this_worker(error))


def _found(item: Any, inputs: Any) -> Any:
    if type(item) is Reference:
        return inputs[item.source] if item.place is None else inputs[item.source][item.place]
    return tuple(_found(each, inputs) for each in item) if type(item) is tuple else item


def _run(ticket: Ticket, job: NumberedJob, items: bytes) -> bytes:
    runner = _node.take(ticket)
    limit = _Limit(ticket.timeout, runner.stop)
    try:
        outcome = runner.run((job, ticket.start, Packed(items)), limit.start)
    except WorkerDiedError as error:
        if limit.reached:
            raise ItemTimeoutError(f"took longer than timeout={ticket.timeout:g} seconds") from None
        raise error
    finally:
        limit.end()
        _node.give_back(ticket, runner)
    data: bytes = outcome.values[0]
    return data


class _Limit:
    """Stops a chunk whose item takes too long."""

    def __init__(self, seconds: float | None, stop: Callable[[], object]) -> None:
        self._seconds = seconds
        self._stop = stop
        self._timer: threading.Timer | None = None
        self.reached = False

    def start(self) -> None:
        """The item begins now."""
        if self._seconds is not None:
            self._timer = threading.Timer(min(self._seconds, threading.TIMEOUT_MAX), self._reach)
            self._timer.daemon = True
            self._timer.start()

    def _reach(self) -> None:
        self.reached = True
        self._stop()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _of_this_worker(error: BaseException) -> BaseException:
    """The error, with the worker that it comes from where the function could not be loaded there."""
    if isinstance(error, TransportError) and error.about == "function":
        text = f"{error} (worker {_address()}): what the function needs must be installed there, or sent there first"
        found = TransportError(f"{text} by Client.upload_file", about="function")
        found.__cause__ = error.__cause__
        return found
    return error


def _address() -> str:
    from distributed import get_worker

    try:
        return str(get_worker().address)
    except ValueError:  # This thread runs no task of a worker.
        return this_host()


# -- results that stay on the cluster --------------------------------------------------------------------------------


def told(answer: Answer) -> Answer:
    """What the caller must hear of a chunk whose results stay here: all but the results."""
    status, data = answer
    if status != OUTCOME:
        return answer
    outcome = load_outcome(data)
    outcome.values = [value if isinstance(value, Failure) else None for value in outcome.values]
    return OUTCOME, dump_outcome(outcome)


def results(answer: Answer) -> list[Any]:
    """The results of a chunk as objects."""
    status, data = answer
    return load_outcome(data).values if status == OUTCOME else []


def listed(partition: Any) -> list[Any]:
    """A partition of a bag, whatever holds its elements, as something that has a length."""
    return partition if type(partition) is list else list(partition)


def element(values: Sequence[Any], place: int) -> Any:
    """One of them."""
    return values[place]


# -- what the client asks ---------------------------------------------------------------------------------------------


class About(NamedTuple):
    """What a worker says of itself; ``loop`` is the seconds that its interpreter takes for a fixed piece of work."""

    identity: str
    host: str
    loop: float


def about() -> About:
    """This worker."""
    return About(IDENTITY, this_host(), loop_seconds())


def loop_seconds() -> float:
    """Seconds for a fixed piece of computing, the best of three: by their ratio cores are compared."""
    best = float("inf")
    for _ in range(3):
        began = time.thread_time()
        total = 0
        for number in range(20_000):
            total += number & 7
        best = min(best, time.thread_time() - began)
    return max(best, 1e-6)


def echo(data: bytes) -> bytes:
    """There and back."""
    return data


def stop(name: str) -> bool:
    """Kill the process that runs a chunk."""
    return _node.stop(name)


def _forget() -> None:
    global _node
    _node = _Node()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
