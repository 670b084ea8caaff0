"""Which functions are hardly worth asking the compilers of numeric code for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar._engine.candidates import COMPILED_BUILTINS, is_likely_refused, is_one_call, seems_to_hold_the_gil
from autopar._engine.compiling import Compiling
from autopar._engine.functions import FunctionState
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.hints import DEFAULTS
from autopar._model.observation import Sample

SCALE = 3


def loops(n: int) -> float:
    """A loop over numbers with a check that makes a text."""
    total = 0.0
    for k in range(n):
        total += math.sqrt(k) * SCALE
    return total


def raises(n: int) -> int:
    """Names of exceptions say nothing."""
    if n < 0:
        raise ValueError("negative")
    return abs(n)


def whole_arrays(a: Any) -> Any:
    """NumPy's own functions, of which one has the name of a method of sets."""
    return np.add(a, a).sum()


def sort(a: Any) -> Any:
    """A NumPy method that lists have too."""
    a.sort()
    return a[0]


def inner(n: int) -> Any:
    """The text is made inside a comprehension."""
    return [str(k) for k in range(n)]


CASES: list[tuple[Callable[..., Any], bool]] = [
    (loops, False),
    (raises, False),
    (whole_arrays, False),
    (sort, False),
    (inner, True),
    (lambda text: text.split(), True),
    (lambda text: len(re.findall("a", text.lower())), True),
    (lambda xs: sorted(xs)[0], True),
    (lambda d: d.get("a"), True),
    (lambda x: f"{x}", True),
    (lambda x: {x: 1}, True),
    (lambda x: isinstance(x, int), True),
    (lambda xs: [x * 2 for x in xs], False),
    (lambda x: max(min(x, 3), 0) ** 2, False),
]


@pytest.mark.parametrize(("function", "refused"), CASES)
def test_what_works_on_texts_or_dicts_is_no_candidate(function: Callable[..., Any], refused: bool) -> None:
    """Numbers and arrays are worth a look; texts, dicts, sets and builtin functions for other things are not."""
    assert is_likely_refused(function) is refused


SINGLE: list[tuple[Callable[..., Any], bool]] = [
    (lambda seed: np.full(500, seed, dtype=np.float64), True),
    (lambda x: math.sqrt(x), True),
    (lambda x: SCALE and x, False),
    (lambda x: math.sqrt(x) + 1, False),
    (lambda x: math.sqrt(math.fabs(x)), False),
    (lambda x: math.hypot(*x), True),
    (lambda x: x, False),
    (whole_arrays, False),
    (loops, False),
    (inner, False),
    (math.sqrt, False),
]


@pytest.mark.parametrize(("function", "single"), SINGLE)
def test_what_does_nothing_but_one_call_is_told_apart(function: Callable[..., Any], single: bool) -> None:
    """Anything else that it does could be made quicker."""
    assert is_one_call(function) is single


def filled(size: int) -> Any:
    """One call of NumPy's."""
    return np.full(size, 1.5)


def filled_by_another(size: int) -> Any:
    """One call of a function in Python, which may be worth compiling."""
    return loops(size)


def sorted_at_random(size: int) -> float:
    """Random numbers, which are those of the library alone."""
    values = np.random.default_rng(size).standard_normal(size)
    values.sort()
    return float(values[0])


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (filled, "nothing but call numpy.full"),
        (sorted_at_random, "calls numpy.random.default_rng, which is not in the native fragment"),
        (filled_by_another, ""),
    ],
)
def test_calls_tell_what_is_not_compiled(function: Callable[..., Any], why: str) -> None:
    """What is compiled already, and what no compiler has: their front ends would take the GIL to find that out."""
    task = MapTask(FunctionState(function), Source(([1, 2],), star=False), {}, DEFAULTS)
    task.compiling.see(task.source.take(1)[0])
    found = task.compiling._not_a_candidate()
    assert why in found
    assert bool(found) is bool(why)


def test_no_builtin_that_can_be_compiled_is_missing() -> None:
    """What the front end has a rule for does not make a function unlikely."""
    import builtins

    from autopar._kernel import calls, sequences

    makers = {name for name in dir(builtins) if id(getattr(builtins, name)) in sequences._MAKERS}
    assert {function.__name__ for function in calls._BUILTINS} | makers <= COMPILED_BUILTINS


def helper(x: int) -> int:
    """Plain itself."""
    return len(str(x))


class Dispatcher:
    """What Numba makes of a function has its code, and not its globals."""

    __code__ = loops.__code__

    def __call__(self, n: int) -> float:
        return loops(n)


HOLDING: list[tuple[Callable[..., Any], bool]] = [
    (lambda n: sum(k % SCALE for k in range(n)), True),
    (lambda text: " ".join(sorted(text.split())), True),
    (lambda n: [helper(k) for k in range(n)], True),
    (raises, True),
    (loops, False),
    (whole_arrays, False),
    (lambda path: open(path), False),  # noqa: SIM115
    (lambda f: f.read(), False),
    (lambda pattern, text: re.findall(pattern, text), False),
    (abs, False),
    (Dispatcher(), False),
]


@pytest.mark.parametrize(("function", "holds"), HOLDING)
def test_what_names_builtin_things_alone_seems_to_hold_the_gil(function: Callable[..., Any], holds: bool) -> None:
    """A module, a file or any other object may release it."""
    assert seems_to_hold_the_gil(function) is holds


def test_what_is_no_python_function_is_asked_nothing() -> None:
    """It may be compiled by somebody else already; a map over it goes as over any other."""
    assert not is_likely_refused(Dispatcher())
    assert not is_likely_refused(abs)
    assert ap.map(Dispatcher(), [2_000] * 300) == [loops(2_000)] * 300
    compiling = Compiling(MapTask(FunctionState(Dispatcher()), Source(([1, 2],), star=False), {}, DEFAULTS))
    compiling.see(1)
    compiling.task.profile.add(Sample(2, 20.0, 20.0))
    compiling.consider(20.0, may_wait=False, at_hand=True)
