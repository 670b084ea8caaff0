"""Everyday numeric functions on the native route: their answers, and which of them it admits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.semantics import everyday
from tests.semantics.compilers import COMPILERS, Native
from tests.semantics.outcome import arguments_of, outcome

pytestmark = pytest.mark.slow

EVERYDAY: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (everyday.running_mean, ("(np.arange(20.0) ** 0.5, 4)",)),
    (everyday.bisection, ("(1.0, 2.0, 1e-12)",)),
    (everyday.gcd, ("(462, 1071)", "(17, 0)")),
    (everyday.gcd_sum, ("(20,)",)),
    (everyday.is_prime, ("(97,)", "(91,)", "(2,)", "(-3,)")),
    (everyday.count_primes, ("(100,)",)),
    (everyday.fibonacci_mod, ("(1000, 1000007)",)),
    (everyday.matrix_vector, ("(np.arange(6.0).reshape(2, 3) / 7, np.array([0.1, 0.2, 0.3]))",)),
    (everyday.convolution, ("(np.arange(6.0) / 7, np.array([0.25, 0.5, 0.25]))",)),
    (
        everyday.bubble_sort,
        ("(np.array([3.0, 1.0, 2.0]),)", "(np.array([3, 1, 2]),)", "(np.array([3, 1, 2], 'uint8'),)"),
    ),
    (everyday.insertion_sort, ("(np.array([3.0, 1.0, 2.0]),)", "(np.array([3, 1, 2]),)", "([3, 1, 2],)")),
    (everyday.run_lengths, ("(np.array([1, 1, 2, 2, 2, 3]), np.zeros(6, int), np.zeros(6, int))",)),
    (
        everyday.dot,
        ("(np.arange(5.0) / 7, np.arange(5.0) / 3)", "([0.1, 0.2], [0.3, 0.4])", "(np.arange(5.0), np.arange(3.0))"),
    ),
    (everyday.cosine, ("(np.arange(5.0) / 7, np.arange(5.0) / 3)",)),
    (everyday.newton_sqrt, ("(2.0,)", "(2.0, 1e-3)")),
    (everyday.horner, ("(np.array([0.5, -1.0, 3.0]), 0.7)", "([0.5, -1.0, 3.0], 0.7)", "((0.5, -1.0, 3.0), 0.7)")),
    (everyday.simpson, ("(0.0, 1.0, 50)",)),
    (everyday.trapezoid, ("(np.arange(9.0) ** 2, np.arange(9.0))",)),
    (everyday.perfect_numbers, ("(100,)",)),
    (everyday.digit_sum, ("(9071,)",)),
    (everyday.binary_search, ("(np.arange(10.0), 7.0)", "(np.arange(10), 3.5)", "(np.arange(10), 4)")),
    (everyday.moving_median, ("(np.sin(np.arange(20.0)), 5)",)),
    (everyday.distances, ("(np.sin(np.arange(12.0)).reshape(4, 3),)",)),
    (
        everyday.k_means_step,
        ("(np.sin(np.arange(12.0)).reshape(6, 2), np.arange(4.0).reshape(2, 2), np.zeros(6, int))",),
    ),
    (everyday.ising_sweep, ("(np.ones((4, 4), int), 0.4, 7)", "(np.ones((4, 4), 'int8'), 0.4, 7)")),
    (everyday.sor, ("(np.arange(30.0).reshape(5, 6) % 7, 1.5, 3)",)),
    (everyday.runge_kutta, ("(1.0, 2.0, 20)",)),
    (everyday.julia, ("(np.zeros((4, 5), int), -0.8, 0.156, 50)",)),
    (everyday.pascal_mod, ("(20, 3)",)),
    (everyday.partitions, ("(30,)",)),
    (everyday.edit_distance, ("(np.array([1, 2, 3, 4]), np.array([2, 3, 5]))",)),
    (everyday.longest_increasing, ("(np.array([3, 1, 4, 1, 5, 9, 2, 6]),)",)),
    (everyday.coin_change, ("(np.array([1, 2, 5]), 30)", "((1, 2, 5), 30)", "([1, 2, 5], 30)")),
    (everyday.popcount, ("(1234567,)",)),
    (everyday.xorshift, ("(2463534242, 10)",)),
    (everyday.crc32, ("(np.array([49, 50, 51, 52], np.uint8),)",)),
    (everyday.gauss_legendre, ("(0.0, 1.0)",)),
    (everyday.variance, ("(np.sin(np.arange(20.0)),)",)),
    (everyday.exponential_average, ("(np.sin(np.arange(20.0)), 0.3)",)),
    (everyday.maximum_subarray, ("(np.array([-2, 1, -3, 4, -1, 2, 1, -5, 4]),)",)),
    (everyday.heat, ("(np.sin(np.arange(10.0)), 3, 0.1)",)),
    (everyday.softmax, ("(np.sin(np.arange(10.0)),)",)),
    (everyday.logistic_map, ("(3.7, 20)",)),
    (everyday.pi_monte_carlo, ("(50, 1)",)),
    (everyday.interpolate, ("(1.5, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0])", "(-1.0, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0])")),
    (everyday.norm, ("([0.1, 0.2, 0.3],)",)),
    (everyday.haversine, ("(52.5, 13.4, 48.1, 11.6)",)),
)
"""Functions with argument expressions."""

IN_PYTHON: dict[str, str] = {
    "pi_monte_carlo": "",
}
"""What runs in Python: the function, and why it is refused; nothing where its numbers make it leave compiled code."""

CALLS = [
    pytest.param(function, call, id=f"{function.__name__}{call}") for function, calls in EVERYDAY for call in calls
]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(("function", "call"), CALLS)
def test_an_everyday_function_goes_as_in_python(function: Any, call: str, compiler: str) -> None:
    """Its value, type and arguments afterwards are Python's."""
    file = function.__code__.co_filename
    expected = outcome(function, arguments_of(call, {}), {}, file)
    assert outcome(COMPILERS[compiler](function), arguments_of(call, {}), {}, file) == expected


def test_what_is_not_native_is_known() -> None:
    """Each everyday function runs compiled, but for those of the table, which give the reasons that are given there."""
    reasons = {}
    for function, calls in EVERYDAY:
        opened = Native(function)
        outcome(opened, arguments_of(calls[0], {}), {}, "")
        if not opened.compiled[0]:
            reasons[function.__name__] = opened.refusals[0] if opened.refusals else ""
    assert set(reasons) == set(IN_PYTHON), reasons
    assert {name: reason for name, reason in reasons.items() if IN_PYTHON[name] not in reason} == {}
