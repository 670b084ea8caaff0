"""The type of an operation on two scalars is the one that NumPy itself gives."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from autopar._kernel import types as t
from autopar._kernel.promotion import common

SCALARS = {name: getattr(np, "bool_" if name == "bool" else name)(1) for name in t.DTYPES}
PYTHON = {t.Int(): 1, t.Float(): 1.0, t.Bool(): True}
PAIRS = list(itertools.product(t.DTYPES, t.DTYPES))


@pytest.mark.parametrize(("left", "right"), PAIRS, ids=lambda name: name)
def test_two_dtypes(left: str, right: str) -> None:
    """Any two dtypes are brought to the one of their product."""
    expected = (SCALARS[left] * SCALARS[right]).dtype.name
    assert common(t.NpScalar(left), t.NpScalar(right)) == t.NpScalar(expected)


@pytest.mark.parametrize("dtype", t.DTYPES)
@pytest.mark.parametrize("kind", PYTHON, ids=str)
def test_a_dtype_with_a_python_number(dtype: str, kind: t.Type) -> None:
    """A Python number is weak: it takes the dtype next to it, unless its kind is higher."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = (SCALARS[dtype] * PYTHON[kind]).dtype.name
    assert common(t.NpScalar(dtype), kind) == common(kind, t.NpScalar(dtype)) == t.NpScalar(expected)
