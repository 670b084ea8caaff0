"""Where NumPy warns of a floating-point operation the call leaves, also if nothing uses the operation's result."""

from __future__ import annotations

import linecache
from typing import Any

import numpy as np
import pytest

from tests.kernel.running import Left, Running
from tests.semantics.rows_arrays import KNOWN_ANYWAY

ZEROS, INFINITE = np.zeros(4), np.full(4, np.inf)


def divided(a: Any) -> Any:
    return a[0] / a[1]


def unused(a: Any) -> Any:
    x = a[0] / a[1]  # noqa: F841
    return 5


def used_on_one_path(a: Any) -> Any:
    x = a[0] / a[1]
    if a[2] > 1:
        return x
    return a[3]


def compared_for_nothing(a: Any) -> Any:
    if a[0] - a[1] != a[2]:
        return 2
    return 2


def overwritten(a: Any) -> Any:
    b = np.zeros(3)
    b[0] = a[0] * a[1]
    b[0] = 1.0
    return b


def overwritten_by_the_next_round(a: Any) -> Any:
    b = np.zeros(3)
    for i in range(len(a)):
        b[0] = a[i] / a[0]
    b[0] = 1.0
    return b


def never_read(a: Any) -> Any:
    b = np.zeros(3)
    for i in range(3):
        b[i] = a[i] / a[0]
    return 1


def dropped(a: Any) -> None:
    a[0] / a[1]


def too_large_for_float32(a: Any) -> Any:
    b = np.zeros(3, np.float32)
    x = 1e300
    b[0] = x
    return b


def compared_with_itself(a: Any) -> Any:
    for i in range(len(a)):
        below = a[i] / a[i] < -1.5
        if below == below:
            pass
    return 1


def compared_beyond_its_range(a: Any) -> Any:
    n = 0
    for i in range(len(a)):
        if a[i] / a[i] < -1.5:
            n += 1
    return n


def compared_with_its_square(a: Any) -> Any:
    n = 0
    for i in range(len(a)):
        if a[i] * a[i] + 1.0 < 0.5:
            n += 1
    return n


def compared_with_the_same_again(a: Any) -> Any:
    n = 0
    for i in range(len(a)):
        if a[i] / a[0] < a[i] / a[0]:
            n += 1
    return n


def not_chosen(a: Any) -> None:
    a[:] = np.where(a < a, a / a, a)


def a_truth_value_overwritten(a: Any) -> Any:
    b = np.zeros(3, np.bool_)
    b[0] = a[0] / a[1] > 1.0
    b[0] = False
    return b


WARNING = [
    (divided, ZEROS),
    (unused, ZEROS),
    (used_on_one_path, np.array([1.0, 0.0, 0.0, 0.0])),
    (compared_for_nothing, INFINITE),
    (overwritten, np.array([1e200, 1e200])),
    (overwritten_by_the_next_round, ZEROS),
    (never_read, ZEROS),
    (dropped, ZEROS),
    (too_large_for_float32, ZEROS),
    (compared_with_itself, ZEROS),
    (compared_with_itself, np.zeros(3, np.uint16)),
    (compared_beyond_its_range, np.zeros(3, np.uint16)),
    (compared_with_its_square, np.array([1e200, 1.0])),
    (compared_with_the_same_again, ZEROS),
    (not_chosen, ZEROS),
    (a_truth_value_overwritten, ZEROS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("function", "array"), WARNING, ids=[f"{row[0].__name__}-{row[1].dtype}" for row in WARNING])
def test_a_warning_is_left_to_numpy(function: Any, array: Any) -> None:
    """NumPy warns in Python, and compiled code leaves for that."""
    with pytest.warns(RuntimeWarning):
        function(array)
    with pytest.raises(Left, match="would warn"):
        Running(function, array)(array)


@pytest.mark.slow
@pytest.mark.parametrize(
    "function", [divided, unused, used_on_one_path, compared_for_nothing], ids=lambda f: f.__name__
)
def test_without_a_warning_the_call_stays(function: Any) -> None:
    """Ordinary numbers, and NaN that is only compared, raise no flag."""
    array = np.array([3.0, 2.0, np.nan, 1.0])
    assert Running(function, array)(array) == function(array)


@pytest.mark.slow
@pytest.mark.parametrize("line", KNOWN_ANYWAY)
def test_what_is_known_without_an_operation_does_not_leave_it_out(line: str) -> None:
    """The outcome of a larger expression may be certain; each operation in it that Python evaluates raises its flag."""
    source = f"def f(a, n):\n    q = a[0]\n    {line}\n    return n\n"
    file = f"<{line}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    names: dict[str, Any] = {}
    exec(compile(source, file, "exec"), names)
    with pytest.warns(RuntimeWarning):
        names["f"](np.zeros(8), 0)
    with pytest.raises(Left, match="would warn"):
        Running(names["f"], np.zeros(8), 0)(np.zeros(8), 0)
