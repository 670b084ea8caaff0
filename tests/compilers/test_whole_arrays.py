"""Whole-array code made into loops: the same answers, effects, errors and warnings as NumPy's, or refused."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

from autopar._compilers.arrays import as_loops
from autopar._compilers.native import signature
from autopar._compilers.native.comparing import difference
from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.numba import compile_for
from autopar._kernel.refusal import Refused
from autopar._model.compiler import Refusal, Terms
from benchmarks.numpy_kernels.kernels import CASES as KERNELS
from tests.compilers.array_programs import programs
from tests.semantics.compilers import Never
from tests.semantics.outcome import Outcome, arguments_of, module, outcome

pytestmark = pytest.mark.slow

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"
PROGRAMS = 2000 if LONG else 30
SIZES = (
    "(np.arange(5.0) / 3 - 0.5, np.cos(np.arange(5.0)), np.sin(np.arange(25.0)).reshape(5, 5),"
    " np.array([0, 2, 1, 4, 3]), 0.25)",
    "(np.arange(2.0), np.ones(2), np.ones((2, 2)), np.array([1, 0]), 0.0)",
    "(np.zeros(0), np.zeros(0), np.zeros((0, 0)), np.zeros(0, int), 1.0)",
    "(np.arange(3.0), np.ones(3), np.ones((4, 3)), np.array([1, 7, -1]), -1.0)",
    "(np.array([np.nan, 0.0, -0.0]), np.array([np.inf, 1.0, -1.0]), np.eye(3), np.array([2, 1, 0]), 0.5)",
    "(*overlapping(np.arange(6.0)), np.ones((5, 5)), np.arange(5), 2.0)",
)

# name, source of f, calls, whether compiled code is to end the first of them
ROWS = "np.arange(12.0).reshape(3, 4)"
CASES: tuple[tuple[str, str, tuple[str, ...], bool], ...] = (
    ("a slice that is shifted in place", "a[1:] = a[:-1]\n    return a", ("(np.arange(6.0),)",), True),
    ("a slice added to its neighbour", "a[1:] += a[:-1]\n    return a", ("(np.arange(6.0),)",), True),
    ("a slice reversed in place", "a[:] = a[::-1]\n    return a", ("(np.arange(6.0),)",), True),
    ("an element that is overwritten on the way", "a[:] = a / a[0]\n    return a", ("(np.arange(1.0, 7.0),)",), True),
    ("another name for the array", "b = a\n    b[1:] = a[:-1] * 2.0\n    return a", ("(np.arange(6.0),)",), True),
    ("a view that is written", "b = a[1:]\n    b[:] = a[:-1] + 1.0\n    return a", ("(np.arange(6.0),)",), True),
    ("a row that is written", "r = a[1]\n    r += a[0]\n    return a", ("(np.arange(6.0).reshape(2, 3),)",), True),
    ("a diagonal step", "a[1:, 1:] = a[:-1, :-1]\n    return a", ("(np.arange(9.0).reshape(3, 3),)",), True),
    ("a shape that does not fit", "return a[1:] + a[2:]", ("(np.arange(6.0),)", "(np.zeros(0),)"), False),
    ("a broadcast length of one", "return a[:1] + a", ("(np.arange(6.0),)",), True),
    ("a slice beyond the end", "return a[:9] * 2.0", ("(np.arange(12.0),)", "(np.arange(3.0),)"), True),
    ("division by zero warns", "return 1.0 / a", ("(np.arange(1.0, 3.0),)", "(np.arange(3.0),)"), True),
    (
        "both sides of where are worked out",
        "return np.where(a > 0.0, 1.0 / a, 0.0)",
        ("(np.arange(1.0, 3.0),)", "(np.arange(3.0),)"),
        True,
    ),
    ("overflow warns", "return a * 1e300", ("(np.arange(3.0),)", "(np.array([1e300]),)"), True),
    ("integers wrap silently", "return a * a", ("(np.arange(3),)", "(np.array([2**40]),)"), True),
    (
        "narrow integers stay narrow",
        "return a + 1",
        ("(np.arange(3, dtype='uint8'),)", "(np.array([255], 'uint8'),)"),
        True,
    ),
    ("single precision stays single", "return a * 0.1 + 1.0", ("(np.arange(3, dtype='float32'),)",), True),
    (
        "a sum in NumPy's order",
        "return np.sum(a)",
        ("(np.cos(np.arange(1000.0) ** 2),)", "(np.zeros(0),)", "(-np.zeros(3),)"),
        True,
    ),
    ("a sum of rows", "return a.sum(axis=0)", ("(np.cos(np.arange(60.0) ** 2).reshape(6, 10),)",), True),
    ("a sum along rows", "return a.sum(axis=1)", ("(np.cos(np.arange(3000.0) ** 2).reshape(6, 500),)",), True),
    ("mean, variance, deviation", "return a.mean(), a.var(), np.std(a)", ("(np.cos(np.arange(999.0) ** 2),)",), True),
    ("a sum of truth values", "return np.sum(a > 1.0)", ("(np.arange(5.0),)",), True),
    (
        "the largest of what has NaN",
        "return a.max()",
        ("(np.arange(5.0),)", "(np.array([1.0, np.nan]),)", "(np.zeros(0),)"),
        True,
    ),
    ("the largest of signed zeros", "return a.max()", ("(np.array([1.0, -0.0]),)", "(np.array([-0.0, 0.0]),)"), True),
    ("where the largest is", "return a.argmax()", ("(np.array([1.0, 3.0, 3.0]),)", "(np.array([1.0, np.nan]),)"), True),
    ("running sums", "return np.cumsum(a)", ("(np.cos(np.arange(50.0)),)", "(np.arange(5),)"), True),
    (
        "what an index array picks",
        "return a[i]",
        ("(np.arange(5.0), np.array([4, 0, -1]))", "(np.arange(2.0), np.array([2]))"),
        True,
    ),
    ("an index array that repeats", "a[i] = 1.0\n    return a", ("(np.zeros(5), np.array([4, 0, 4]))",), True),
    ("np.add.at adds each time", "np.add.at(a, i, 1.0)\n    return a", ("(np.zeros(5), np.array([4, 0, 4]))",), True),
    ("in place by an index array", "a[i] += 1.0\n    return a", ("(np.zeros(5), np.array([4, 0, 4]))",), False),
    ("a mask", "a[a > 1.0] = 0.0\n    return a", ("(np.arange(5.0),)",), True),
    ("the truth of an array", "return 1 if a > 0 else 2", ("(np.arange(5.0),)", "(np.arange(1.0),)"), False),
    ("outer products", "return np.outer(a, a)", ("(np.arange(5.0),)",), True),
    (
        "a result that is the argument",
        "a *= 2.0\n    return a",
        ("(np.arange(5.0),)", "(read_only(np.arange(3.0)),)"),
        True,
    ),
    ("a result that is a view", "return a[1:]", ("(np.arange(5.0),)",), False),
    ("a transposed result", "return a.T", ("(np.arange(6.0).reshape(2, 3),)",), False),
    ("results that are views", "return a[1:], a[::-1]", ("(np.arange(5.0),)",), False),
    ("views in a list", "return [a * 2.0, a[1:]]", ("(np.arange(5.0),)",), False),
    ("one of two views", "return a if a[0] > 1.0 else a[1:]", ("(np.arange(5.0),)",), False),
    (
        "views that are written to",
        "b, c = a[1:], a[::2]\n    b[0] = 9.0\n    c[0] = 8.0\n    return b + 1.0",
        ("(np.arange(5.0),)",),
        True,
    ),
    ("rows of a view", "for row in a[::2]:\n        row[0] = 7.0\n    return a + 1.0", (f"({ROWS},)",), True),
    *(
        (f"the order of a new array: {body}", f"return {body}", (f"(np.asfortranarray({ROWS}),)",), False)
        for body in (
            "a * 2.0",
            "a * 2.0, a + 1.0",
            "a / a.std()",
            "np.sqrt(a)",
            "np.where(a > 1.0, a, 0.0)",
            "np.zeros_like(a) + 1.0",
            "a.astype(float)",
            "a > 1.0",
        )
    ),
    ("the order of a transposed array", "b = a.T * 2.0\n    return b", (f"({ROWS},)",), False),
    (
        "the order of another transposed array",
        "return a.T + 1.0",
        (f"(np.asfortranarray({ROWS}),)", f"({ROWS}[:, ::2],)", f"({ROWS}[::2],)"),
        True,
    ),
    ("the order of columns", "return a[:, i]", (f"({ROWS}, np.array([1, 0]))",), False),
    ("the order of rows", "return a[i]", (f"({ROWS}, np.array([1, 0]))",), True),
    ("a copy is in C order", "return a.copy()", (f"(np.asfortranarray({ROWS}),)",), True),
    ("strided arguments", "return a + 1.0", ("(every_second(np.arange(5.0)),)", "(backwards(np.arange(5.0)),)"), True),
    ("floats into integers", "a[:] = a / 2\n    return a", ("(np.arange(5),)",), True),
    ("exponentials without a tolerance", "return np.exp(a)", ("(np.arange(5.0),)",), False),
    ("matrix products without a tolerance", "return a @ a", ("(np.arange(5.0),)",), False),
    ("random numbers", "return a + np.random.random(3)", ("(np.arange(0.0),)",), False),
    (
        "errors that are caught",
        "try:\n        return a[9] + a\n    except IndexError:\n        return a",
        ("(np.arange(5.0),)",),
        False,
    ),
)


def _source(body: str) -> str:
    names = "a, i" if "i]" in body or ", i," in body else "a"
    return f"def f({names}):\n    {body}\n"


class Opened:
    """A function with nothing but its kernel between call and answer; one that was withdrawn is compiled anew."""

    def __init__(self, function: Any, rtol: float = 0.0) -> None:
        self.function, self.rtol = function, rtol
        self.ended: list[bool] = []
        self._forms: dict[Any, CompiledFunction | Refusal] = {}

    def __call__(self, *arguments: Any) -> Any:
        self.ended.append(False)
        form = self._form_for(arguments)
        if isinstance(form, Refusal):
            return self.function(*arguments)
        before = form.calls
        try:
            return form(*arguments)
        finally:
            self.ended[-1] = form.calls > before

    def _form_for(self, arguments: tuple[Any, ...]) -> CompiledFunction | Refusal:
        types = signature(self.function, arguments, {})
        if isinstance(types, Refusal):
            return types
        known = self._forms.get(types)
        if known is not None and (isinstance(known, Refusal) or not known.withdrawn):
            return known
        form = compile_for(self.function, types, terms=Terms(rtol=self.rtol))
        if not isinstance(form, Refusal):
            assert isinstance(form, CompiledFunction)
            form.sampling = Never()
            form._entry.countdown = 1 << 40
        self._forms[types] = form
        return form


def _both(source: str, calls: tuple[str, ...], *, one_nan: bool = False) -> Iterator[tuple[Outcome, Outcome, Opened]]:
    """What each call does in Python, on a module of its own, and compiled."""
    file = "<whole arrays>"
    names = module(source, file)
    opened = Opened(names["f"])
    for call in calls:
        fresh = module(source, file)
        expected = outcome(fresh["f"], arguments_of(call, fresh), fresh, file, one_nan=one_nan)
        yield expected, outcome(opened, arguments_of(call, names), names, file, one_nan=one_nan), opened


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "body", "calls", "compiled"), CASES, ids=[case[0] for case in CASES])
def test_a_case_goes_as_in_numpy(name: str, body: str, calls: tuple[str, ...], compiled: bool) -> None:
    """Value and type to the bit, errors, warnings, and the arguments afterwards; and no less is compiled than was."""
    ended: list[bool] = []
    for expected, found, opened in _both(_source(body), calls):
        assert found == expected
        ended = opened.ended
    assert ended[0] == compiled


@pytest.mark.timeout(600)
def test_random_programs_go_as_in_numpy() -> None:
    """Slices that overlap, broadcasting, in-place operations, masks, reductions: equal, whether compiled or not."""
    ended = []

    @seed(1)
    @settings(max_examples=PROGRAMS, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs())
    def each(source: str) -> None:
        names = module(source, "<whole arrays>")
        arguments = arguments_of(SIZES[0], names)
        types = signature(names["f"], arguments, {})
        assert not isinstance(types, Refusal)
        try:
            as_loops(names["f"], types, {})
        except Refused:
            ended.append(False)
            return
        compiled = False
        for call, (expected, found, opened) in zip(SIZES, _both(source, SIZES, one_nan=True), strict=True):
            assert found == expected, call
            compiled = any(opened.ended)
        ended.append(compiled)

    each()
    assert sum(ended) >= len(ended) // 8


@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", KERNELS if LONG else KERNELS[::3], ids=lambda case: case.name)
def test_a_numpy_kernel_is_exact_or_within_the_tolerance(case: Any) -> None:
    """Without a tolerance the answer is NumPy's to the bit; with one it is within that, and compiled."""
    arguments = case.arguments(np.random.default_rng(3))
    expected = case.function(*arguments)
    exact, close = Opened(case.function), Opened(case.function, rtol=1e-9)
    assert difference(exact(*arguments), expected) == ""
    assert difference(close(*arguments), expected, rtol=1e-9) == ""
    assert close.ended == [True]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return np.exp(a)", "np.exp() rounds otherwise than the C library; rtol= would admit it"),
        ("return a @ a", "matrix products add in BLAS's own order; rtol= would admit another"),
        ("return np.maximum(a, 0.0)", "np.maximum() of floats may differ in the sign of zero; rtol= would admit it"),
        ("return np.sort(a)", "np.sort() is not made into loops"),
        ("return np.random.random(3) + a", ""),
    ],
)
def test_a_refusal_says_what_exactness_forbids(body: str, reason: str) -> None:
    """With the line, and the hint that would admit it."""
    function = module(_source(body), "<refused>")["f"]
    types = signature(function, (np.arange(3.0),), {})
    assert not isinstance(types, Refusal)
    with pytest.raises(Refused) as found:
        as_loops(function, types, {})
    assert found.value.line == 2
    assert reason in found.value.reason


def test_a_changed_numpy_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions of NumPy's that were made into loops are guarded: a program may put others in their place."""
    function = module("def f(a):\n    return np.sqrt(a) + 1.0\n", "<guarded>")["f"]
    arguments = (np.arange(4.0),)
    types = signature(function, arguments, {})
    assert not isinstance(types, Refusal)
    form = compile_for(function, types)
    assert not isinstance(form, Refusal)
    assert form(*arguments)[3] == math.sqrt(3.0) + 1.0
    monkeypatch.setattr(np, "sqrt", lambda values: values * 0.0)
    assert form(*arguments)[3] == 1.0
    assert "sqrt" in form.withdrawn
