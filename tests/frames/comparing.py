"""Outcomes of pandas and NumPy, and whether two of them are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


class Outcome:
    """What a call returned or raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        try:
            self.value = call()
        except Exception as error:
            self.error = error

    def assert_same(self, other: Outcome) -> None:
        """The same value in all that can be seen of it, or an error of the same type and text."""
        if self.error is not None or other.error is not None:
            assert (type(self.error), str(self.error)) == (type(other.error), str(other.error))
            return
        assert_same(self.value, other.value)


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_index_equal(one.columns, other.columns, exact=True)
        pd.testing.assert_index_equal(one.index, other.index, exact=True)
        assert one.attrs == other.attrs
        for place in range(one.shape[1]):
            _same_elements(one.iloc[:, place], other.iloc[:, place])
    elif isinstance(one, pd.Series):
        _same_elements(one, other)
        assert one.attrs == other.attrs
        assert one.name == other.name or (one.name != one.name and other.name != other.name)
        pd.testing.assert_index_equal(one.index, other.index, exact=True)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides)
        assert repr(one.tolist()) == repr(other.tolist())
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert repr(one) == repr(other)


def _same_elements(one: Any, other: Any) -> None:
    assert one.dtype == other.dtype
    assert [(type(value), repr(value)) for value in one] == [(type(value), repr(value)) for value in other]
