"""Where compiled code is known to differ from CPython, row by row, through each compiler."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from tests.semantics import rows
from tests.semantics.case import Case
from tests.semantics.compilers import AHEAD, COMPILERS, Naive

pytestmark = pytest.mark.slow

compilers = pytest.mark.parametrize("compiler", COMPILERS)
LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"
PROMISED = [case for case in rows.CASES if case.promised]

WRONG_IN_NUMBA = (
    ("integers that grow past 64 bits", "a * b"),
    ("integers that grow past 64 bits", "Fibonacci numbers"),
    ("integer arguments past 64 bits", "a + 1"),
    ("shifts", "a << b"),
    ("integer powers", "a ** b"),
    ("arithmetic on bool", "~a"),
    ("comparing int with float", "a == b"),
    ("float powers", "a ** b"),
    ("domain and range errors of math", "math.sqrt(a)"),
    ("stores into integer arrays", "into uint8"),
    ("indices out of bounds", "read"),
    ("int or float by path", "1 if c else 2.5"),
    ("what a function refers to", "a global"),
)
"""Cases in which naive compiled code is known to give another answer."""


@compilers
@pytest.mark.parametrize("case", rows.CASES, ids=str)
def test_a_case_goes_as_in_python(case: Case, compiler: str) -> None:
    """Value and type to the bit, exception, warnings, output and arguments are Python's, admitted or not."""
    assert rows.ran(compiler, case).differing == []


@compilers
@pytest.mark.parametrize("case", rows.CASES, ids=str)
def test_a_refusal_says_why(case: Case, compiler: str) -> None:
    """A reason in words, for the decision log."""
    assert [reason for reason in rows.ran(compiler, case).refusals if not re.search(r"[a-z]{2}", reason)] == []


@compilers
@pytest.mark.parametrize("case", PROMISED, ids=str)
def test_the_exact_fragment_is_admitted(case: Case, compiler: str) -> None:
    """A compiler that refuses what it is known to do exactly, or leaves its code all the time, is none."""
    found = rows.ran(compiler, case)
    assert (found.left, found.left and found.refusals) == ([], [])


@pytest.mark.parametrize("compiler", COMPILERS if LONG else ["native"])
def test_every_row_is_counted(compiler: str, record_testsuite_property: Callable[[str, object], None]) -> None:
    """How much of each row is admitted goes to the test report; what the fragment promises makes up a third or more."""
    for topic, cases in rows.by_topic().items():
        admitted = sum(rows.ran(compiler, case).admitted for case in cases)
        record_testsuite_property(f"{compiler}: {topic}", f"{admitted} of {len(cases)} admitted")
    admitted = sum(rows.ran(compiler, case).admitted for case in rows.CASES)
    assert len(PROMISED) <= admitted <= len(rows.CASES)
    assert AHEAD.broken == {}


@pytest.mark.timeout(120)
def test_naive_compiled_code_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables tell Numba's answers from Python's where they are known to differ."""
    monkeypatch.setitem(COMPILERS, "naive", Naive)
    chosen = {(case.topic, case.name): case for case in rows.CASES}
    assert [name for name in WRONG_IN_NUMBA if not rows.ran("naive", chosen[name]).differing] == []
