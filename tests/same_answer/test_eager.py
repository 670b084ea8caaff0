"""With ``AUTOPAR_EAGER=1`` every map goes parallel that may, and the tests pass all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from tests.scripts import ROOT

WHOLE = ("tests/api", "tests/engine", "tests/faults", "tests/same_answer", "tests/test_minimal.py")
PART = (
    "tests/api/test_maps.py",
    "tests/same_answer/test_output.py",
    "tests/same_answer/test_warnings.py",
    "tests/test_minimal.py",
)
ROOMS = WHOLE if os.environ.get("AUTOPAR_TEST_LONG") == "1" else PART
"""Long runs take all rooms that map."""

LEFT_OUT = (
    "tests/api/test_origins.py",  # most of the time of these two goes into programs of their own, hardly any into maps
    "tests/faults/test_program_life.py",
    "tests/same_answer/test_cases.py",  # these two send each of their maps every way already
    "tests/same_answer/test_programs.py",
    "tests/same_answer/test_eager.py",
)
"""What ``AUTOPAR_EAGER=1 python -m pytest`` has beyond the run below, which is to end within a minute or so."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_rooms_that_map_keep_their_tests_when_eager(tmp_path: Path) -> None:
    """API, engine, faults, context, output, randomness and warnings are as their tests say, with no threshold."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    # Demands, and clusters, go no other way when eager.
    rooms = [*ROOMS, *(f"--ignore={path}" for path in LEFT_OUT), "-k", "not (dask or joblib or multiprocessing)"]
    variables = {**os.environ, "AUTOPAR_EAGER": "1"}
    done = subprocess.run([*command, *rooms], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=590)
    assert done.returncode == 0, done.stdout[-5000:]


def add_one(x: int) -> int:
    return x + 1


async def await_one(x: int) -> int:
    return x + 1


def numbers(count: int) -> Iterator[int]:
    yield from range(count)


@pytest.mark.parametrize("function", [add_one, await_one])
@pytest.mark.parametrize(
    "items",
    [
        lambda: [0, 1],
        lambda: (0, 1),
        lambda: range(2),
        lambda: {0: "a", 1: "b"},
        lambda: numbers(2),
        lambda: map(int, "01"),
    ],
    ids=["list", "tuple", "range", "dict", "generator", "iterator"],
)
def test_two_items_go_parallel(
    function: Callable[[int], Any], items: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second item is sent away, whatever the input: numbers are no buffers that it could fill anew."""
    monkeypatch.setenv("AUTOPAR_EAGER", "1")
    mapped = ap.parallel(function)
    assert mapped.map(items()) == [x + 1 for x in range(len(list(items())))]
    assert mapped.decisions[-1].plan.backend != "serial"
    list(mapped.imap(items()))
    assert mapped.decisions[-1].plan.backend != "serial"
