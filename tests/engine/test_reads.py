"""Which functions show in their own code what they read, so that a short map need not load the analysis."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from autopar import errors
from autopar._engine.functions import FunctionState

LIMIT = 3
seen: list[int] = []


def helper(x: int) -> int:
    seen.append(x)
    return x


def nested(x: int) -> Callable[[], list[int]]:
    return lambda: [*seen, x]


class Counting:
    def __call__(self, x: int) -> int:
        return helper(x)


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (lambda x: x + 1, True),
        (lambda x: math.sqrt(x) + LIMIT + random.random(), True),
        (lambda x: sorted(str(x)), True),
        (lambda x: helper(x), False),
        (lambda x: [x, *seen], False),
        (lambda x: errors.AutoparError(x), False),
        (nested, False),
        (Counting(), False),
        (functools.partial(helper), False),
        (helper, False),
    ],
    ids=["arithmetic", "library", "builtins", "calls", "list", "module", "inner", "object", "partial", "writes"],
)
def test_what_a_function_reads_is_plain_if_it_calls_no_python(function: Callable[..., Any], shown: bool) -> None:
    """Constants, functions in C and modules of the library hide no reads; anything else is analysed."""
    assert (FunctionState(function).reads() is None) is shown


def test_a_function_that_was_analysed_says_all_it_reads() -> None:
    """What the analysis has found is not given up."""
    state = FunctionState(lambda x: x + LIMIT)
    assert state.reads() is None
    state.traits()
    reads = state.reads()
    assert reads is not None
    assert [read.name for read in reads] == ["LIMIT"]
