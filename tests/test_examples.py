"""The examples run as a newcomer runs them: as scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"

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
EXAMPLES = {
    "word_statistics": (20, 60, r"of {size} files .*\d words of prose, reading ease \d+"),
    "fetch_pages": (20, 40, r"Fetching {size} pages .* fetch\(\) .* fetch_async\(\) "),
    "hash_and_compress": (5, 40, r"{size} files .*[\d.]+ MB become [\d.]+ MB"),
    "own_c": (40, 60, r"Mandelbrot set, {size} rows .*\d+ points are inside"),
    "trivial": (1_000, 10_000, r"Halving {size} numbers .* decision: serial"),
}
"""Name -> a small size, its size in a quick demo, and what it says."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo says, which runs all examples and all ways, with a store of its own."""
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("AUTOPAR_STORE", str(tmp_path_factory.mktemp("demo") / "store.sqlite"))
        variables.delenv("AUTOPAR_EAGER", raising=False)  # One example shows what is not worth it.
        return run_example("demo.py", "--quick")


def check_an_example(said: str, expected: str, size: int) -> None:
    """What an example did, both times, that the results are equal, and the decision with its reason."""
    said = " ".join(said.split())
    assert re.search(expected.format(size=f"{size:,}"), said)
    assert re.search(TIMES, said)
    assert "the results are equal" in said
    assert re.search(r"decision: .+, because .+", said)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_it_did_and_what_was_decided(demo: str, name: str) -> None:
    """Each is a section of the demo."""
    section = demo.split(f"-- examples/{name}.py")[1].partition("\n\n")[0]
    _, size, expected = EXAMPLES[name]
    check_an_example(section, expected, size)


@pytest.mark.usefixtures("not_eager")
@pytest.mark.parametrize("name", EXAMPLES if LONG else ["trivial"])
def test_an_example_is_a_script_that_takes_a_size(name: str) -> None:
    """In a process of its own it says the same."""
    size, _, expected = EXAMPLES[name]
    check_an_example(run_example(f"{name}.py", str(size)), expected, size)


@pytest.mark.timeout(300)
def test_the_demo_runs_all_examples_and_ends_with_the_table(demo: str) -> None:
    """The demo runs every example and ends with one line for each function that they mapped."""
    examples = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"demo", "page_server"}
    assert set(re.findall(r"^-- examples/(\w+)\.py$", demo, re.MULTILINE)) == examples == set(EXAMPLES)
    decided = demo.split("Ten ways past one core")[0]
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


WAYS = sorted(path.name for path in (ROOT / "examples" / "ten_ways").glob("*_way.py"))


@pytest.mark.timeout(300)
def test_each_of_the_ten_ways_gives_the_loops_results(demo: str) -> None:
    """By hand and by the hint, with its speedups; a way that cannot be had says why in autopar's own words."""
    ways = demo.split("Ten ways past one core")[1]
    heading, _, *lines = ways[ways.index("way ") :].strip().splitlines()
    assert heading.split()[:2] == ["way", "works"]
    rows = [re.split(r" {2,}", line) for line in lines if "  " in line]
    assert len(rows) == len(WAYS) == 10
    for name, works, _, by_hand, by_autopar, *_ in rows:
        if works == "yes":
            assert re.fullmatch(r"[\d.]+x [\d.]+x", f"{by_hand} {by_autopar}")
        else:
            assert any(re.match(rf"{re.escape(name)}: unavailable: (backend|compiler)=", line) for line in lines)


@pytest.mark.parametrize("name", WAYS if LONG else ["threading_way.py"])
def test_a_way_is_a_script(name: str) -> None:
    """By itself it says in a line what the table of the demo says."""
    said = run_example(f"ten_ways/{name}", "--quick").strip()
    assert re.search(
        r"the results are equal; by hand [\d.]+ times as fast as the plain loop, by autopar [\d.]+ times$"
        r"|: unavailable: (backend|compiler)=",
        said,
    )
