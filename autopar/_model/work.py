"""What travels to a worker and comes back: a job, a chunk of its items, and the chunk's outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from autopar._model.light_dataclass import dataclass
from autopar._model.retry import NO_RETRY, Retry

if TYPE_CHECKING:
    from autopar._model.plan import Plan


Emission = tuple[int, str, Any]
"""One piece of what items print, log or warn: the item's place in its chunk, the channel, and the piece."""

OUT, ERR, RECORD, PACKED_RECORD, WARNING = "stdout", "stderr", "record", "packed record", "warning"
"""Channels: text of the standard streams, a logger with its record, a record and a warning as they travel."""

SIGNALS = "decimal signals"
"""Channel of the names of signals of decimal arithmetic whose flags are to be set."""

NOTE = "note"
"""Channel of what the decision log is to say of an item, as a tuple of one text: it is heard by nobody else."""


UNCHANGING = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""Exact types of values that nobody can change, and that hold nothing."""

FLAT_KINDS = frozenset("biufcSUMm")
"""Kinds of NumPy dtypes whose items hold no objects."""


class Line(NamedTuple):
    """A line of the user's program; ``names`` are its globals, or None in another process."""

    filename: str
    lineno: int
    module: str
    names: dict[str, Any] | None


class Wear(NamedTuple):
    """What a worker process may do before a fresh one takes its place: items, and bytes that are its own."""

    tasks: int | None = None
    memory: int | None = None


UNWORN = Wear()
"""As much as it wants."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Job:
    """What a map does to each item; the same for all its chunks.

    Attributes
    ----------
    function
        The user's own function, not its wrapper.
    star
        Items are tuples of positional arguments.
    kwargs
        Keyword arguments, the same for every item.
    collect
        Errors are values of the outcome; otherwise the first one ends its chunk.
    retry
        Which items that raised run again, how often, and after which pause.
    seed
        Root of the items' random streams, or None.
    draws
        Items may draw from the global random streams, as far as anybody can see; of those only one may run at a time.
    reference
        ``(module, qualname)`` under which a worker process can import the function, or None.
    shared
        Module-level values that a worker process must see as the caller does: (module, name) -> value.
    name
        For messages.
    cores
        Cores that maps inside an item may use.
    ordered
        What items on threads print and log is kept until their turn comes; otherwise it is written at once.
    numpy_random
        Items may draw from `numpy.random`, even if only they import it.
    line
        The line that asked for the map, or None.
    items_stay
        Nobody changes the items while the map runs, apart from the function.
    leaves_all_as_it_is
        The analysis found nothing that the items write to and that outlives their call: what came with the job may
        serve another.
    repeatable
        Items may run twice. Of those that may not a worker process tells which ones it had begun when it died.
    timeout
        Seconds one item may take, or None.
    wear
        When a worker process is to be replaced.
    """

    function: Callable[..., Any]
    star: bool = False
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    collect: bool = False
    retry: Retry = NO_RETRY
    seed: int | None = None
    draws: bool = True
    reference: tuple[str, str] | None = None
    shared: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    name: str = ""
    cores: int = 1
    ordered: bool = True
    numpy_random: bool = False
    line: Line | None = None
    items_stay: bool = False
    leaves_all_as_it_is: bool = False
    repeatable: bool = True
    timeout: float | None = None
    wear: Wear = UNWORN


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """An item that is on a cluster: what a future there holds, or one element of it."""

    future: Any
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive items, from input position ``start``."""

    job: Job
    start: int
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception in place of a result."""

    error: BaseException


@dataclass(slots=True)
class Outcome:
    """What became of a chunk.

    Attributes
    ----------
    values
        Results in order; a :class:`Failure` in the place of an item that raised (only if the job collects).
    error
        The exception that ended the chunk at item ``start + len(values)``, or None.
    wall, cpu
        Seconds that the items took on their worker, and CPU seconds of its thread.
    waits
        Voluntary context switches of that thread meanwhile.
    process_cpu
        CPU seconds of the whole process meanwhile.
    transport
        Bytes of the outcome on its way to the caller; 0 within a process.
    lost
        Position of the first value that is a failure because the item's result could not travel, or None.
    dispatch
        Seconds that the chunk was on its way, there and back, apart from its items; None where that was not looked at.
    emitted
        What the items printed, logged and warned, as far as it was kept, in order; an item that raised included.
    """

    values: list[Any]
    error: BaseException | None = None
    wall: float = 0.0
    cpu: float = 0.0
    waits: int = 0
    process_cpu: float = 0.0
    transport: int = 0
    emitted: Sequence[Emission] = ()
    lost: int | None = None
    dispatch: float | None = None


class RunsBlocks(Protocol):
    """What a job's function may have as ``__autopar_block__``: a quicker way over many items."""

    def __call__(self, items: Sequence[Any], star: bool, kwargs: Mapping[str, Any], out: list[Any], /) -> bool:
        """Append the results of all items to ``out``, or do nothing and return False.

        Raises what an item raises; ``out`` then holds the results before it.
        """


class Pending(Protocol):
    """A chunk under way: what the engine asks of a future. :class:`concurrent.futures.Future` is one.

    A chunk that its pool can time has an attribute ``started``, too: when its first item began, or None.
    """

    def cancel(self) -> bool:
        """Cancel the chunk if no worker has begun it; False if one has."""

    def cancelled(self) -> bool:
        """It was cancelled."""

    def running(self) -> bool:
        """A worker is at it."""

    def done(self) -> bool:
        """It has ended, or was cancelled."""

    def result(self, timeout: float | None = None) -> Outcome:
        """Wait for the outcome; raises what went wrong around the items."""

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end; what went wrong around the items, or None."""

    def set_exception(self, exception: BaseException | None) -> None:
        """End it from outside."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call a function with this when it ends, on the thread that ends it; at once if it has."""


class Pool(Protocol):
    """Workers of one backend, ready to run chunks.

    Attributes
    ----------
    capacity
        Chunks to keep submitted: the workers, and a short queue where that hides latency.
    """

    capacity: int

    def submit(self, chunk: Chunk) -> Pending:
        """Start a chunk; the exception of what is returned is for what went wrong around the items, not in them."""

    def admit(self, limit: int) -> int:
        """Run at most so many chunks at the same time from now on; how many to keep submitted for that."""

    def abandon(self, future: Any, /) -> bool:
        """Give up a running chunk; True if its worker was really stopped."""

    def close(self) -> None:
        """Let go of the workers; unfinished chunks are cancelled."""


class Backend(Protocol):
    """A module that opens pools."""

    def open(self, plan: Plan) -> Pool:
        """Get a pool with room for ``plan.workers`` chunks at the same time."""
