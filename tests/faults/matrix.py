"""The fault matrix: the rows of all ``rows_*.py`` files, and the table made of them in docs/reliability.md.

Each file is an area, with its own docstring as the heading, and a list ``ROWS`` of :class:`~tests.faults.row.Row`.

    python -m tests.faults.matrix            run the tests of all rows and write the table
    python -m tests.faults.matrix workers    those of rows_workers.py; the other areas keep what the table says of them
    python -m tests.faults.matrix new        those of rows of which the table says nothing yet
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.row import Row

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix: written by `make reliability` -->\n", "<!-- end of the fault matrix -->\n"
HEADER = "| fault | backends | what happens | tests |\n| --- | --- | --- | --- |\n"
UNPROVEN = "not run"

Key = tuple[str, str]
"""Area and fault: a row's place in the table."""


def areas() -> dict[str, tuple[str, list[Row]]]:
    """Area -> heading and rows."""
    found = {}
    for path in sorted(FOLDER.glob("rows_*.py")):
        module = importlib.import_module(f"tests.faults.{path.stem}")
        heading = (module.__doc__ or path.stem).strip().splitlines()[0].rstrip(".")
        found[path.stem.removeprefix("rows_")] = heading, list(module.ROWS)
    return found


def rows() -> list[Row]:
    """All rows."""
    return [row for _, listed in areas().values() for row in listed]


class Outcomes:
    """A pytest plugin that notes how each test ended."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test passed if all its phases did."""
        if report.outcome != "passed" or report.when == "call":
            before = self.of.get(report.nodeid, "passed")
            self.of[report.nodeid] = report.outcome if before == "passed" else before

    def said_of(self, row: Row) -> str:
        """The row's last cell."""
        ended = {nodeid: outcome for nodeid, outcome in self.of.items() if row.is_proven_by(nodeid)}
        missing = backends_without_a_case(row, [nodeid for nodeid, outcome in ended.items() if outcome == "passed"])
        counts = Counter(ended.values())
        if missing:
            return f"no case for {', '.join(missing)}"
        return ", ".join(f"{counts[word]} {word}" for word in ("failed", "passed") if counts[word]) or UNPROVEN


def backends_without_a_case(row: Row, nodeids: Sequence[str]) -> list[str]:
    """Backends of the row that no test id names, if any id names one at all."""
    named = {word for nodeid in nodeids for word in re.findall(r"\w+", nodeid.partition("[")[2])}
    return [backend for backend in row.backends if backend not in named] if named & {*row.backends} else []


def cells_of(row: Row) -> list[str]:
    """What the table says of a row apart from how its tests ended."""
    return [text.replace("|", "\\|") for text in (row.fault, ", ".join(row.backends), row.what)]


def table(said: dict[Key, str]) -> str:
    """The table, given the last cell of each row."""
    text = ""
    for area, (heading, listed) in areas().items():
        text += f"\n### {heading}\n\n{HEADER}"
        for row in listed:
            text += f"| {' | '.join([*cells_of(row), said.get((area, row.fault), UNPROVEN)])} |\n"
    return f"{text}\n"


def parts_of_page() -> tuple[str, str, str]:
    """What comes before the table, the table, and what comes after it."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    written, end, after = rest.partition(END)
    return before + begin, written, end + after


def said_before() -> dict[Key, str]:
    """The last cells as the page has them."""
    names = {heading: area for area, (heading, _) in areas().items()}
    said: dict[Key, str] = {}
    area = ""
    for line in parts_of_page()[1].splitlines():
        if line.startswith("### "):
            area = names.get(line.removeprefix("### "), "")
        elif line.startswith("| ") and f"{line}\n" not in HEADER:
            fault, *_, last = re.split(r"(?<!\\) \| ", line.strip("| "))
            said[area, fault.replace("\\|", "|")] = last
    return said


def choose(only: Sequence[str], known: dict[Key, str]) -> dict[str, list[Row]]:
    """Area -> rows: of these areas, of all if there are none; with ``new`` those of which nothing is known."""
    new = list(only) == ["new"]
    return {
        area: [row for row in listed if not new or known.get((area, row.fault), UNPROVEN) == UNPROVEN]
        for area, (_, listed) in areas().items()
        if not only or new or area in only
    }


def prove(only: Sequence[str]) -> int:
    """Run the tests of the rows and write the table; the status of the run."""
    os.environ["AUTOPAR_TEST_LONG"] = "1"
    known = said_before()
    chosen = choose(only, known)
    tests = sorted({f"{row.file}::{row.function}" for listed in chosen.values() for row in listed})
    outcomes = Outcomes()
    status = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *tests], plugins=[outcomes])
    said = known | {(area, row.fault): outcomes.said_of(row) for area, listed in chosen.items() for row in listed}
    before, _, after = parts_of_page()
    PAGE.write_text(before + table(said) + after, encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(prove(sys.argv[1:]))
