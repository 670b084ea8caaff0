"""Events: what maps and submitted calls tell, while they run, to whoever subscribes.

>>> import autopar as ap
>>> told = []
>>> with ap.events.subscribe(told.append, kinds="map_ended"):
...     ap.map(str.upper, ["a", "b"])
['A', 'B']
>>> told[0].function, told[0].items, told[0].error
('builtins.str.upper', 2, '')

A call that is submitted, to a decorated function or an :class:`autopar.Executor`, is told of as a map of one item, and
a call of ``joblib.Parallel`` on the backend ``"autopar"`` as a map of those that it makes.

An event holds names, numbers and types, and no values of arguments or results. It is told on the thread that runs the
map, which waits for the subscriber. Nothing is told from within worker processes, nor of maps that a subscriber starts.

::

    Event
    +-- MapStarted     map_started
    +-- PlanChosen     plan_chosen      the first plan of a map
    +-- PlanChanged    plan_changed     another one took its place
    +-- Compiled       compiled         the map goes on with compiled code
    +-- Fallback       fallback         something went differently from the plan
    +-- WorkerDied     worker_died
    +-- ItemRetried    item_retried
    +-- ItemFailed     item_failed
    +-- MapEnded       map_ended
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar

from autopar._model import listening
from autopar.errors import HintTypeError, HintValueError, SubscriberWarning

__all__ = [
    "Compiled",
    "Event",
    "Fallback",
    "ItemFailed",
    "ItemRetried",
    "MapEnded",
    "MapStarted",
    "PlanChanged",
    "PlanChosen",
    "Subscription",
    "WorkerDied",
    "subscribe",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened to a map.

    Attributes
    ----------
    kind
        What, as one word: ``"map_started"``.
    map
        The map's number in this process; all events of one map have the same.
    function
        ``module.qualname`` of what is mapped.
    operation
        The method that was called: ``"map"``, ``"imap"``, ``"amap"``; ``"submit"`` for a single call, ``"joblib"`` for
        a call of ``joblib.Parallel``.
    time
        Unix time, in seconds.
    """

    kind: ClassVar[str] = "event"
    map: int
    function: str
    operation: str
    time: float

    def __str__(self) -> str:
        return f"{self.function}.{self.operation}() #{self.map}: {self.said}"

    @property
    def said(self) -> str:
        """What happened, in words."""
        return self.kind.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStarted(Event):
    """A map begins; ``items`` says over how many items, None where that is not known."""

    kind: ClassVar[str] = "map_started"
    items: int | None

    @property
    def said(self) -> str:
        """What happened, in words."""
        return "started" if self.items is None else f"started, {self.items} items"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChosen(Event):
    """The first plan.

    Attributes
    ----------
    plan
        In words: ``"2 processes"``.
    backend, compiler, workers
        The same in parts.
    predicted
        Seconds for what was left, or None.
    why
        The reason.
    """

    kind: ClassVar[str] = "plan_chosen"
    plan: str
    backend: str
    compiler: str
    workers: int
    predicted: float | None
    why: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        return f"{self.plan}: {self.why}" if self.why else self.plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(PlanChosen):
    """Another plan took the place of ``before``."""

    kind: ClassVar[str] = "plan_changed"
    before: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        return f"{self.plan} after {self.before}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled(Event):
    """The map goes on with compiled code, made by ``compiler``."""

    kind: ClassVar[str] = "compiled"
    compiler: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        return f"goes on compiled by {self.compiler}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback(Event):
    """Something went differently from the plan; ``why`` is what the decision says of it."""

    kind: ClassVar[str] = "fallback"
    why: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        return self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDied(Event):
    """A worker process ended; it held ``items`` items from position ``index`` on."""

    kind: ClassVar[str] = "worker_died"
    backend: str
    index: int
    items: int
    exitcode: int | None

    @property
    def said(self) -> str:
        """What happened, in words."""
        return f"a worker ended with exit code {self.exitcode}, holding {self.items} items from {self.index} on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRetried(Event):
    """The item at position ``index`` runs again after an ``error`` of this type."""

    kind: ClassVar[str] = "item_retried"
    index: int
    error: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        return f"item {self.index} runs again after {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFailed(Event):
    """The item at position ``index`` raised an ``error`` of this type, after all retries."""

    kind: ClassVar[str] = "item_failed"
    index: int
    error: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        return f"item {self.index} raised {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapEnded(Event):
    """A map is done.

    Attributes
    ----------
    items
        Items with a result.
    seconds
        What it took.
    plan, backend, compiler, workers
        What it ended with.
    serial_estimate
        Seconds that the plain loop would have taken, or None.
    failures, retries
        Items that raised, and runs of items again, as far as the caller's process has seen them.
    decision
        Number of its decision, as in ``autopar.decisions()``; 0 where it ended before anything of it ran.
    error
        Type of the exception that ended it, or an empty string.
    """

    kind: ClassVar[str] = "map_ended"
    items: int
    seconds: float
    plan: str
    backend: str
    compiler: str
    workers: int
    serial_estimate: float | None
    failures: int
    retries: int
    decision: int
    error: str

    @property
    def said(self) -> str:
        """What happened, in words."""
        how = f"{self.items} items in {self.seconds:.3g} s on {self.plan}"
        return f"ended with {self.error} after {how}" if self.error else f"{how}"


KINDS: dict[str, type[Event]] = {
    each.kind: each
    for each in (
        MapStarted,
        PlanChosen,
        PlanChanged,
        Compiled,
        Fallback,
        WorkerDied,
        ItemRetried,
        ItemFailed,
        MapEnded,
    )
}
"""Kind -> its class."""

Subscriber = Callable[[Any], object]

_telling: ContextVar[bool] = ContextVar("autopar_telling", default=False)


class Subscription:
    """One subscriber; called, or left as a context, it hears nothing more.

    Parameters
    ----------
    callback
        Takes an event.
    kinds
        What it wants to hear.
    """

    def __init__(self, callback: Subscriber, kinds: frozenset[str]) -> None:
        self._callback = callback
        self._kinds = kinds
        self._complained = False

    def __call__(self) -> None:
        """End it."""
        listening.subscribers = tuple(each for each in listening.subscribers if each != self._tell)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self()

    def _tell(self, event: Event) -> None:
        if event.kind not in self._kinds:
            return
        try:
            self._callback(event)
        except Exception as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Say once that the subscriber raised: no map is broken by who listens to it."""
        if self._complained:
            return
        self._complained = True
        name = getattr(self._callback, "__qualname__", type(self._callback).__qualname__)
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = (
            f"the subscriber {name} raised {type(error).__qualname__} at {where.filename}:{where.lineno}: {error}; "
            "maps go on, and further errors of it are passed over"
        )
        try:
            warnings.warn(text, SubscriberWarning, stacklevel=2)
        except SubscriberWarning:  # where warnings are errors it must not become one of the map's
            if sys.stderr is not None:
                sys.stderr.write(f"autopar: {text}\n")


def subscribe(
    callback: Subscriber, *, kinds: str | type[Event] | Iterable[str | type[Event]] | None = None
) -> Subscription:
    """Have a function called with every event.

    Parameters
    ----------
    callback
        Takes one :class:`Event`. It is called on the thread that runs the map, which waits for it; maps and calls of
        its own are not told of. If it raises, that is said once, by a :class:`~autopar.errors.SubscriberWarning`.
    kinds
        What to hear: a kind, such as ``"map_ended"`` or ``MapEnded``, or several; everything if left out.

    Returns
    -------
    Subscription
        Call it to end the subscription, or use it in ``with``.

    Raises
    ------
    HintTypeError, HintValueError
        What is given is not callable, or there is no such kind.

    Examples
    --------
    >>> import autopar as ap
    >>> unsubscribe = ap.events.subscribe(lambda event: print(event.kind, event.items), kinds=["map_started"])
    >>> ap.map(abs, [-1, 2, -3])
    map_started 3
    [1, 2, 3]
    >>> unsubscribe()
    """
    if not callable(callback):
        raise HintTypeError(f"subscribe() takes a callable first, not {type(callback).__name__}")
    found = Subscription(callback, _wanted(kinds))
    listening.subscribers += (found._tell,)
    return found


def _wanted(kinds: Any) -> frozenset[str]:
    if kinds is None:
        return frozenset(KINDS)
    given = [kinds] if isinstance(kinds, (str, type)) else list(kinds)
    wanted: set[str] = set()
    for each in given:
        if isinstance(each, type) and issubclass(each, Event):
            wanted |= {kind for kind, cls in KINDS.items() if issubclass(cls, each)}
        elif not isinstance(each, str):
            raise HintTypeError(f"kinds must be names or classes of events, not {type(each).__name__}")
        elif each not in KINDS:
            raise HintValueError(f"there is no event {each!r}; there are {', '.join(KINDS)}")
        else:
            wanted.add(each)
    return frozenset(wanted)


def tell(event: Event) -> None:
    """Tell everybody who listens, but not of what a listener itself brings about."""
    if _telling.get():
        return
    token = _telling.set(True)
    try:
        for each in listening.subscribers:
            each(event)
    finally:
        _telling.reset(token)
