"""Native code as a demand, from a block of the program or from its environment: met, or an error that says why not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autopar
from autopar import parallel
from autopar.errors import UnavailableError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


def total(a: Any) -> float:
    found = 0.0
    for x in a:
        found += x
    return float(found)


def formatted(n: int) -> str:
    return f"{n}"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_demand_by_config_is_met(workers: int) -> None:
    """Maps inside the block run compiled, over arrays too, on one thread and on two."""
    items = list(np.random.default_rng(3).random((300, 50)))
    function = parallel(total)
    with autopar.config(compiler="native", backend="threads", workers=workers):
        found = function.map(items)
    assert found == list(map(total, items))
    assert function.decisions[-1].plan.compiler == "native"


def test_a_demand_by_config_that_cannot_be_met_is_an_error() -> None:
    """It says the line and the reason, and nothing has run."""
    with autopar.config(compiler="native"), pytest.raises(UnavailableError, match=r"line \d+: an f-string"):
        autopar.map(formatted, [1, 2])


def test_a_demand_by_the_environment(tmp_path: Path) -> None:
    """The variable is a demand like the hint."""
    script = tmp_path / "script.py"
    script.write_text(
        "import autopar\n"
        "def square(n):\n    return n * n\n"
        "def text(n):\n    return str(n)\n"
        "square = autopar.parallel(square)\n"
        "print(square.map([1, 2, 3]), square.decisions[-1].plan.compiler)\n"
        "try:\n    autopar.map(text, [1])\n"
        "except autopar.errors.UnavailableError as error:\n    print('line 5' in str(error), error)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        env={"AUTOPAR_COMPILER": "native", "PATH": "/usr/bin:/bin", "AUTOPAR_STORE": "off", "PYTHONPATH": _root()},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert first == "[1, 4, 9] native"
    assert second.startswith("True ")


def _root() -> str:
    return str(Path(autopar.__file__).parents[1])


def increment(n: int) -> int:
    return n + 1


def test_a_settled_call_goes_straight_to_the_code() -> None:
    """After the first call nothing of Python is in between, on all wrappers of the function, until it is withdrawn."""
    function = parallel(increment, compiler="native")
    other = function.options(workers=2)
    assert (function(1), other(2), other.map([3, 4])) == (2, 3, [4, 5])
    target: Any = function._self_target
    assert target is other._self_target
    assert type(target[0]).__name__ == "KernelEntry"
    [form] = function._self_state.demanded_forms("native").forms()
    form.withdraw("for this test")
    assert target[0] is function.__wrapped__
    assert function(5) == 6
