"""What README.md shows is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import autopar
from autopar._model.decision import Decision
from autopar._model.hints import HINTS, Hint
from autopar._model.plan import BACKENDS, COMPILERS, Plan
from autopar._model.workload import Kind, Workload
from autopar._record import explain

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::autopar.errors.PerformanceHint")  # a busy machine may give cause for one
def test_the_tour_gives_what_it_shows() -> None:
    """Every line of the tour runs, and prints what the README prints."""
    [tour] = re.findall(r"^```pycon\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest(tour, {"__name__": "__main__"}, "README.md", "README.md", 0)
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert results.attempted > 15
    assert results.failed == 0, "".join(said)


def row(hint: Hint) -> str:
    """Write a hint as a row of the table."""
    default = "" if hint.default is None else f"`{hint.default!r}`"
    return f"| `{hint.name}` | {default} | {hint.doc} |"


def test_the_hint_table_is_of_the_program() -> None:
    """The table shows some of the hints, in their order, with default and meaning; docs/hints.md has all."""
    shown = re.findall(r"^\| `.*$", README, re.MULTILINE)
    assert shown == [line for line in map(row, HINTS.values()) if line in shown]
    assert {"`backend`", "`workers`", "`pure`"} <= {line.split()[1] for line in shown}


def test_nothing_is_named_that_is_not_built() -> None:
    """Every backend and compiler that is known is there."""
    assert [name for name, spec in {**BACKENDS, **COMPILERS}.items() if spec.module is None] == []


def test_the_decision_shown_has_the_form_of_one() -> None:
    """Each unindented line of the decision shown begins as one that `explain` writes."""
    [shown] = re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    plan = Plan(backend="processes", workers=2)
    work = Workload(Kind.CPU, 1e-5, 1e-5, gil_share=1.0, evidence=("computes",))
    written = explain(
        Decision(
            1,
            "__main__.collatz_steps",
            "map",
            0.0,
            100_000,
            work,
            plan,
            why="predicted",
            predicted=1.0,
            actual=1.0,
            serial_estimate=2.0,
            tried=((Plan(), 1), (plan, 99_999)),
        )
    )
    beginnings = [line[:10] for line in written.splitlines() if not line.startswith(" ")]
    assert [line[:10] for line in shown.splitlines() if not line.startswith((" ", "Not chosen"))] == beginnings


def test_links_lead_somewhere() -> None:
    """Each relative link in the README and the pages under docs leads to a file that exists."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_environment_variables_named_are_read() -> None:
    """Each environment variable that the README names is read somewhere in the package."""
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(autopar.__file__).parent.rglob("*.py"))
    for variable in set(re.findall(r"AUTOPAR_\w+", README)):
        hint = variable.removeprefix("AUTOPAR_").lower()
        assert variable in sources or hint in HINTS, variable
