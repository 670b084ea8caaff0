"""What surrounds the caller's loop, carried to worker processes: settings of the interpreter and context variables.

A worker is as fresh as its start; the loop would have seen the caller as it is when the map begins. `capture` reads the
caller's side once a map, `Surroundings` makes a worker look the same around the chunks of that map.

Carried: context variables that a module or class holds and whose value pickles, warnings filters, levels and switches
of loggers, the decimal context, NumPy's error handling and print options, `sys.path`, `sys.argv`, the environment, the
working directory, the locale, the recursion limit, the limit on digits of an integer, the default socket timeout, and
what `sys.stdout` and `sys.stderr` say of themselves.

Not carried: the umask, which cannot be read without setting it for every thread at that moment; garbage collection,
fault handlers, signal handlers, tracing and thread switch interval, on which no answer depends; import hooks; handlers
and filters of loggers, through which the caller itself puts the records; options that other libraries keep for
themselves; and context variables that only objects hold, unless the function refers to them. Flags of the decimal
context go the other way (`signals.py`).
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, NamedTuple

from autopar._backends import said
from autopar._backends.pickling import dumps
from autopar._backends.stream_facts import Facts, facts
from autopar._backends.variables import find, holder_of

Values = dict[str, Any]


class _Part(NamedTuple):
    """One setting: how to read it, None where it is as in a fresh worker, and how to put it there."""

    read: Callable[[], Any]
    write: Callable[[Any], None]


def capture() -> bytes:
    """The caller's surroundings, for :class:`Surroundings` in a worker.

    Raises
    ------
    Exception
        Something that must be carried does not pickle, such as the category of a warnings filter.
    """
    plain, rich = _read(_PLAIN), _read(_RICH)
    return pickle.dumps((_packed(0, plain), _packed(1, rich), _variables()), protocol=5)


class Surroundings:
    """The surroundings of one map's caller, in a worker.

    Attributes
    ----------
    context
        The context that items run in: it holds the caller's context variables.
    """

    def __init__(self, snapshot: bytes) -> None:
        self.context = Context()
        self._plain, self._rich, self._variables = pickle.loads(snapshot)
        self._first = True

    def enter(self) -> None:
        """Make this process look like the caller."""
        self.context.run(self._enter)

    def refresh(self) -> None:
        """Again, after modules were imported: they may set up warnings filters and loggers, but the caller's hold."""
        self.context.run(_write, _RICH, _unpacked(1, self._rich))

    def _enter(self) -> None:
        _write(_PLAIN, _unpacked(0, self._plain))  # First, since it says where modules are found.
        _write(_RICH, _unpacked(1, self._rich))
        if self._first:
            for holder, value in self._variables:
                if holder[0].partition(".")[0] in _NOT_HERE:
                    continue
                find(holder).set(pickle.loads(value))
            self._first = False


class Inherited:
    """The surroundings of a worker that is a copy of the caller: they hold already, and stay."""

    def __init__(self) -> None:
        self.context = copy_context()
        self._rich = _read(_RICH)

    def enter(self) -> None:
        """Nothing is to be changed."""

    def refresh(self) -> None:
        """What the caller has set holds again, after modules were imported."""
        self.context.run(_write, _RICH, self._rich)


AS_IT_IS = b""
"""Sent in place of a snapshot to a worker that is to stay as it is, such as an initializer has made it."""


class AsItIs:
    """The surroundings of jobs that take a worker as it is."""

    context = Context()

    def enter(self) -> None:
        """Nothing is changed."""

    def refresh(self) -> None:
        """Nothing is changed."""


_last: list[tuple[Values, bytes]] = [({}, b""), ({}, b"")]


def _packed(place: int, values: Values) -> bytes:
    """The values pickled, again only if they changed: a map differs little from the one before."""
    known, data = _last[place]
    if not data or known != values:
        data = dumps(values)
        _last[place] = values, data
    return data


def _unpacked(place: int, data: bytes) -> Values:
    """The other way, in a worker."""
    values, known = _last[place]
    if known != data:
        values = _Loader(io.BytesIO(data)).load() if _NOT_HERE else pickle.loads(data)
        _last[place] = values, data
    return values


class _NobodysWarning(Warning):
    """In the place of a warning of a package that this interpreter cannot import."""


class _Loader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _NobodysWarning if module.partition(".")[0] in _NOT_HERE else super().find_class(module, name)


def _read(parts: dict[str, _Part]) -> Values:
    return {name: value for name, part in parts.items() if (value := part.read()) is not None}


def _write(parts: dict[str, _Part], values: Values) -> None:
    for name, part in parts.items():
        wanted = values.get(name, _fresh.get(name))
        if part.read() != wanted:
            part.write(wanted)


_fresh: Values = {}
_NOT_HERE: set[str] = set()
"""Packages that this interpreter cannot import."""


def remember_fresh() -> None:
    """Note how this interpreter was started, for settings that a caller has left alone.

    A forked worker has the caller's own settings of that moment, so it is told the standard library's defaults.
    """
    _fresh.update(_read(_PLAIN) | _read(_RICH))


def _variables() -> list[tuple[tuple[str, str], bytes]]:
    """The caller's context variables that can be found again in another process and whose value pickles."""
    found = []
    for variable, value in copy_context().items():
        holder = holder_of(variable)
        if holder is None:
            continue
        try:
            found.append((holder, dumps(value)))
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: S112 -- a function that reads it itself does not pickle then: see variables.py
            continue
    return found


# -- interpreter and process ---------------------------------------------------------------------------------------


def _write_path(path: list[str]) -> None:
    sys.path[:] = path
    importlib.invalidate_caches()


def _write_argv(argv: list[str]) -> None:
    sys.argv[:] = argv


def _read_environment() -> dict[Any, Any]:
    # To copy the encoded names and values takes 0.2 us for 50 of them, to decode them all 26 us.
    return dict(getattr(os.environ, "_data", None) or os.environ)


def in_interpreter() -> None:
    """This is an interpreter beside the caller's: what belongs to the process is as the caller has it.

    NumPy cannot be imported here, so its settings are nobody's.
    """
    for name in ("directory", "locale"):
        del _PLAIN[name]
    del _RICH["numpy"]
    _NOT_HERE.add("numpy")
    _PLAIN["environment"] = _Part(_read_environment, _write_own_environment)


def _write_own_environment(encoded: dict[Any, Any]) -> None:
    """Change what this interpreter sees of the environment, and not the process's."""
    data: dict[Any, Any] = getattr(os.environ, "_data")  # noqa: B009
    data.clear()
    data.update(encoded)


def _write_environment(encoded: dict[Any, Any]) -> None:
    before = os.environ.get("TZ")
    wanted = {os.fsdecode(name): os.fsdecode(value) for name, value in encoded.items()}
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    if os.environ.get("TZ") != before and hasattr(time, "tzset"):
        time.tzset()


def _read_directory() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def _write_directory(directory: str | None) -> None:
    if directory is not None:
        with suppress(FileNotFoundError):  # The folder is gone meanwhile: then it does not matter where we are.
            os.chdir(directory)


def _read_locale() -> str:
    import _locale

    return _locale.setlocale(_locale.LC_ALL, None)


def _write_locale(locale: str) -> None:
    import _locale

    _locale.setlocale(_locale.LC_ALL, locale)


def _read_socket_timeout() -> float | None:
    socket = sys.modules.get("socket")
    timeout: float | None = socket.getdefaulttimeout() if socket is not None else None
    return timeout


def _write_socket_timeout(timeout: float | None) -> None:
    import socket

    socket.setdefaulttimeout(timeout)


def _write_streams(facts: tuple[Facts, Facts]) -> None:
    said.resemble(*facts)


# -- decimal, numpy, warnings, logging -----------------------------------------------------------------------------


def _read_decimal() -> tuple[Any, ...] | None:
    decimal = sys.modules.get("decimal")
    if decimal is None:
        return None
    facts = _decimal_facts(decimal.getcontext())
    return None if facts == _decimal_facts(decimal.DefaultContext) else facts


def _decimal_facts(context: Any) -> tuple[Any, ...]:
    traps = [signal for signal, on in context.traps.items() if on]
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps


def _write_decimal(facts: tuple[Any, ...] | None) -> None:
    import decimal

    if facts is None:
        decimal.setcontext(decimal.Context())
        return
    prec, rounding, lowest, highest, capitals, clamp, traps = facts
    decimal.setcontext(decimal.Context(prec, rounding, lowest, highest, capitals, clamp, flags=[], traps=traps))


_USUAL_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_USUAL_PRINTING = {
    "edgeitems": 3, "threshold": 1000, "floatmode": "maxprec", "precision": 8, "suppress": False, "linewidth": 75,
    "nanstr": "nan", "infstr": "inf", "sign": "-", "formatter": None, "legacy": False,
}  # fmt: skip


def _read_numpy() -> tuple[Any, Any, Any] | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "geterrcall"):  # It is being imported.
        return None
    # From NumPy 2 on print options are a context variable that numpy's own module holds.
    printing = numpy.get_printoptions() if numpy.__version__.startswith("1.") else _USUAL_PRINTING
    found = numpy.geterr(), numpy.geterrcall(), printing
    return None if found == (_USUAL_ERRORS, None, _USUAL_PRINTING) else found


def _write_numpy(wanted: tuple[Any, Any, Any] | None) -> None:
    import numpy

    errors, callback, printing = wanted or (_USUAL_ERRORS, None, _USUAL_PRINTING)
    numpy.seterr(**errors)
    numpy.seterrcall(callback)
    if numpy.__version__.startswith("1."):
        numpy.set_printoptions(**printing)


def _read_warnings() -> tuple[list[Any], str]:
    # From Python 3.14 on `catch_warnings` may keep its filters in a context variable.
    current = getattr(warnings, "_get_filters", None)
    return list(current() if current is not None else warnings.filters), warnings.defaultaction  # type: ignore[attr-defined]


def _write_warnings(wanted: tuple[list[Any], str]) -> None:
    warnings.filters[:], warnings.defaultaction = wanted  # type: ignore[attr-defined, index]
    with warnings.catch_warnings():
        pass  # Leaving it tells the C side that the filters have changed.


def _read_logging() -> tuple[Any, ...] | None:
    logging = sys.modules.get("logging")
    if logging is None or not hasattr(logging, "root"):
        return None
    loggers = {
        name: facts
        for name, logger in list(logging.root.manager.loggerDict.items())
        if (facts := _logger_facts(logger)) is not None
    }
    return logging.root.level, logging.root.manager.disable, logging.raiseExceptions, loggers


def _logger_facts(logger: Any) -> tuple[int, bool, bool] | None:
    """Level, disabled and propagate, if anybody has touched them; a placeholder has none."""
    try:
        facts = logger.level, logger.disabled, logger.propagate
    except AttributeError:
        return None
    return None if facts == _UNTOUCHED else facts


_UNTOUCHED = (0, False, True)


def _write_logging(wanted: tuple[Any, ...] | None) -> None:
    import logging

    level, disable, logging.raiseExceptions, loggers = wanted or (logging.WARNING, 0, True, {})
    logging.root.setLevel(level)
    logging.disable(disable)
    for name in [*logging.root.manager.loggerDict, *loggers]:
        logger = logging.root.manager.loggerDict.get(name)
        if name not in loggers and (logger is None or _logger_facts(logger) is None):
            continue
        logger = logging.getLogger(name)
        own_level, logger.disabled, logger.propagate = loggers.get(name, _UNTOUCHED)
        logger.setLevel(own_level)


_PLAIN: dict[str, _Part] = {
    "path": _Part(lambda: list(sys.path), _write_path),
    "argv": _Part(lambda: list(sys.argv), _write_argv),
    "environment": _Part(_read_environment, _write_environment),
    "directory": _Part(_read_directory, _write_directory),
    "locale": _Part(_read_locale, _write_locale),
    "recursion": _Part(sys.getrecursionlimit, sys.setrecursionlimit),
    "digits": _Part(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    "socket timeout": _Part(_read_socket_timeout, _write_socket_timeout),
    "streams": _Part(facts, _write_streams),
}
"""Settings that pickle by themselves and come first."""

_RICH: dict[str, _Part] = {
    "decimal": _Part(_read_decimal, _write_decimal),
    "numpy": _Part(_read_numpy, _write_numpy),
    "warnings": _Part(_read_warnings, _write_warnings),
    "logging": _Part(_read_logging, _write_logging),
}
"""Settings that may refer to classes of the user's modules, and that importing a module may change."""
