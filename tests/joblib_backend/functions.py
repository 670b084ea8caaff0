"""What the tests of the joblib backend run."""

from __future__ import annotations

import os
import threading
import time
import warnings
from typing import Any

from joblib import Parallel, delayed

import autopar as ap
from autopar._model.nesting import nested_cores


def double(number: int) -> int:
    return 2 * number


def where(_: object = None) -> tuple[int, str]:
    return os.getpid(), threading.current_thread().name


def fail_at_three(number: int) -> int:
    if number == 3:
        raise LookupError("three")
    return number


def fail_at_numbers(value: Any) -> Any:
    if isinstance(value, int):
        raise LookupError("a number")
    return value


def kind_of(array: Any) -> tuple[str, bool, float]:
    return type(array).__name__, bool(array.flags.writeable), float(array.sum())


def same(array: Any) -> Any:
    return array


def nested(number: int) -> list[tuple[int, int]]:
    return Parallel(n_jobs=2)(delayed(with_process)(each) for each in range(number))  # type: ignore[no-any-return]


def nested_by_name(number: int) -> list[int]:
    return Parallel(n_jobs=2, backend="autopar")(delayed(double)(each) for each in range(number))  # type: ignore[no-any-return]


def with_process(number: int) -> tuple[int, int]:
    return number, os.getpid()


def share(_: object) -> int | None:
    return nested_cores.get()


def sleep_long(_: object) -> None:
    time.sleep(60)


def warn_once(number: int) -> int:
    warnings.warn("careful", stacklevel=1)
    return number


def map_inside(number: int) -> list[int]:
    return ap.map(double, range(number))


def leave(_: object) -> None:
    os._exit(7)
