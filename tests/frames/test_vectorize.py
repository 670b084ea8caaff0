"""`autopar.vectorize` gives what `numpy.vectorize` gives, and calls the function with the same, as often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autopar as ap
from autopar._engine.journal import decision_log
from autopar.errors import HintTypeError, UnavailableError
from tests.frames.comparing import Outcome

WAYS = ["serial", "threads", "processes"]
FEWER = settings(max_examples=settings().max_examples // 2)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::RuntimeWarning")]


def add(a: Any, b: Any = 1) -> Any:
    return a + b


def pair(a: Any, b: Any = 1) -> Any:
    return a, b * 2


def pair_of_small(a: Any, b: Any = 1) -> Any:
    return (a, b) if a < 3 else a


def fails(a: Any, b: Any = 1) -> Any:
    return 1 // (a - b)


def text(a: Any, b: Any = 1) -> Any:
    return f"{a!r} {b!r}"


def none(a: Any, b: Any = 1) -> None:
    return None


def total(a: Any) -> Any:
    return a.sum()


def begin(a: Any) -> Any:
    return a[:2]


def as_many_as_it_says(a: Any) -> Any:
    return a[: int(a[0])]


def polynomial(coefficients: Any, x: Any) -> Any:
    value = 0
    for each in coefficients:
        value = value * x + each
    return value


def compare(function: Callable[..., Any], args: Any, kwargs: Any, **arguments: Any) -> None:
    """Both results, and what both were called with in the caller's process."""
    calls: list[list[str]] = []

    def outcome(vectorize: Any) -> Outcome:
        calls.append(noted := [])

        def watched(*a: Any, **k: Any) -> Any:
            noted.append(repr((a, k)))
            return function(*a, **k)

        return Outcome(lambda: vectorize(watched, **arguments)(*args, **kwargs))

    expected, found = outcome(np.vectorize), outcome(ap.vectorize)
    found.assert_same(expected)
    assert calls[0] == calls[1]


arrays = hnp.arrays(
    st.sampled_from([np.int64, np.float64, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
    elements=st.integers(0, 1),
)


@given(
    function=st.sampled_from([add, pair, pair_of_small, fails, text, none]),
    args=st.lists(arrays.map(lambda array: array.T[::-1] if array.ndim else array) | arrays, min_size=1, max_size=2),
    by_name=st.booleans(),
    otypes=st.sampled_from([None, "d", "O", [np.int8], "dd", "U3"]),
    cache=st.booleans(),
)
def test_calls_and_results_are_those_of_numpy(
    function: Any, args: list[Any], by_name: bool, otypes: Any, cache: bool
) -> None:
    """Dtypes, shapes, layouts, exceptions, and the calls in their order, however arguments are broadcast."""
    named = {"b": args.pop()} if by_name and len(args) > 1 else {}
    compare(function, args, named, otypes=otypes, cache=cache)


@pytest.mark.parametrize("way", WAYS)
@FEWER
@given(function=st.sampled_from([add, pair, pair_of_small, fails, text]), a=arrays, b=arrays, keyword=st.booleans())
def test_results_are_the_same_wherever_the_calls_run(way: str, function: Any, a: Any, b: Any, keyword: bool) -> None:
    """Threads and processes give NumPy's arrays, or the first exception."""
    args, kwargs = ((a,), {"b": b}) if keyword else ((a, b), {})
    expected = Outcome(lambda: np.vectorize(function)(*args, **kwargs))
    Outcome(lambda: ap.vectorize(function, backend=way, workers=2)(*args, **kwargs)).assert_same(expected)


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "arguments"),
    [
        (polynomial, ([1, 2, 3], [0, 1, 2]), {}, {"excluded": {0}}),
        (polynomial, ([1, 2, 3],), {"x": [0, 1, 2]}, {"excluded": {0}}),
        (polynomial, (), {"coefficients": [1, 2], "x": [0, 1, 2]}, {"excluded": {"coefficients"}}),
        (polynomial, ([1, 2, 3], 5), {}, {"excluded": {0, 1}}),
        (total, (np.arange(12).reshape(3, 4)[::-1],), {}, {"signature": "(n)->()"}),
        (total, (np.zeros((0, 4)),), {}, {"signature": "(n)->()"}),
        (total, (np.zeros((0, 4)),), {}, {"signature": "(n)->()", "otypes": "d"}),
        (begin, (np.arange(12).reshape(3, 4),), {}, {"signature": "(n)->(m)"}),
        (as_many_as_it_says, (np.arange(1, 13).reshape(3, 4),), {}, {"signature": "(n)->(m)"}),
        (np.convolve, (np.eye(4), [1, 2, 1]), {}, {"signature": "(n),(m)->(k)"}),
        (total, (1, 2), {}, {"signature": "(n)->()"}),
        (add, ([1, 2.5, 3], [[1], [2]]), {}, {}),
        (add, ([[1], [2, 3]], 1), {}, {"otypes": "O"}),
        (add, ([],), {}, {}),
        (add, (["a", "b"], "c"), {}, {}),
        (lambda: 5, (), {}, {}),
        (lambda: 5, (), {}, {"otypes": "d"}),
    ],
)
def test_excluded_arguments_signatures_and_odd_inputs(
    function: Any, args: Any, kwargs: Any, arguments: dict[str, Any]
) -> None:
    """All that NumPy's class takes is taken, and refused as NumPy refuses it."""
    compare(function, args, kwargs, **arguments)


@pytest.mark.parametrize("arguments", [{"otypes": 5}, {"otypes": "?!"}, {"signature": "nonsense"}])
def test_wrong_arguments_raise_what_numpy_raises(arguments: dict[str, Any]) -> None:
    """Types and signatures are checked by NumPy, where NumPy checks them."""
    expected = Outcome(lambda: np.vectorize(add, **arguments))
    assert expected.error is not None
    Outcome(lambda: ap.vectorize(add, **arguments)).assert_same(expected)


def test_as_a_decorator_it_keeps_name_and_docstring() -> None:
    """With arguments and no function it is a decorator, as NumPy's class."""

    @ap.vectorize(otypes=[float], workers=2)
    def square(x: Any) -> Any:
        """Multiply by itself."""
        return x * x

    assert square([1, 2]).tolist() == [1.0, 4.0]
    assert (square.__name__, square.__doc__) == ("square", "Multiply by itself.")


def test_hints_come_from_the_function_and_the_call_of_vectorize() -> None:
    """A decorated function brings its hints and keeps its decisions; an unknown hint is refused."""
    double = ap.parallel(lambda x: 2 * x, workers=2)
    assert ap.vectorize(double, backend="threads")(range(5)).tolist() == [0, 2, 4, 6, 8]
    assert (double.decisions[-1].operation, double.decisions[-1].plan.backend) == ("vectorize", "threads")
    with pytest.raises(HintTypeError, match="nonsense"):
        ap.vectorize(add, nonsense=1)


def test_a_single_call_is_numpys_and_a_demand_for_it_is_refused() -> None:
    """Where nothing is vectorized there is one call; the log says so."""
    assert ap.vectorize(polynomial, excluded={0, 1})([1, 2], 3) == 5
    assert "nothing is vectorized" in decision_log().all()[-1].why
    with pytest.raises(UnavailableError, match="nothing is vectorized"):
        ap.vectorize(polynomial, excluded={0, 1}, backend="threads")([1, 2], 3)
