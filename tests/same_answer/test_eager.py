"""With ``AUTOPAR_EAGER=1`` every map goes parallel that may, and the tests of the public API pass all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts import ROOT

SLICE = (
    "tests/api/test_maps.py",
    "tests/api/test_callables.py",
    "tests/api/test_iterators.py",
    "tests/faults/test_item_errors.py",
    "tests/faults/test_input_errors.py",
    "tests/same_answer/test_output.py",
    "tests/same_answer/test_random.py",
)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_public_api_keeps_its_tests_when_eager(tmp_path: Path) -> None:
    """Maps, iterators, callables, errors, output and randomness are as their tests say, with no threshold at all."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    variables = {**os.environ, "AUTOPAR_EAGER": "1", "AUTOPAR_STORE": str(tmp_path / "store.sqlite")}
    done = subprocess.run([*command, *SLICE], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-5000:]
