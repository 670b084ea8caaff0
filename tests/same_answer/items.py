"""Functions that see what surrounds them, and that print, log, warn and draw: worker processes import them by name."""

from __future__ import annotations

import decimal
import locale
import logging
import os
import random
import socket
import sys
import warnings
from contextvars import ContextVar
from pathlib import Path
from random import random as draw
from typing import Any

BAD = 5
"""The item at which the functions that fail do so."""

variable: ContextVar[str] = ContextVar("variable")
with_default: ContextVar[str] = ContextVar("with_default", default="default")


class Settings:
    """Holds a context variable as an attribute."""

    current: ContextVar[int] = ContextVar("current", default=0)


class OwnWarning(UserWarning):
    """A category of its own, with more than a text."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text, code)
        self.code = code


# -- what surrounds the loop


def by_variable(x: int) -> str:
    return f"{x} {variable.get('unset')} {with_default.get()}"


def by_variable_of_class(x: int) -> int:
    return x + Settings.current.get()


def third(x: int) -> str:
    return str(decimal.Decimal(x + 1) / 3)


def decimal_half(x: int) -> str:
    return str(decimal.Decimal(x) / 2)


def nested(x: int) -> int:
    return 0 if x == 0 else 1 + nested(x - 1)


def interpreter(x: int) -> tuple[Any, ...]:
    return sys.argv[:], sys.path[:], sys.get_int_max_str_digits(), socket.getdefaulttimeout()


def folder(x: int) -> str:
    return str(Path.cwd())


def environment(x: int) -> str | None:
    return os.environ.get("AUTOPAR_TEST_WORD")


def decimal_point(x: int) -> str:
    return locale.str(x / 2)


def stream_facts(x: int) -> tuple[Any, ...]:
    return sys.stdout.encoding, sys.stdout.isatty(), sys.stderr.errors


def enabled(x: int) -> tuple[bool, bool]:
    logger = logging.getLogger("autopar_test.levels")
    return logger.isEnabledFor(logging.DEBUG), logger.isEnabledFor(logging.INFO)


# -- output


def prints(x: int) -> int:
    print("item", x)
    print("more of", x, end=" and ")
    print("its end")
    return x


def prints_both(x: int) -> int:
    print("out", x)
    print("err", x, file=sys.stderr)
    return x


def writes(x: int) -> int:
    sys.stdout.write(f"written {x}\n")
    return x


def writes_bytes(x: int) -> int:
    sys.stdout.buffer.write(b"bytes %d\n" % x)
    return x


def prints_umlauts(x: int) -> int:
    print("Grüße", x)
    return x


def prints_then_fails(x: int) -> int:
    print("item", x)
    if x == BAD:
        raise ValueError(x)
    return x


def prints_to_string(x: int) -> str:
    import io

    text = io.StringIO()
    print("kept", x, file=text)
    return text.getvalue()


def says_result_that_stays(x: int) -> Any:
    print("item", x)
    return sys if x == BAD else x  # A module does not travel as a value of its own; its name does.


def logs(x: int) -> int:
    logging.getLogger("autopar_test.items").info("item %d of %s", x, "several")
    return x


def logs_all_kinds(x: int) -> int:
    logger = logging.getLogger("autopar_test.items")
    logger.debug("debug %d", x)
    logger.warning("named %(x)d", {"x": x})
    logger.error("a list %s", [x], extra={"own": x, "more": {x}})
    return x


def logs_errors(x: int) -> int:
    try:
        return 1 // (x % 3)
    except ZeroDivisionError:
        logging.getLogger("autopar_test.items").exception("failed at %d", x)
        return 0


def logs_and_prints(x: int) -> int:
    print("before", x)
    logging.getLogger("autopar_test.items").warning("between %d", x)
    print("after", x)
    return x


# -- warnings


def warns_alike(x: int) -> int:
    warnings.warn("the same each time", UserWarning, stacklevel=1)
    return x


def warns_of_each(x: int) -> int:
    warnings.warn(f"item {x}", UserWarning, stacklevel=1)
    return x


def warns_its_own(x: int) -> int:
    warnings.warn(OwnWarning(f"item {x}", x), stacklevel=1)
    return x


def warns_then_fails(x: int) -> int:
    warnings.warn(f"item {x}", RuntimeWarning, stacklevel=1)
    if x == BAD:
        raise ValueError(x)
    return x


# -- randomness


def draws(x: int) -> float:
    return random.random()


def draws_by_name(x: int) -> float:
    return draw()


def blames_its_caller(x: int) -> int:
    warnings.warn("not like this", stacklevel=2)
    return x
