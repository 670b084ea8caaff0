"""Hints: what a user may pin, how each is checked, and how the places they come from are merged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from autopar._model.compiler import EXACT, Terms
from autopar._model.plan import BACKENDS, COMPILERS
from autopar.errors import HintTypeError, HintValueError, NotBuiltError, UnknownNameError

DECORATOR = "@parallel"
"""Where hints are written: above a function."""

OnError = Callable[[Exception, Any], Any]
ProgressCallback = Callable[[int, "int | None"], object]


def _wrong_type(name: str, value: object, expected: str) -> HintTypeError:
    return HintTypeError(f"{name} must be {expected}, not {type(value).__name__}")


def _named(name: str, table: Mapping[str, Any]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _wrong_type(name, value, f"a string, one of {', '.join(table)}")
        if value not in table:
            raise UnknownNameError(f"{name}={value!r} is unknown; choose one of {', '.join(table)}")
        if table[value].module is None:
            raise NotBuiltError(
                f"{name}={value!r} is planned but not part of this version of autopar; "
                f"choose one of {', '.join(k for k, spec in table.items() if spec.module)}"
            )
        return value

    return check


def _count(name: str, least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not hasattr(type(value), "__index__"):
            raise _wrong_type(name, value, f"a whole number of at least {least}")
        number = int(value.__index__())
        if number < least:
            raise HintValueError(f"{name} must be at least {least}, not {number}")
        return number

    return check


def _seconds(name: str) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not hasattr(type(value), "__float__") or isinstance(value, str):
            raise _wrong_type(name, value, "a number of seconds above 0")
        number = float(value)
        if math.isnan(number) or number <= 0:
            raise HintValueError(f"{name} must be above 0 seconds, not {number:g}; leave it out for no limit")
        return number

    return check


def _flag(name: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(name, value, "True or False")
        return value

    return check


def _on_error(value: Any) -> str | OnError:
    if isinstance(value, str):
        if value not in ("raise", "return"):
            raise HintValueError(f'on_error must be "raise", "return" or a callable, not {value!r}')
        return value
    if not callable(value):
        raise _wrong_type("on_error", value, '"raise", "return" or a callable taking (exception, item)')
    return value  # type: ignore[no-any-return]


def _seed(value: Any) -> int | str:
    if value == "fresh" and isinstance(value, str):
        return "fresh"
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise _wrong_type("seed", value, 'a whole number or "fresh"')
    return int(value.__index__())


def _text(name: str, expected: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _wrong_type(name, value, f"a string, {expected}")
        if not value or "\0" in value:
            raise HintValueError(f"{name} must be {expected}, not {value!r}")
        return value

    return check


def _cluster(value: Any) -> Any:
    if isinstance(value, str):
        if not value.strip():
            raise HintValueError('cluster must be an address, "local" or a distributed.Client, not an empty string')
        return value.strip()
    if any(kind.__module__.partition(".")[0] == "distributed" for kind in type(value).__mro__):
        if hasattr(value, "scatter"):
            return value
        raise HintTypeError(f"cluster must be a distributed.Client, not a {type(value).__name__}: pass Client(it)")
    raise _wrong_type("cluster", value, 'an address such as "tcp://host:8786", "local" or a distributed.Client')


def _resources(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong_type("resources", value, 'a dictionary of names and amounts, such as {"GPU": 1}')
    for name, amount in value.items():
        if isinstance(amount, (bool, str)) or not hasattr(type(amount), "__float__"):
            raise _wrong_type(f"resources[{name!r}]", amount, "a number above 0")
        if not 0 < float(amount) < math.inf:
            raise HintValueError(f"resources[{name!r}] must be above 0, not {float(amount):g}")
    if not value:
        raise HintValueError('resources must name at least one, such as {"GPU": 1}; leave it out for none')
    return {name: float(amount) for name, amount in value.items()}


def _rtol(value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(type(value), "__float__"):
        raise _wrong_type("rtol", value, "a relative tolerance from 0 up to 1")
    number = float(value)
    if not 0 <= number < 1:
        raise HintValueError(f"rtol must be from 0 up to 1, not {number:g}")
    return number


def _progress(value: Any) -> bool | ProgressCallback:
    if isinstance(value, bool):
        return value
    if callable(value):
        return cast(ProgressCallback, value)
    raise _wrong_type("progress", value, "True, False or a callable taking (done, total)")


def _number_from_text(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _flag_from_text(text: str) -> Any:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    return words[text.strip().lower()]


def _resources_from_text(text: str) -> Any:
    parts = [part.partition("=") for part in text.split(",")]
    return {name.strip(): float(amount) for name, _, amount in parts}


def _seed_from_text(text: str) -> Any:
    return text if text == "fresh" else int(text)


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
        Hint("backend", _named("backend", BACKENDS), None, "where items run; a demand", optional=True),
        Hint("compiler", _named("compiler", COMPILERS), None, "how one call runs; a demand", optional=True),
        Hint(
            "workers",
            _count("workers", 1),
            None,
            "most items under way at the same time",
            _number_from_text,
            optional=True,
        ),
        Hint(
            "chunksize",
            _count("chunksize", 1),
            None,
            "items sent to a worker together; sized by time if left out",
            _number_from_text,
            optional=True,
        ),
        Hint(
            "timeout",
            _seconds("timeout"),
            None,
            "seconds one item may take, then ItemTimeoutError",
            _number_from_text,
            optional=True,
        ),
        Hint("retries", _count("retries", 0), 0, "times an item that raised runs again", _number_from_text),
        Hint("on_error", _on_error, "raise", '"raise", "return" the exception in its place, or callable(error, item)'),
        Hint(
            "seed",
            _seed,
            None,
            'own random stream for each item, from this number or "fresh"',
            _seed_from_text,
            optional=True,
        ),
        Hint("pure", _flag("pure"), False, "your word that calls change nothing outside themselves", _flag_from_text),
        Hint(
            "thread_safe", _flag("thread_safe"), False, "your word that calls may overlap on threads", _flag_from_text
        ),
        Hint("rtol", _rtol, 0.0, "relative rounding difference you accept from compiled code", _number_from_text),
        Hint(
            "exact",
            _flag("exact"),
            True,
            'False, with compiler="numba", takes what Numba gives, unchecked: your own risk',
            _flag_from_text,
        ),
        Hint(
            "c",
            _text("c", "the path of a library, a colon and a symbol"),
            None,
            'C function that is called in place of the Python body: "lib.so:symbol"; for the decorator only',
            optional=True,
            decorator_only=True,
        ),
        Hint(
            "c_source",
            _text("c_source", "the path of a C file"),
            None,
            "C file that holds it, compiled when it is first called; for the decorator only",
            optional=True,
            decorator_only=True,
        ),
        Hint(
            "progress",
            _progress,
            None,
            "a progress bar after a second; True: at once, False: never; or callable(done, total)",
            _flag_from_text,
            optional=True,
        ),
        Hint(
            "cluster",
            _cluster,
            None,
            'Dask cluster that items may run on: an address, "local" or a distributed.Client',
            optional=True,
        ),
        Hint(
            "plaintext",
            _flag("plaintext"),
            False,
            "your word that a connection to a cluster on other machines needs no encryption",
            _flag_from_text,
        ),
        Hint(
            "gather",
            _flag("gather"),
            True,
            "False leaves results on the cluster and returns a distributed.Future for each",
            _flag_from_text,
        ),
        Hint(
            "resources",
            _resources,
            None,
            "Dask resources that each chunk of items needs of its worker; a demand for a cluster",
            _resources_from_text,
            optional=True,
        ),
    )
}


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
    retries: int = 0
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
    eager: bool = False
    given: frozenset[str] = field(default=frozenset())
    plain: bool = field(init=False, default=True)
    in_loop: bool = field(init=False, default=True)

    @property
    def terms(self) -> Terms:
        """What compiled code may differ in."""
        return Terms(self.rtol, self.exact) if self.rtol or not self.exact else EXACT

    def __post_init__(self) -> None:
        careful = self.retries > 0 or self.on_error != "raise" or self.seed is not None or self.timeout is not None
        told = self.progress is not None and self.progress is not False
        in_loop = self.backend in (None, "serial") and not (careful or self.eager or told)
        object.__setattr__(self, "in_loop", in_loop)
        object.__setattr__(self, "plain", in_loop and self.backend is None and self.compiler is None)


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
