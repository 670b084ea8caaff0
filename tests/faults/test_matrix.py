"""The fault matrix names tests that exist, and docs/reliability.md tells how they ended."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from autopar._model.plan import BACKENDS
from tests.faults import matrix
from tests.faults.row import Row

ROWS = matrix.rows()


def exists(row: Row) -> bool:
    """The file of tests has a function, or a class with a method, of the name that the row gives."""
    found: list[ast.stmt] = ast.parse((matrix.ROOT / row.file).read_text(encoding="utf-8")).body
    for name in row.function.split("::"):
        matching = [node for node in found if getattr(node, "name", None) == name]
        if not matching:
            return False
        found = getattr(matching[0], "body", [])
    return Path(row.file).name.startswith("test_")


def test_the_matrix_is_large() -> None:
    """There are at least sixty rows."""
    assert len(ROWS) >= 60


def test_no_two_rows_of_an_area_have_the_same_fault() -> None:
    """A row is found by its area and its fault."""
    for heading, listed in matrix.areas().values():
        faults = [row.fault for row in listed]
        assert len({*faults}) == len(faults), heading


def test_every_row_names_a_test_that_exists() -> None:
    """What proves a row is a test function."""
    assert [row for row in ROWS if not exists(row)] == []


def test_every_row_names_backends_that_exist() -> None:
    """Backends are those of the planner's table, or any, or none."""
    assert [row for row in ROWS if not row.backends or {*row.backends} - {*BACKENDS, "any", "none"}] == []


def test_the_page_has_the_table() -> None:
    """docs/reliability.md has every row as it is here; `make reliability` writes them."""
    _, written, _ = matrix.parts_of_page()
    assert written == matrix.table(matrix.said_before())


def test_the_tests_of_every_row_ran_and_passed() -> None:
    """The run that wrote the page had a passing test for every row and every backend of it, and no failing one."""
    said = matrix.said_before()
    assert [key for key, last in said.items() if not re.fullmatch(r"\d+ passed", last)] == []


def test_rows_that_are_new_can_be_proven_alone() -> None:
    """Those of which the page says nothing, or that no test has run; else whole areas."""
    known = matrix.said_before()
    gone, unproven = next(iter(known)), list(known)[-1]
    before = {key: last for key, last in known.items() if key != gone} | {unproven: matrix.UNPROVEN}
    chosen = matrix.choose(["new"], before)
    assert {(area, row.fault) for area, listed in chosen.items() for row in listed} == {gone, unproven}
    assert list(matrix.choose(["workers"], known)) == ["workers"]
    assert sum(map(len, matrix.choose([], known).values())) == len(ROWS)


def test_a_case_belongs_to_the_row_that_names_it() -> None:
    """A row that names a function has all its cases, one that names a case has those that begin so."""
    whole, case = (Row("", ("any",), "", f"tests/x.py::test_a{rest}") for rest in ("", "[one"))
    assert whole.is_proven_by("tests/x.py::test_a")
    assert whole.is_proven_by("tests/x.py::test_a[two]")
    assert not whole.is_proven_by("tests/x.py::test_ab[one]")
    assert case.is_proven_by("tests/x.py::test_a[one-two]")
    assert Row("", ("any",), "", "tests/x.py::test_a[*-two").is_proven_by("tests/x.py::test_a[one-two]")
    assert not case.is_proven_by("tests/x.py::test_a[two]")


def test_a_backend_without_a_case_is_found() -> None:
    """Where the cases of a test are named after backends, each of the row's must be among them."""
    row = Row("", ("threads", "processes"), "", "tests/x.py::test_a")
    assert matrix.backends_without_a_case(row, ["tests/x.py::test_a[threads-1]"]) == ["processes"]
    assert matrix.backends_without_a_case(row, ["tests/x.py::test_a[threads]", "tests/x.py::test_a[processes]"]) == []
    assert matrix.backends_without_a_case(row, ["tests/x.py::test_a[SIGKILL]"]) == []
