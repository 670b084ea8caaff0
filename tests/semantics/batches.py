"""Many programs in one run of the C compiler, compared with Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autopar._compilers.native.emit import FLAGS
from tests.semantics.compilers import Native
from tests.semantics.outcome import Outcome, arguments_of, module, outcome
from tests.semantics.programs import Program
from tests.semantics.together import QUICK, Texts


@dataclass
class _Run:
    """A program on its way through both routes."""

    program: Program
    file: str
    native: Native
    names: dict[str, Any]
    shared: Texts

    @classmethod
    def of(cls, program: Program, texts: Texts, compiler: type[Native]) -> _Run:
        """Load its module."""
        file = f"<{hash(program)}>"
        names = module(program.source, file)
        return cls(program, file, compiler(names["f"], texts.loaded), names, texts)

    def texts(self) -> dict[str, None]:
        """The C texts that the calls need."""
        calls = self.program.calls
        return {text: None for call in calls for text in self.native.texts_for(arguments_of(call, self.names))}

    def outcomes(self) -> list[tuple[str, Outcome, Outcome]]:
        """Each call with what it does in Python and compiled."""
        names = module(self.program.source, self.file)
        return [
            (
                call,
                outcome(names["f"], arguments_of(call, names), names, self.file, one_nan=True),
                outcome(self.native, arguments_of(call, self.names), self.names, self.file, one_nan=True),
            )
            for call in self.program.calls
        ]


@dataclass
class Compared:
    """What became of a batch.

    Attributes
    ----------
    programs, calls
        How many there were.
    admitted
        Programs of which a call was carried to its end by compiled code.
    compiled
        Such calls.
    refusals
        Why programs were refused, and how many.
    differing, report
        Programs that went another way than in Python; what each did.
    """

    programs: int = 0
    calls: int = 0
    admitted: int = 0
    compiled: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    differing: list[Program] = field(default_factory=list)
    report: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """In a line."""
        return (
            f"{self.programs} programs, {self.admitted} of them compiled; {self.calls} calls, "
            f"{self.compiled} of them ended in compiled code; {len(self.differing)} programs differ"
        )

    def __add__(self, other: Compared) -> Compared:
        return Compared(
            self.programs + other.programs,
            self.calls + other.calls,
            self.admitted + other.admitted,
            self.compiled + other.compiled,
            dict(Counter(self.refusals) + Counter(other.refusals)),
            self.differing + other.differing,
            self.report + other.report,
        )

    def add(self, run: _Run) -> None:
        """Run a program's calls."""
        self.programs += 1
        differing = False
        for call, expected, found in run.outcomes():
            self.calls += 1
            if expected != found:
                differing = True
                self.report.append(f"{run.program.source}f{call}\nPython:   {expected}\ncompiled: {found}\n")
        self.compiled += sum(run.native.compiled)
        self.admitted += any(run.native.compiled)
        for reason in {reason.partition(": ")[2] for reason in run.native.refusals}:
            self.refusals[reason] = self.refusals.get(reason, 0) + 1
        for text in run.texts():
            if complaint := run.shared.broken.get(text):
                differing = True
                self.report.append(f"{run.program}its C does not compile: {complaint}\n")
        if differing:
            self.differing.append(run.program)


def compare(
    programs: Iterable[Program],
    *,
    optimised: bool = True,
    trace: Path | None = None,
    compiler: type[Native] = Native,
) -> Compared:
    """Run programs both ways; their C is not optimised unless `optimised` is given.

    `trace` is a file that says which program runs, for whoever finds this process dead.
    """
    texts = Texts()
    runs = [_Run.of(program, texts, compiler) for program in programs]
    compared = Compared()
    for run in runs:
        with _named(run.program):
            texts.wanted |= run.texts()
    texts.compile(FLAGS if optimised else QUICK)
    for run in runs:
        if trace is not None:
            trace.write_text(str(run.program), encoding="utf-8")
        with _named(run.program):
            compared.add(run)
    return compared


@contextmanager
def _named(program: Program) -> Iterator[None]:
    """Add the program to an error that is none of its own."""
    try:
        yield
    except BaseException as error:
        error.add_note(str(program))
        raise
