"""Hints: what a user may pin, how each is checked, and how the places they come from are merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any

from autopar._model import hint_checks as checks
from autopar._model.compiler import EXACT, Terms
from autopar._model.hint_checks import OnError, ProgressCallback
from autopar._model.light_dataclass import dataclass
from autopar._model.plan import BACKENDS, COMPILERS
from autopar._model.retry import Retry
from autopar.errors import HintTypeError, HintValueError, WorkerDiedError

DECORATOR = "@parallel"
"""Where hints are written: above a function."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint: its check, its default and its line in the reference.

    ``parse`` turns the text of an environment variable into a value, or raises ValueError or KeyError.
    ``optional`` hints take None for "not set". ``decorator_only`` hints say what the function is, so they are given
    where it is decorated and nowhere else.
    """

    name: str
    check: Callable[[Any], Any]
    default: Any
    doc: str
    parse: Callable[[str], Any] = str
    optional: bool = False
    decorator_only: bool = False


HINTS: dict[str, Hint] = {
    hint.name: hint
    for hint in (
        Hint("backend", checks.named("backend", BACKENDS), None, "where items run; a demand", optional=True),
        Hint("compiler", checks.named("compiler", COMPILERS), None, "how one call runs; a demand", optional=True),
        Hint(
            "workers",
            checks.count("workers", 1),
            None,
            "most items under way at the same time",
            checks.number_from_text,
            optional=True,
        ),
        Hint(
            "chunksize",
            checks.count("chunksize", 1),
            None,
            "items sent to a worker together; sized by time if left out",
            checks.number_from_text,
            optional=True,
        ),
        Hint(
            "timeout",
            checks.seconds("timeout"),
            None,
            "seconds one item may take, then ItemTimeoutError",
            checks.number_from_text,
            optional=True,
        ),
        Hint(
            "deadline",
            checks.seconds("deadline"),
            None,
            "seconds the whole map may take, then DeadlineError",
            checks.number_from_text,
            optional=True,
        ),
        Hint("retries", checks.count("retries", 0), 0, "times an item that raised runs again", checks.number_from_text),
        Hint(
            "retry_on",
            checks.retry_on,
            None,
            "exception class, or a tuple of them, after which an item runs again; any Exception if left out",
            optional=True,
        ),
        Hint(
            "backoff",
            checks.seconds("backoff"),
            None,
            "longest pause before the first retry, in seconds; it doubles with each, and is drawn at random below that",
            checks.number_from_text,
            optional=True,
        ),
        Hint(
            "backoff_max",
            checks.seconds("backoff_max"),
            120.0,
            "seconds that no pause before a retry exceeds",
            checks.number_from_text,
        ),
        Hint(
            "on_error",
            checks.on_error,
            "raise",
            '"raise", "return" the exception in its place, or callable(error, item)',
        ),
        Hint(
            "seed",
            checks.seed,
            None,
            'own random stream for each item, from this number or "fresh"',
            checks.seed_from_text,
            optional=True,
        ),
        Hint(
            "pure",
            checks.flag("pure"),
            False,
            "your word that calls change nothing outside themselves",
            checks.flag_from_text,
        ),
        Hint(
            "thread_safe",
            checks.flag("thread_safe"),
            False,
            "your word that calls may overlap on threads",
            checks.flag_from_text,
        ),
        Hint(
            "rtol",
            checks.rtol,
            0.0,
            "relative rounding difference you accept from compiled code",
            checks.number_from_text,
        ),
        Hint(
            "exact",
            checks.flag("exact"),
            True,
            'False, with compiler="numba", takes what Numba gives, unchecked: your own risk',
            checks.flag_from_text,
        ),
        Hint(
            "c",
            checks.text("c", "the path of a library, a colon and a symbol"),
            None,
            'C function that is called in place of the Python body: "lib.so:symbol"; for the decorator only',
            optional=True,
            decorator_only=True,
        ),
        Hint(
            "c_source",
            checks.text("c_source", "the path of a C file"),
            None,
            "C file that holds it, compiled when it is first called; for the decorator only",
            optional=True,
            decorator_only=True,
        ),
        Hint(
            "max_tasks_per_worker",
            checks.count("max_tasks_per_worker", 1),
            None,
            "items after which a worker process makes way for a fresh one",
            checks.number_from_text,
            optional=True,
        ),
        Hint(
            "worker_memory",
            checks.size("worker_memory"),
            None,
            'bytes, or a text such as "2GB", beyond which a worker process makes way for a fresh one after its item',
            optional=True,
        ),
        Hint(
            "checkpoint",
            checks.path("checkpoint"),
            None,
            "file that keeps results, so that a map that was killed goes on where it was",
            optional=True,
        ),
        Hint(
            "checkpoint_changed",
            checks.one_of("checkpoint_changed", "raise", "rerun", "reuse"),
            "raise",
            'what to do with kept results of other code: "raise", "rerun" the items, or "reuse" them',
        ),
        Hint(
            "checkpoint_pickle",
            checks.flag("checkpoint_pickle"),
            False,
            "your word that the checkpoint is your own: results of any type are kept, and loaded, as pickles",
            checks.flag_from_text,
        ),
        Hint(
            "progress",
            checks.progress,
            None,
            "a progress bar after a second; True: at once, False: never; or callable(done, total)",
            checks.flag_from_text,
            optional=True,
        ),
        Hint(
            "cluster",
            checks.cluster,
            None,
            'Dask cluster that items may run on: an address, "local" or a distributed.Client',
            optional=True,
        ),
        Hint(
            "plaintext",
            checks.flag("plaintext"),
            False,
            "your word that a connection to a cluster on other machines needs no encryption",
            checks.flag_from_text,
        ),
        Hint(
            "gather",
            checks.flag("gather"),
            True,
            "False leaves results on the cluster and returns a distributed.Future for each",
            checks.flag_from_text,
        ),
        Hint(
            "resources",
            checks.resources,
            None,
            "Dask resources that each chunk of items needs of its worker; a demand for a cluster",
            checks.resources_from_text,
            optional=True,
        ),
    )
}


OF_WHOLE_MAPS = frozenset(
    {"deadline", "max_tasks_per_worker", "worker_memory", "checkpoint", "checkpoint_changed", "checkpoint_pickle"}
)
"""Hints that say nothing about a single call."""


def check_hints(given: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Check hints and return them cleaned.

    Parameters
    ----------
    given
        Hint names and values as the user wrote them.
    where
        Where they were written, for the message: ``"@parallel"``.

    Raises
    ------
    HintTypeError
        An unknown name or a wrong type.
    HintValueError
        A value out of range.
    UnknownNameError, NotBuiltError
        A backend or compiler that does not exist, or not yet.
    """
    checked: dict[str, Any] = {}
    for name, value in given.items():
        hint = HINTS.get(name)
        if hint is None:
            raise HintTypeError(f"{where} got an unknown hint {name!r}; the hints are {', '.join(HINTS)}")
        if hint.decorator_only and where != DECORATOR:
            raise HintTypeError(f"{where} got the hint {name!r}, which belongs to {DECORATOR}: it says what runs")
        checked[name] = None if value is None and hint.optional else hint.check(value)
    return checked


def hints_from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Hints out of ``AUTOPAR_<NAME>`` variables; an empty variable counts as not set.

    Raises
    ------
    HintValueError
        A variable's text is not a value of its hint.
    """
    found: dict[str, Any] = {}
    for name, hint in HINTS.items():
        if hint.decorator_only:
            continue
        variable = f"AUTOPAR_{name.upper()}"
        text = environ.get(variable, "")
        if not text:
            continue
        try:
            value = hint.parse(text)
        except (ValueError, KeyError):
            raise HintValueError(f"{variable}={text!r} is not a value of the hint {name} ({hint.doc})") from None
        try:
            found.update(check_hints({name: value}, where=variable))
        except (HintTypeError, HintValueError) as error:
            raise type(error)(f"{variable}: {error}") from None
    return found


@dataclass(frozen=True, slots=True)
class Settings:
    """All hints resolved for one operation.

    ``given`` names those that somebody set; ``plain`` says that nothing is asked of an item but its call, and
    ``in_loop`` that nothing is which the loop in the caller's thread would not do, be its function compiled or not.
    """

    backend: str | None = None
    compiler: str | None = None
    workers: int | None = None
    chunksize: int | None = None
    timeout: float | None = None
    deadline: float | None = None
    retries: int = 0
    retry_on: tuple[type[BaseException], ...] | None = None
    backoff: float | None = None
    backoff_max: float = 120.0
    on_error: str | OnError = "raise"
    seed: int | str | None = None
    pure: bool = False
    thread_safe: bool = False
    rtol: float = 0.0
    exact: bool = True
    progress: bool | ProgressCallback | None = None
    cluster: Any = None
    plaintext: bool = False
    gather: bool = True
    resources: dict[str, float] | None = None
    max_tasks_per_worker: int | None = None
    worker_memory: int | None = None
    checkpoint: str | None = None
    checkpoint_changed: str = "raise"
    checkpoint_pickle: bool = False
    eager: bool = False
    given: frozenset[str] = field(default=frozenset())
    plain: bool = field(init=False, default=True)
    in_loop: bool = field(init=False, default=True)

    @property
    def terms(self) -> Terms:
        """What compiled code may differ in."""
        return Terms(self.rtol, self.exact) if self.rtol or not self.exact else EXACT

    def __post_init__(self) -> None:
        in_loop = self.backend in (None, "serial") and self.direct and not (self.timed or self.eager)
        told = self.progress is not None and self.progress is not False
        object.__setattr__(self, "in_loop", in_loop and not told)
        object.__setattr__(self, "plain", self.in_loop and self.backend is None and self.compiler is None)

    @property
    def must_compile(self) -> bool:
        """Compiled code is demanded; ``compiler="python"`` forbids it, and demands nothing."""
        return self.compiler not in (None, "python")

    @property
    def timed(self) -> bool:
        """Items, or all of them together, may take so long and no longer."""
        return self.timeout is not None or self.deadline is not None

    @property
    def may_repeat(self) -> bool:
        """The user's word that what an item does may be done twice: it changes nothing, or a retry may follow."""
        after_a_death = self.retry_on is None or issubclass(WorkerDiedError, self.retry_on)
        return self.pure or (self.retries > 0 and after_a_death)

    @property
    def retry(self) -> Retry:
        """What is done about items that fail."""
        return Retry(self.retries, self.retry_on or (Exception,), self.backoff or 0.0, self.backoff_max)

    @property
    def direct(self) -> bool:
        """An item is its call and nothing more: errors end the map, and results go straight to the caller."""
        return not self.retries and self.on_error == "raise" and self.seed is None and self.checkpoint is None


_FIELDS = frozenset(f.name for f in fields(Settings)) - {"given", "plain", "in_loop"}
DEFAULTS = Settings()


def check_together(hints: Mapping[str, Any]) -> None:
    """Check what hints mean together.

    Raises
    ------
    HintValueError
        ``exact=False`` without ``compiler="numba"``.
    """
    if not hints.get("exact", True) and hints.get("compiler") != "numba":
        raise HintValueError('exact=False goes with compiler="numba": of all others autopar gives exact answers only')


def _demand_cluster(merged: dict[str, Any]) -> None:
    """What only a cluster can do demands one."""
    wants = [name for name, demanded in ONLY_ON_A_CLUSTER.items() if name in merged and demanded(merged[name])]
    if not wants:
        return
    backend = merged.get("backend")
    if backend not in (None, "dask"):
        raise HintValueError(f'{wants[0]}={merged[wants[0]]!r} is for backend="dask", not backend={backend!r}')
    merged["backend"] = "dask"


ONLY_ON_A_CLUSTER: dict[str, Callable[[Any], bool]] = {
    "gather": lambda value: value is False,
    "resources": lambda value: value is not None,
}
"""Hint -> whether a value of it can be met by the backend ``dask`` alone."""


def settle(*layers: Mapping[str, Any], eager: bool = False) -> Settings:
    """Merge layers of checked hints; earlier layers win.

    Raises
    ------
    HintValueError
        Two of them contradict each other.

    Examples
    --------
    >>> settle({"workers": 2}, {"workers": 8, "retries": 1}).workers
    2
    """
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged.update(layer)
    if not merged and not eager:
        return DEFAULTS
    _demand_cluster(merged)
    check_together(merged)
    return Settings(**merged, eager=eager, given=frozenset(name for name in merged if name in _FIELDS))
