"""What NumPy is told to do about floating-point errors, and what compiled code does about it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autopar._compilers.native import compile_function
from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.native.programs import parameter_program
from autopar._compilers.native.warning_state import warnings_raise


def products(a: Any, out: Any) -> None:
    for i in range(len(a)):
        out[i] = a[i] * a[i]


def product(a: Any, b: Any) -> Any:
    return a * b


@pytest.fixture(scope="module")
def compiled_products() -> CompiledFunction:
    found = compile_function(products, (np.ones(3), np.ones(3)))
    assert isinstance(found, CompiledFunction)
    return found


@pytest.fixture
def patient() -> Iterator[None]:
    """Warnings are no errors, as outside of tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield


def test_what_is_only_written_is_kept_for_undoing_where_warnings_raise(compiled_products: CompiledFunction) -> None:
    """A copy is taken only if Python may stop short of writing all that the kernel has written."""
    kernel = compiled_products.kernel
    assert kernel.undo == {1}
    assert not kernel.undo_if_warnings_pass
    assert parameter_program(kernel) != parameter_program(kernel, warnings_raise=False)


@pytest.mark.parametrize(
    ("filters", "errors", "expected"),
    [
        ("default", {}, False),
        ("ignore", {}, False),
        ("error", {}, True),
        ("default", {"all": "raise"}, True),
        ("default", {"over": "call"}, True),
        ("default", {"all": "print"}, False),
        ("error", {"all": "ignore"}, True),
    ],
)
def test_warnings_raise(filters: Any, errors: Any, expected: bool) -> None:
    """They do if a filter or NumPy says so, or a hook that may do anything is called."""
    with warnings.catch_warnings():
        warnings.simplefilter(filters)
        with np.errstate(**errors):
            assert warnings_raise() is expected


def test_a_hook_for_warnings_may_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program's own way to show warnings is taken to raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        monkeypatch.setattr(warnings, "showwarning", lambda *_, **__: None)
        assert warnings_raise()


def test_a_warning_that_raises_leaves_the_arrays_as_python_does(compiled_products: CompiledFunction) -> None:
    """The call ends at the first overflow; what comes after it in the array stays as it was."""
    for route in (products, compiled_products):
        out = np.zeros(3)
        with pytest.raises(RuntimeWarning, match="overflow"):
            route(np.array([2.0, 1e200, 3.0]), out)
        assert out.tolist() == [4.0, 0.0, 0.0]


@pytest.mark.usefixtures("patient")
def test_a_warning_that_passes_leaves_the_arrays_as_python_does(compiled_products: CompiledFunction) -> None:
    """All of it is written, and the warning is given."""
    for route in (products, compiled_products):
        out = np.zeros(3)
        with pytest.warns(RuntimeWarning, match="overflow"):
            route(np.array([2.0, 1e200, 3.0]), out)
        assert out.tolist() == [4.0, np.inf, 9.0]


def test_filters_that_change_between_calls_are_noticed(compiled_products: CompiledFunction) -> None:
    """The next call after a change of filters goes by the new ones."""
    for filters in ("default", "error", "default", "error"):
        out = np.zeros(2)
        with warnings.catch_warnings():
            warnings.simplefilter(filters)
            if filters == "error":
                with pytest.raises(RuntimeWarning):
                    compiled_products(np.array([1e200, 3.0]), out)
            else:
                compiled_products(np.array([1.0, 3.0]), out)
        assert out.tolist() == ([0.0, 0.0] if filters == "error" else [1.0, 9.0])
    assert not compiled_products.withdrawn


def test_where_numpy_tells_of_underflow_python_runs() -> None:
    """A product that is too small raises where the program wants that, and the kernel is in use again afterwards."""
    compiled = compile_function(product, (np.float64(1.0), np.float64(1.0)))
    assert isinstance(compiled, CompiledFunction)
    small, before = np.float64(1e-300), 0
    for _ in range(2):
        assert compiled(small, small) == 0.0
        before = compiled.calls
        with np.errstate(under="raise"), pytest.raises(FloatingPointError, match="underflow"):
            compiled(small, small)
        with np.errstate(under="warn"), pytest.warns(RuntimeWarning, match="underflow"):
            compiled(small, small)
        assert compiled.calls == before
    assert compiled(small, small) == 0.0
    assert compiled.calls > before
    assert not compiled.withdrawn


def test_what_was_raised_before_a_call_is_not_its_doing(compiled_products: CompiledFunction) -> None:
    """Flags that other code has left set send no call to Python."""
    full, out, huge = np.full(3, 2.0), np.zeros(3), float("1e308")
    before = compiled_products.calls
    for _ in range(2):
        endless = huge * huge  # NumPy would put the flags back
        assert endless - endless != 0.0
        compiled_products(full, out)
    assert compiled_products.calls == before + 2
    assert out.tolist() == [4.0] * 3
