"""What `rtol` admits: results that differ from Python's by rounding only."""

from __future__ import annotations

import math
import shutil
from typing import Any

import numpy as np
import pytest

import autopar
from autopar._compilers.native import Refusal, compile_function
from autopar._compilers.native.compiled import CompiledFunction
from autopar._model.compiler import Terms
from autopar.errors import UnavailableError

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

VALUES = np.random.default_rng(5).random(1000)


def exponentials(a: Any) -> Any:
    return np.exp(a)


def total(a: Any) -> Any:
    return np.sum(a)


def mean_of_row(m: Any) -> Any:
    return np.mean(np.sin(m))


def total_of(x: float) -> float:
    items = np.zeros(100)
    for i in range(100):
        items[i] = math.sin(x + i)
    return float(np.sum(np.tanh(items)))


@pytest.mark.parametrize("function", [exponentials, mean_of_row], ids=lambda function: str(function.__name__))
def test_rtol_admits_what_numpy_rounds_in_its_own_way(function: Any) -> None:
    """Refused without it, with a word of what would admit it; within it with it."""
    refused = compile_function(function, (VALUES,))
    assert isinstance(refused, Refusal)
    assert "rtol= would admit it" in str(refused)
    compiled = compile_function(function, (VALUES,), terms=Terms(rtol=1e-12))
    assert isinstance(compiled, CompiledFunction)
    for _ in range(5):
        np.testing.assert_allclose(compiled(VALUES), function(VALUES), rtol=1e-12)
    assert (compiled.calls, compiled.withdrawn) == (5, "")


def test_rtol_of_a_map_reaches_the_compiler() -> None:
    """A demand that is refused without it is met with it."""
    with pytest.raises(UnavailableError, match="rtol= would admit it"):
        autopar.map(total_of, [0.5, 1.5], compiler="native")
    found = autopar.map(total_of, [0.5, 1.5], compiler="native", rtol=1e-9)
    assert found == pytest.approx([total_of(0.5), total_of(1.5)], rel=1e-9)


def test_rtol_of_a_decorated_function_reaches_its_single_calls() -> None:
    """Where native code is demanded, a call is compiled with the tolerance of the hint."""
    tolerant = autopar.parallel(compiler="native", rtol=1e-9)(total_of)
    assert tolerant(0.5) == pytest.approx(total_of(0.5), rel=1e-9)
    strict = autopar.parallel(compiler="native")(total_of)
    with pytest.raises(UnavailableError, match="rtol= would admit it"):
        strict(0.5)


def test_a_difference_beyond_rtol_withdraws_the_kernel() -> None:
    """A comparison goes by the tolerance that was given: NumPy adds in pairs, compiled code in order."""
    compiled = compile_function(total, (VALUES,), terms=Terms(rtol=1e-18))
    assert isinstance(compiled, CompiledFunction)
    compiled.sampling.grace = math.inf  # however long the machine takes for the first call, it is compared
    with pytest.warns(autopar.errors.KernelMismatchWarning):
        found = compiled(VALUES)
    assert found == total(VALUES)
    assert compiled.withdrawn
