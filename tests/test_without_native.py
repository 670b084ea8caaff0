"""With ``AUTOPAR_NATIVE=0`` the pure-Python twins take the extension's place, and the tests of the API pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts import ROOT

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"
WHOLE = ("tests/api", "tests/engine", "tests/executor", "tests/same_answer/test_cases.py", "tests/test_minimal.py")
PART = ("tests/api/test_calls.py", "tests/api/test_proxy.py", "tests/api/test_callables.py", "tests/test_minimal.py")
"""What a call is, to whom it is one, and one test of everything."""


@pytest.mark.slow
@pytest.mark.timeout(1800 if LONG else 300)
def test_the_tests_of_the_api_pass_on_the_twins(tmp_path: Path) -> None:
    """Calls, proxies and maps are as their tests say without a line of native code."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    part = [*PART, "-m", "not slow", "-k", "not (processes or multiprocessing or joblib or dask or interpreters)"]
    variables = {**os.environ, "AUTOPAR_NATIVE": "0"}
    done = subprocess.run(
        [*command, *(WHOLE if LONG else part)], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
