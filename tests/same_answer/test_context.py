"""What surrounds the caller's loop surrounds the items in workers too."""

from __future__ import annotations

import decimal
import locale
import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from pathlib import Path
from typing import Any

import numpy
import pytest

import autopar as ap
from autopar._backends.context import capture
from tests.routes import not_beside_numpy
from tests.same_answer import items
from tests.same_answer.items import (
    Settings,
    by_variable,
    by_variable_of_class,
    decimal_half,
    decimal_point,
    enabled,
    environment,
    folder,
    interpreter,
    nested,
    stream_facts,
    third,
    variable,
    with_default,
)
from tests.same_answer.items_numpy import as_printed, divide

pytestmark = pytest.mark.timeout(30)

N = 12


def same(function: Callable[[int], Any], route: dict[str, Any], xs: range = range(N)) -> None:
    """Compare a map with the loop, as things are now."""
    assert ap.map(function, xs, **route) == [function(x) for x in xs]


def in_context(body: Callable[[], None]) -> None:
    copy_context().run(body)


def test_context_variables_have_the_callers_values(route: dict[str, Any]) -> None:
    """Set, set again and unset, also from one map to the next."""

    def set_and_map() -> None:
        variable.set("one")
        same(by_variable, route)
        variable.set("two")
        with_default.set("three")
        same(by_variable, route)

    same(by_variable, route)
    in_context(set_and_map)
    same(by_variable, route)


def test_a_context_variable_may_be_an_attribute_of_a_class(route: dict[str, Any]) -> None:
    """It is found there."""

    def set_and_map() -> None:
        Settings.current.set(7)
        same(by_variable_of_class, route)

    in_context(set_and_map)


@pytest.mark.parametrize("is_set", [True, False])
def test_a_context_variable_may_be_held_by_the_function_alone(route: dict[str, Any], is_set: bool) -> None:
    """It travels with the function, with its value and its default."""
    own: ContextVar[int] = ContextVar("own", default=3)

    def add(x: int) -> int:
        return x + own.get()

    def set_and_map() -> None:
        if is_set:
            own.set(40)
        same(add, route)

    in_context(set_and_map)


def test_a_value_that_does_not_pickle_keeps_the_function_here(choose_only: Callable[[str], None]) -> None:
    """A function that reads such a variable is not sent to a process, where it would be unset."""
    choose_only("processes")

    def set_and_map() -> None:
        variable.set(threading.Lock())  # type: ignore[arg-type]
        assert ap.map(items.by_variable, range(N)) == [by_variable(x) for x in range(N)]

    in_context(set_and_map)


def test_the_callers_context_is_not_changed_by_results() -> None:
    """A context variable that comes back as a result is the caller's own, with the caller's value."""

    def identity(x: int) -> Any:
        return variable

    def set_and_map() -> None:
        variable.set("mine")
        assert ap.map(identity, range(2), backend="processes") == [variable, variable]
        assert variable.get() == "mine"

    in_context(set_and_map)


def test_the_decimal_context_holds(route: dict[str, Any]) -> None:
    """Precision and rounding are the caller's, and again the usual ones afterwards."""
    with decimal.localcontext(prec=5, rounding=decimal.ROUND_UP):
        same(third, route)
        assert ap.map(third, [0], **route) == ["0.33334"]
    same(third, route)


def test_a_decimal_trap_raises(route: dict[str, Any]) -> None:
    """A signal that the caller traps is raised by the item."""
    with decimal.localcontext() as context:
        context.traps[decimal.Inexact] = True
        with pytest.raises(decimal.Inexact):
            ap.map(third, range(N), **route)
    same(third, route)


def test_decimal_flags_are_set(route: dict[str, Any]) -> None:
    """What signals the items' arithmetic raised shows in the caller's context, and nothing else does."""
    for function, flags in ((third, {decimal.Inexact, decimal.Rounded}), (decimal_half, set())):
        with decimal.localcontext() as context:
            context.clear_flags()
            same(function, route)
            context.clear_flags()
            ap.map(function, range(N), **route)
            assert {signal for signal, on in context.flags.items() if on} == flags


def test_numpy_errors_are_handled_as_the_caller_says(route: dict[str, Any]) -> None:
    """Raised, ignored, and raised again."""
    not_beside_numpy(route)
    with numpy.errstate(divide="ignore"):
        same(divide, route)
    with numpy.errstate(divide="raise"), pytest.raises(FloatingPointError):
        ap.map(divide, range(N), **route)


def test_numpy_prints_as_the_caller_says(route: dict[str, Any]) -> None:
    """Print options are part of an array's text."""
    not_beside_numpy(route)
    with numpy.printoptions(precision=2):
        same(as_printed, route)
        assert ap.map(as_printed, [1], **route) == ["array([0.33])"]
    same(as_printed, route)


def test_interpreter_settings_hold(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Arguments, path, limit of digits and default time-out are those of now."""
    monkeypatch.setattr(sys, "argv", ["program", "--option"])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(socket, "getdefaulttimeout", socket.getdefaulttimeout)
    digits, timeout = sys.get_int_max_str_digits(), socket.getdefaulttimeout()
    try:
        sys.set_int_max_str_digits(1000)
        socket.setdefaulttimeout(12.5)
        same(interpreter, route)
    finally:
        sys.set_int_max_str_digits(digits)
        socket.setdefaulttimeout(timeout)
    same(interpreter, route)


def test_the_recursion_limit_holds(route: dict[str, Any]) -> None:
    """What is deep enough for the caller is for its workers."""
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(20_000)
        assert ap.map(nested, [5000] * 4, **route) == [5000] * 4
    finally:
        sys.setrecursionlimit(before)


def test_folder_and_environment_hold(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both are those of now, in each map anew."""
    for word in ("one", "two"):
        place = tmp_path / word
        place.mkdir()
        monkeypatch.chdir(place)
        monkeypatch.setenv("AUTOPAR_TEST_WORD", word)
        assert ap.map(folder, range(4), **route) == [str(place)] * 4
        assert ap.map(environment, range(4), **route) == [word] * 4
    monkeypatch.delenv("AUTOPAR_TEST_WORD")
    assert ap.map(environment, range(4), **route) == [None] * 4


def test_the_time_zone_holds(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone that the program sets by TZ and tzset() counts in workers."""
    import time

    def hour(x: int) -> int:
        return time.localtime(x * 3600).tm_hour

    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC-5")
        time.tzset()
        same(hour, route)
        assert ap.map(hour, [0], **route) == [5]
    time.tzset()


def test_the_locale_holds(route: dict[str, Any]) -> None:
    """A locale that the program sets counts in workers."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_NUMERIC, name)
            except locale.Error:
                continue
            same(decimal_point, route)
    finally:
        locale.setlocale(locale.LC_ALL, before)


def test_streams_say_of_themselves_what_the_callers_say(route: dict[str, Any]) -> None:
    """Encoding and terminal or not: code that prints may ask."""
    same(stream_facts, route)


@contextmanager
def levels(**names: int) -> Iterator[None]:
    """Set levels of loggers for a while."""
    loggers = {logging.getLogger(name.replace("__", ".")): level for name, level in names.items()}
    before = {logger: logger.level for logger in loggers}
    try:
        for logger, level in loggers.items():
            logger.setLevel(level)
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def test_levels_of_loggers_hold(route: dict[str, Any]) -> None:
    """A logger is enabled in a worker for what it is enabled for here, its parents' levels included."""
    same(enabled, route)
    with levels(autopar_test=logging.DEBUG):
        same(enabled, route)
        with levels(autopar_test__levels=logging.INFO):
            same(enabled, route)
    logging.disable(logging.INFO)
    try:
        with levels(autopar_test=logging.DEBUG):
            same(enabled, route)
    finally:
        logging.disable(logging.NOTSET)
    same(enabled, route)


def test_a_disabled_logger_is_disabled_in_workers(route: dict[str, Any]) -> None:
    """So `isEnabledFor` says no there too."""
    logger = logging.getLogger("autopar_test.levels")
    with levels(autopar_test=logging.DEBUG):
        logger.disabled = True
        try:
            same(enabled, route)
        finally:
            logger.disabled = False


def test_what_a_map_has_set_does_not_stay_for_the_next(choose_only: Callable[[str], None]) -> None:
    """A worker that ran items of one caller looks fresh to the next."""
    with decimal.localcontext(prec=4), numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ap.map(third, range(N), backend="processes")
        ap.map(divide, range(N), backend="processes")
    same(third, {"backend": "processes"})
    with pytest.raises(RuntimeWarning, match="divide by zero"):
        ap.map(divide, range(N), backend="processes")


def test_maps_with_unlike_surroundings_share_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two maps that take turns in the same worker each see their own."""
    monkeypatch.setenv("AUTOPAR_TEST_WORD", "first")
    function = ap.parallel(environment, backend="processes", workers=1, chunksize=1)
    first = function.imap(range(6), buffersize=1)
    results = [next(first)]
    monkeypatch.setenv("AUTOPAR_TEST_WORD", "second")
    second = function.imap(range(6), buffersize=1)
    for _ in range(5):
        results += [next(second), next(first)]
    assert results == ["first", *["second", "first"] * 5]
    assert next(second) == "second"


def test_nothing_has_to_be_pickled_again_for_a_map_like_the_last() -> None:
    """Two snapshots of the same surroundings are equal, and of others are not."""
    with warnings.catch_warnings():
        assert capture() == capture()
        before = capture()
        warnings.simplefilter("ignore", ResourceWarning)
        assert capture() != before


def test_a_folder_that_is_gone_does_not_stop_a_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the caller is nowhere, so may its workers be."""
    place = tmp_path / "gone"
    place.mkdir()
    here = os.getcwd()
    monkeypatch.chdir(place)
    place.rmdir()
    try:
        assert ap.map(abs, [-1, -2], backend="processes") == [1, 2]
    finally:
        os.chdir(here)


def test_variables_that_nobody_can_find_are_left_out() -> None:
    """A variable that only an object holds is no error: the function does not refer to it."""
    hidden: list[ContextVar[Any]] = [ContextVar("hidden")]

    def set_and_map() -> None:
        hidden[0].set(threading.Lock())
        assert ap.map(abs, [-1, -2], backend="processes") == [1, 2]

    Context().run(set_and_map)


def test_coroutines_see_the_callers_context(async_route: dict[str, Any]) -> None:
    """Context variables and the decimal context hold on the event loop, NumPy's error handling too."""

    async def look(x: int) -> tuple[str, str, float]:
        return by_variable(x), third(x), divide(x)

    def set_and_map() -> None:
        variable.set("one")
        with decimal.localcontext(prec=4), numpy.errstate(divide="ignore"):
            expected = [(by_variable(x), third(x), divide(x)) for x in range(N)]
            found: list[Any] = ap.map(look, range(N), **async_route)
            assert found == expected

    in_context(set_and_map)
