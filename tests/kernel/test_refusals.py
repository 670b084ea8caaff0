"""What is outside the fragment is refused, with the line and the reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autopar._kernel import types as t
from autopar._kernel.lower import lower
from autopar._kernel.refusal import Refused
from tests.kernel.running import kernel_for

# Each function is refused on its last line but one, where there is one, else on its last.


def dict_display(n: Any) -> Any:
    return {n: n}


def set_display(n: Any) -> Any:
    return {n}


def formatted(n: Any) -> Any:
    return f"{n}"


def inner_function(n: Any) -> Any:
    return (lambda: n)()


def generator(n: Any) -> Any:
    return (i for i in range(n))


def caught(n: Any) -> Any:
    try:
        return 1 // n
    except ZeroDivisionError:
        return 0


def global_name(n: Any) -> Any:
    return UNKNOWN_NAME + n  # type: ignore[name-defined] # noqa: F821


def int_or_float(n: Any) -> Any:
    x: Any = n
    if n > 3:
        x = 1.5
    return x


def either_type(n: Any) -> Any:
    return n if n > 3 else 2.5


def two_results(n: Any) -> Any:
    if n > 3:
        return n
    return None


def itself(n: Any) -> Any:
    return itself(n - 1) if n else 0


def pairwise(a: Any) -> Any:
    return np.var(a)


def inexact(a: Any) -> Any:
    return math.gamma(a[0])


def repeated_rows(n: Any) -> Any:
    rows = [[0] * n for _ in range(n)]
    return rows * 2


def of_two_types(n: Any) -> Any:
    return [1, 2.5, n]


def minimum_of_two_types(n: Any) -> Any:
    return min(n, 2.5)


def text(n: Any) -> Any:
    return "n" * n


def complex_number(n: Any) -> Any:
    return n * 1j


def whole_arrays(a: Any) -> Any:
    return a**3


def exponentials(a: Any) -> Any:
    return np.exp(a)


def along_an_axis(a: Any) -> Any:
    return np.max(a, axis=0)


def array_and_list(a: Any) -> Any:
    return a + [1.0]  # noqa: RUF005


def kept_as_integers(a: Any) -> Any:
    b = np.zeros(3, dtype=np.int64)
    b += a
    return b


def two_meanings(a: Any) -> Any:
    if a > 0:
        return 1
    return 2


def written_list(items: Any) -> Any:
    items[0] = items
    return None


def opened(n: Any) -> Any:
    return open(n)


def digits(x: Any) -> Any:
    return round(x, 2)


ARRAY = np.ones(3)
TABLE: list[tuple[Any, tuple[Any, ...], str]] = [
    (dict_display, (1,), "dict is not"),
    (set_display, (1,), "set is not"),
    (formatted, (1,), "f-string"),
    (inner_function, (1,), "lambda"),
    (generator, (1,), "a generator"),
    (caught, (1,), "try is not"),
    (global_name, (1,), "the name 'UNKNOWN_NAME' is not there"),
    (int_or_float, (1,), "'x' is float on one path and int on another"),
    (either_type, (1,), "int on one path and float on another"),
    (two_results, (1,), "int on one path and None on another"),
    (itself, (1,), "calls itself"),
    (pairwise, (ARRAY,), "rounds in an order of its own"),
    (inexact, (ARRAY,), "math.gamma() is not"),
    (repeated_rows, (1,), "rows are one object"),
    (of_two_types, (1,), "a list of different types"),
    (minimum_of_two_types, (1,), "of int and float"),
    (text, (1,), "not in the native fragment"),
    (complex_number, (1,), "complex is not"),
    (whole_arrays, (ARRAY,), "a power of arrays"),
    (exponentials, (ARRAY,), "rtol= would admit"),
    (along_an_axis, (ARRAY,), "with these arguments"),
    (array_and_list, (ARRAY,), "beside an array"),
    (kept_as_integers, (ARRAY,), "kept in an array of np.int64"),
    (two_meanings, (ARRAY,), "comparing anything but numbers"),
    (opened, (1,), "open() is not"),
    (digits, (1.5,), "round() with these arguments"),
]


@pytest.mark.parametrize(("function", "arguments", "reason"), TABLE, ids=[row[0].__name__ for row in TABLE])
def test_a_refusal_says_why(function: Any, arguments: tuple[Any, ...], reason: str) -> None:
    """The reason names what is not taken, and the line is one of the function's."""
    with pytest.raises(Refused, match=r"^line") as refused:
        kernel_for(function, *arguments)
    assert reason in refused.value.reason
    first = function.__code__.co_firstlineno
    assert first <= refused.value.line <= first + 6


def test_the_line_is_that_of_the_file() -> None:
    """The line of a refusal is where the culprit stands in its file."""
    with pytest.raises(Refused) as refused:
        kernel_for(caught, 1)
    assert refused.value.line == caught.__code__.co_firstlineno + 1


def test_source_that_is_not_what_runs_is_refused() -> None:
    """A function whose file no longer says what was compiled is not trusted."""

    def function(n: int) -> int:
        return n + 1

    function.__code__ = function.__code__.replace(co_consts=(None, 2))
    with pytest.raises(Refused, match="not what the function was compiled from"):
        lower(function, (t.Int(),))


def test_source_that_is_not_there_is_refused() -> None:
    """A function made by exec has no source to read."""
    namespace: dict[str, Any] = {}
    exec("def function(n):\n    return n\n", namespace)
    with pytest.raises(Refused, match="not at hand"):
        lower(namespace["function"], (t.Int(),))


def test_coroutines_and_generators_are_refused() -> None:
    """Only plain functions are lowered."""

    def numbers(n: int) -> Any:
        yield n

    with pytest.raises(Refused, match="generators"):
        lower(numbers, (t.Int(),))
