"""The decision log tells of what items have said and only its text could travel."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import Any

import pytest

import autopar as ap


class Stuck:
    """Has a text, and does not pickle."""

    def __init__(self, text: str) -> None:
        self.text, self.lock = text, threading.Lock()

    def __str__(self) -> str:
        return self.text


def logs_stuck(x: int) -> int:
    logging.getLogger("autopar_test").warning("%s", Stuck(f"item {x}"))
    return x


def logs_extra(x: int) -> int:
    logging.getLogger("autopar_test").warning("plain", extra={"who": Stuck("me")})
    return x


def warns_stuck(x: int) -> int:
    class Stubborn(DeprecationWarning):
        lock = threading.Lock()

    warnings.warn(Stubborn(f"item {x}"), stacklevel=1)
    return x


def logs_plainly(x: int) -> int:
    logging.getLogger("autopar_test").warning("item %d", x)
    return x


CASES = {
    "arguments": (logs_stuck, ["the message of a log record at {}:{} does not pickle: handlers get it as text"]),
    "attribute": (
        logs_extra,
        ["the attribute 'who' of a log record at {}:{} does not pickle: handlers get it as text"],
    ),
    "warning": (
        warns_stuck,
        ["a warning at {}:{} does not pickle: a DeprecationWarning with its text is issued instead"],
    ),
    "plain": (logs_plainly, []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_became_text_is_in_the_decision(case: str) -> None:
    """Once for each line of the program, with the line, and nothing where all travels as it is."""
    function, expected = CASES[case]
    line = function.__code__.co_firstlineno + (4 if case == "warning" else 1)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert ap.map(function, range(3), backend="processes", workers=1, chunksize=1) == [0, 1, 2]
    texts = [text.format(function.__code__.co_filename, line) for text in expected]
    assert list(ap.decisions()[-1].fallbacks) == texts


def test_on_threads_the_program_s_own_objects_reach_its_handlers() -> None:
    """Attributes are handed on as they are, and the decision has nothing to say of them."""
    seen: list[Any] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.who)  # type: ignore[method-assign, attr-defined]
    logger = logging.getLogger("autopar_test")
    logger.addHandler(handler)
    try:
        ap.map(logs_extra, range(2), backend="threads")
    finally:
        logger.removeHandler(handler)
    assert [type(who) for who in seen] == [Stuck, Stuck]
    assert ap.decisions()[-1].fallbacks == ()


def test_an_executor_and_a_single_call_say_it_too() -> None:
    """The decision of a submitted call has the same line."""
    with ap.Executor(1, backend="processes", pure=True) as executor:
        executor.submit(logs_extra, 1).result()
    assert "'who'" in ap.decisions()[-1].fallbacks[0]
    ap.parallel(logs_extra, backend="processes", pure=True).submit(1).result()
    assert "'who'" in ap.decisions()[-1].fallbacks[0]
