"""Kernels as typed Cython: the rows of differences and random programs go as in Python, without the GIL."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from autopar._compilers import cython
from autopar._compilers.cython.builder import library
from autopar._compilers.cython.typed import typed_module
from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.native.loader import Code, Library
from autopar._kernel.ir import Kernel
from autopar._model.compiler import Refusal
from tests.semantics import rows
from tests.semantics.case import Case
from tests.semantics.compilers import Native
from tests.semantics.outcome import arguments_of, module, outcome
from tests.semantics.programs import Program
from tests.semantics.test_objects import drawn
from tests.semantics.together import QUICK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EVERY = 24
"""Of the rows' cases, one in so many is built besides those that the exact fragment promises."""

CASES = [case for number, case in enumerate(rows.CASES) if case.promised or number % EVERY == 0]
PROGRAMS_DRAWN = 40


@dataclass(frozen=True, slots=True)
class _Part:
    """One of many kernels in a library."""

    whole: Library
    suffix: str

    @property
    def handle(self) -> object:
        return self.whole

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def address(self, name: str) -> int:
        """The address of a function, as `Library.address`."""
        return self.whole.address(name + self.suffix)


class Typed(Native):
    """The kernels of the native route, by way of Cython."""

    parts: dict[str, _Part]

    def library(self, kernel: Kernel, text: str) -> Code:
        """The kernel in memory; one that was not foreseen, since a fact has changed, is built by itself."""
        if text not in self.parts:
            self.parts.update(built({text: kernel}))
        return self.parts[text]


def built(kernels: dict[str, Kernel]) -> dict[str, _Part]:
    """Kernels by their C texts, in one module."""
    whole = library(typed_module(list(kernels.values())), flags=QUICK, deadline=500.0)
    return {text: _Part(whole, f"_{number}" if number else "") for number, text in enumerate(kernels)}


def _kernels(found: list[tuple[Typed, tuple[str, ...], dict[str, Any]]]) -> dict[str, Kernel]:
    kernels: dict[str, Kernel] = {}
    for opened, calls, names in found:
        for call in calls:
            if call.startswith(":"):
                continue
            made = opened.text_for(arguments_of(call, names))
            if not isinstance(made, Refusal):
                kernels.setdefault(made[1], made[0])
    return kernels


@functools.cache
def _rows() -> dict[Case, tuple[Typed, dict[str, Any]]]:
    names = {case: module(case.source, rows.file_of(case)) for case in CASES}
    found = {case: (Typed(names[case]["f"]), names[case]) for case in CASES}
    parts = built(_kernels([(typed, (*case.stays, *case.leaves), its) for case, (typed, its) in found.items()]))
    for typed, _ in found.values():
        typed.parts = parts
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_goes_as_in_python(case: Case) -> None:
    """Value and type to the bit, exception, warnings, output and arguments are Python's."""
    typed, names = _rows()[case]
    assert tuple(rows.steps(case, names, typed, rows.file_of(case))) == rows.expected(case)


def test_random_programs_go_as_in_python() -> None:
    """Value, type, exception, warnings and arguments afterwards, with extreme values, all dtypes and overlap."""
    programs: list[Program] = drawn(11, PROGRAMS_DRAWN)
    names = {program: module(program.source, f"<{number}>") for number, program in enumerate(programs)}
    found = {program: Typed(each["f"]) for program, each in names.items()}
    parts = built(_kernels([(typed, program.calls, names[program]) for program, typed in found.items()]))
    differing = []
    for number, (program, typed) in enumerate(found.items()):
        typed.parts = parts
        fresh = module(program.source, f"<{number}>")
        for call in program.calls:
            sides = [
                outcome(function, arguments_of(call, its), its, f"<{number}>", one_nan=True)
                for function, its in ((fresh["f"], fresh), (typed, names[program]))
            ]
            if sides[0] != sides[1]:
                differing.append(f"{program.source}f{call}\nPython:   {sides[0]}\ncompiled: {sides[1]}\n")
    assert differing == []
    assert sum(any(typed.compiled) for typed in found.values()) >= len(programs) // 3


def halves(n: int) -> int:
    """Steps to one, summed."""
    total = 0
    for i in range(1, n):
        k = i
        while k > 1:
            k = k // 2 if k % 2 == 0 else 3 * k + 1
            total += 1
    return total


def test_threads_run_at_the_same_time() -> None:
    """While one thread is in a kernel, another runs Python."""
    types = cython.signature(halves, (3,), {})
    assert not isinstance(types, Refusal)
    form = cython.compile_for(halves, types)
    assert isinstance(form, CompiledFunction)
    assert (form.compiler, form.holds_gil, form(1000)) == ("cython", False, halves(1000))
    inside, beside = threading.Event(), []

    def run() -> None:
        inside.set()
        form(3_000_000)
        inside.clear()

    thread = threading.Thread(target=run)
    thread.start()
    inside.wait(10)
    while inside.is_set():
        beside.append(1)
    thread.join()
    assert len(beside) > 1000
