"""The native code leaks nothing, stands many threads, and goes no deeper than the C stack; `make sanitize` has more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autopar import parallel
from autopar._native_api import NATIVE

BARE = Path(__file__).parent / "hardened" / "bare.py"
LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"
CALLS = 1_000_000 if LONG else 5_000


@pytest.fixture(scope="module")
def checked() -> str:
    """What a fresh interpreter says of the extension, that has nothing else in it."""
    native = pytest.importorskip("autopar._native", reason="the extension is not built")
    command = [sys.executable, "-W", "error", str(BARE), native.__file__, str(CALLS)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


@pytest.mark.slow
@pytest.mark.timeout(900 if LONG else 60)
@pytest.mark.parametrize(
    "check",
    [
        "nothing_is_left_behind",
        "recursion_is_as_deep_as_without",
        "the_c_stack_never_overflows",
        "a_sample_at_the_end_of_the_stack_is_left_out",
        "threads",
        "interpreters",
        "the_gil_stays_off",
    ],
)
def test_the_extension_by_itself(checked: str, check: str) -> None:
    """Each check of tests/hardened/bare.py holds for the extension that is in use."""
    assert f"{check} ok\n" in checked


def test_a_decorated_recursion_goes_as_deep() -> None:
    """A decorated function that calls itself ends where the plain one does; the twin takes two calls for one."""

    def plain(n: int) -> int:
        return 0 if n == 0 else 1 + plain(n - 1)

    @parallel
    def decorated(n: int) -> int:
        return 0 if n == 0 else 1 + decorated(n - 1)

    assert decorated(10) == plain(10) == 10
    most = max(n for n in range(sys.getrecursionlimit()) if _returns(plain, n))
    expected = most if NATIVE else most // 3
    assert decorated(expected) == expected
    with pytest.raises(RecursionError):
        decorated(most + 5)


def _returns(function: Callable[[int], int], n: int) -> bool:
    try:
        return function(n) == n
    except RecursionError:
        return False
