"""The examples run as a newcomer runs them: as scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def run_example(name: str, *arguments: str) -> str:
    """Run an example in an interpreter in which warnings are errors; return what it prints."""
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / name), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


TIMES = r"plain loop [\d.]+ s, autopar [\d.]+ s: [\d.]+ "


@pytest.mark.usefixtures("not_eager")  # One example shows what is not worth it.
@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("word_statistics.py", "20", r"of 20 files .*\d words of prose, reading ease \d+"),
        ("fetch_pages.py", "20", r"Fetching 20 pages .* fetch\(\) .* fetch_async\(\) "),
        ("hash_and_compress.py", "5", r"5 files .*[\d.]+ MB become [\d.]+ MB"),
        ("own_c.py", "40", r"Mandelbrot set, 40 rows .*\d+ points are inside"),
        ("trivial.py", "1000", r"Halving 1,000 numbers .* decision: serial"),
    ],
)
def test_an_example_says_what_it_did_and_what_was_decided(name: str, size: str, expected: str) -> None:
    """An example prints what it did, both times, that the results are equal, and the decision with its reason."""
    said = " ".join(run_example(name, size).split())
    assert re.search(expected, said)
    assert re.search(TIMES, said)
    assert "the results are equal" in said
    assert re.search(r"decision: .+, because .+", said)


@pytest.mark.timeout(300)
def test_the_demo_runs_all_examples_and_ends_with_the_table() -> None:
    """The demo runs every example and ends with one line for each function that they mapped."""
    said = run_example("demo.py", "--quick")
    examples = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"demo", "page_server"}
    assert set(re.findall(r"^-- examples/(\w+)\.py$", said, re.MULTILINE)) == examples
    decided, ways = said.split("Ten ways past one core")
    heading, _, *lines = decided[decided.index("\nfunction ") :].strip().splitlines()
    assert heading.split() == ["function", "items", "kind", "plan", "predicted", "actual", "speedup", "why"]
    assert [line.split()[0].partition(".")[0] for line in lines] == [
        "word_statistics",
        "fetch_pages",
        "fetch_pages",
        "hash_and_compress",
        "own_c",
        "trivial",
    ]
    heading, _, *lines = ways[ways.index("way ") :].strip().splitlines()
    assert heading.split()[:2] == ["way", "works"]
    rows = [re.split(r" {2,}", line) for line in lines if "  " in line]
    assert len(rows) == 10
    assert {works for _, works, *_ in rows} <= {"yes", "no"}
    assert all(
        any(line.startswith(f"{name}: unavailable: ") for line in lines) for name, works, *_ in rows if works == "no"
    )


WAYS = sorted(path.name for path in (ROOT / "examples" / "ten_ways").glob("*_way.py"))


@pytest.mark.parametrize("name", WAYS)
def test_each_of_the_ten_ways_gives_the_loops_results(name: str) -> None:
    """By hand and by the hint, with its speedups; a way that cannot be had says why in autopar's own words."""
    said = run_example(f"ten_ways/{name}", "--quick").strip()
    assert re.search(
        r"the results are equal; by hand [\d.]+ times as fast as the plain loop, by autopar [\d.]+ times$"
        r"|: unavailable: (backend|compiler)=",
        said,
    )


def test_there_are_ten_ways() -> None:
    """One file for each way."""
    assert len(WAYS) == 10
