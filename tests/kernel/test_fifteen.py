"""Fifteen everyday numeric functions give in C, bit for bit, what they give in Python."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from tests.kernel.fifteen import CASES
from tests.kernel.running import Running, same


@pytest.mark.slow
@pytest.mark.parametrize(("function", "make"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_compiled_function_gives_what_python_gives(function: Any, make: Any) -> None:
    """Result, type and what happens to the arguments are the same, and no side exit is taken."""
    ours = make(np.random.default_rng(1))
    theirs = copy.deepcopy(ours)
    compiled = Running(function, *ours)
    assert same(compiled(*ours), function(*theirs))
    assert all(map(same, ours, theirs))
