"""All rows, and how a case is run: in Python and as a compiler has it, call by call, on state of its own each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from autopar._compilers.native.emit import FLAGS
from tests.semantics import rows_arrays, rows_floats, rows_integers
from tests.semantics.case import Case
from tests.semantics.compilers import AHEAD, COMPILERS, Opened
from tests.semantics.outcome import Outcome, arguments_of, module, outcome
from tests.semantics.written import read

CASES: tuple[Case, ...] = tuple(
    chain(
        read("fragment.txt"),
        rows_integers.CASES,
        rows_floats.CASES,
        rows_arrays.CASES,
        read("indices.txt"),
        read("whole_arrays.txt"),
        read("language.txt"),
    )
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A case after its calls.

    Attributes
    ----------
    calls, expected, found
        The argument expressions, what Python does, and what the compiler's route does.
    compiled
        For each call, whether compiled code ended it.
    refusals
        Why calls were refused.
    """

    case: Case
    calls: tuple[str, ...]
    expected: tuple[Outcome, ...]
    found: tuple[Outcome, ...]
    compiled: tuple[bool, ...]
    refusals: tuple[str, ...]

    @property
    def admitted(self) -> bool:
        """Whether any call was."""
        return len(self.refusals) < len(self.calls)

    @property
    def differing(self) -> list[tuple[str, Outcome, Outcome]]:
        """The calls that went another way than in Python."""
        together = zip(self.calls, self.expected, self.found, strict=True)
        return [(call, expected, found) for call, expected, found in together if expected != found]

    @property
    def left(self) -> list[str]:
        """The calls that should have stayed in compiled code and did not."""
        return [
            call
            for call, stayed in zip(self.calls, self.compiled, strict=True)
            if call in self.case.stays and not stayed
        ]


def steps(case: Case, names: dict[str, Any], call: Callable[..., Any], file: str) -> Iterator[Outcome]:
    """Run the calls, and what stands between them."""
    for step in (*case.stays, *case.leaves):
        if step.startswith(":"):
            exec(step[1:], names)
        else:
            yield outcome(call, arguments_of(step, names), names, file)


def file_of(case: Case) -> str:
    """The name of its module's file."""
    return f"<{case.topic}/{case.name}>"


@cache
def expected(case: Case) -> tuple[Outcome, ...]:
    """What Python does."""
    names = module(case.source, file_of(case))
    return tuple(steps(case, names, names["f"], file_of(case)))


@cache
def opened_by(compiler: str, topic: str) -> dict[Case, tuple[Opened, dict[str, Any]]]:
    """The functions of a row, with their modules; what they need of a C compiler is compiled in one go."""
    found = {}
    for case in by_topic()[topic]:
        names = module(case.source, file_of(case))
        found[case] = COMPILERS[compiler](names["f"]), names
    AHEAD.wanted |= {
        text: None
        for case, (opened, names) in found.items()
        for step in (*case.stays, *case.leaves)
        if not step.startswith(":")
        for text in opened.texts_for(arguments_of(step, names))
    }
    AHEAD.compile(FLAGS)
    return found


@cache
def ran(compiler: str, case: Case) -> Ran:
    """Run a case; once for all tests that ask about it."""
    opened, names = opened_by(compiler, case.topic)[case]
    found = tuple(steps(case, names, opened, file_of(case)))
    calls = tuple(step for step in (*case.stays, *case.leaves) if not step.startswith(":"))
    return Ran(case, calls, expected(case), found, tuple(opened.compiled), tuple(opened.refusals))


def by_topic() -> dict[str, list[Case]]:
    """The cases of each row."""
    rows: dict[str, list[Case]] = {}
    for case in CASES:
        rows.setdefault(case.topic, []).append(case)
    return rows
