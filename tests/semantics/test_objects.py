"""The rows of differences and random programs, compiled as a whole by Cython: equal to Python, or refused."""

from __future__ import annotations

import functools
import os
import re
from types import FunctionType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from autopar._compilers.cython import of_objects
from autopar._compilers.cython.compiled import CompiledObjects
from autopar._model.compiler import Refusal
from tests.compilers.objects_together import needs_gil, opened
from tests.semantics import rows
from tests.semantics.case import Case
from tests.semantics.outcome import arguments_of, module, outcome
from tests.semantics.programs import PROGRAMS, Program

pytestmark = [needs_gil, pytest.mark.slow, pytest.mark.timeout(600)]

CASES = rows.CASES if os.environ.get("AUTOPAR_TEST_LONG") == "1" else rows.CASES[::4]
PROGRAMS_DRAWN = 60
ADMITTED_ROWS = 0.5
"""Share of the rows' cases that are compiled: 0.6 when this was written; the others work on arrays."""


class _Opened:
    """A function behind the room's own face: types first, then the form that was built for all of them."""

    def __init__(self, function: FunctionType, form: CompiledObjects | Refusal) -> None:
        self.function = function
        self.form = form
        self.admitted = 0
        self.refusals: list[str] = []

    def __call__(self, *arguments: Any) -> Any:
        types = of_objects(self.function, arguments, {})
        refused = types if isinstance(types, Refusal) else self.form if isinstance(self.form, Refusal) else None
        if refused is not None:
            self.refusals.append(str(refused))
            return self.function(*arguments)
        assert isinstance(self.form, CompiledObjects)
        self.admitted += 1
        return self.form.call(*arguments)


@functools.cache
def _rows() -> dict[Case, tuple[_Opened, dict[str, Any]]]:
    names = {case: module(case.source, rows.file_of(case)) for case in CASES}
    functions = {case: each["f"] for case, each in names.items() if isinstance(each["f"], FunctionType)}
    forms = opened(functions)
    return {case: (_Opened(function, forms[case]), names[case]) for case, function in functions.items()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_row_goes_as_in_python(case: Case) -> None:
    """Value and type to the bit, exception with its lines, warnings, output and arguments are Python's."""
    if case not in _rows():
        return  # its function is no plain one, and signature() says so
    call, names = _rows()[case]
    assert tuple(rows.steps(case, names, call, rows.file_of(case))) == rows.expected(case)
    assert [reason for reason in call.refusals if not re.search(r"[a-z]{2}", reason)] == []


def test_much_is_admitted() -> None:
    """A route that refuses everything would pass the tables."""
    compiled = sum(isinstance(call.form, CompiledObjects) for call, _ in _rows().values())
    assert compiled >= ADMITTED_ROWS * len(CASES)


def drawn(number: int, count: int) -> list[Program]:
    """Random programs, always the same ones for a number."""
    programs: list[Program] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(PROGRAMS)
    def draw(program: Program) -> None:
        programs.append(program)

    draw()
    return list(dict.fromkeys(programs))


def test_random_programs_go_as_in_python() -> None:
    """Value, type, exception with its lines, warnings and arguments afterwards."""
    programs = drawn(7, PROGRAMS_DRAWN)
    names = {program: module(program.source, f"<{number}>") for number, program in enumerate(programs)}
    forms = opened({program: each["f"] for program, each in names.items()})
    differing, compiled = [], 0
    for number, program in enumerate(programs):
        fresh, call = module(program.source, f"<{number}>"), _Opened(names[program]["f"], forms[program])
        for arguments in program.calls:
            sides = [
                outcome(function, arguments_of(arguments, its), its, f"<{number}>", one_nan=True)
                for function, its in ((fresh["f"], fresh), (call, names[program]))
            ]
            if sides[0] != sides[1]:
                differing.append(f"{program.source}f{arguments}\nPython:   {sides[0]}\ncompiled: {sides[1]}\n")
        compiled += call.admitted > 0
    assert differing == []
    assert compiled > 0
