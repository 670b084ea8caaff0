"""Random typed programs on the native route: equal to Python bit for bit, thousands of them.

Hypothesis draws the programs, which are compiled many at a time, since a compiler run costs more than a program. If one
of them goes another way than in Python, the same seed is drawn again, and this time that program fails by itself, so
that Hypothesis shrinks it.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from autopar._compilers.native.toolchain import compile_text
from tests.semantics import together
from tests.semantics.batches import Compared, compare
from tests.semantics.compilers import Numba
from tests.semantics.programs import PROGRAMS, Program

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"
BATCHES, PROGRAMS_IN_A_BATCH = (400, 500) if LONG else (10, 500)
BY_NUMBA = 500 if LONG else 30
WORKERS = 2
ADMITTED_AT_LEAST = 0.4
"""Share of the programs that compiled code carries to the end in one of their calls: 0.55 when this was written."""

SHRINKING_SECONDS = 60.0

OPTIMISED_EVERY = 10
"""One batch in so many is compiled as users' functions are; the C of the others is not optimised."""


def drawn(number: int, use: Callable[[Program], None], *phases: Phase) -> None:
    """Draw the programs of a batch, always the same ones."""

    @seed(number)
    @settings(
        max_examples=PROGRAMS_IN_A_BATCH,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(PROGRAMS)
    def each(program: Program) -> None:
        use(program)

    each()


def shrink(number: int, differing: Iterable[Program]) -> None:
    """Draw them again, and fail with the smallest program that differs, as far as it is found in time."""
    known = set(differing)
    ends = float("inf")

    def fails_if_it_differs(program: Program) -> None:
        nonlocal ends
        late = time.monotonic() > ends
        if program not in known and (late or ends == float("inf")):
            return
        ends = min(ends, time.monotonic() + SHRINKING_SECONDS)
        compared = compare([program], optimised=False)
        if compared.differing:
            known.add(program)
            pytest.fail("\n".join(compared.report), pytrace=False)

    drawn(number, fails_if_it_differs, Phase.generate, Phase.shrink)


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    """Two processes: most of the time goes into lowering, which holds the GIL."""
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def compared_by(workers: ProcessPoolExecutor, programs: list[Program], optimised: bool, folder: Path) -> Compared:
    """Compare a part of the programs in each worker."""
    traces = [folder / f"running {number}" for number in range(WORKERS)]
    parts = [
        workers.submit(compare, programs[number::WORKERS], optimised=optimised, trace=trace)
        for number, trace in enumerate(traces)
    ]
    try:
        return sum((part.result() for part in parts), Compared())
    except BrokenProcessPool:
        running = "\n".join(trace.read_text(encoding="utf-8") for trace in traces if trace.exists())
        pytest.exit(f"A program has brought its process down, one of these:\n{running}", returncode=1)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(BATCHES))
def test_random_programs_go_as_in_python(
    number: int,
    workers: ProcessPoolExecutor,
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """Value, type, exception, warnings and arguments afterwards, with extreme values, all dtypes and overlap."""
    programs: list[Program] = []
    drawn(number, programs.append, Phase.generate)
    assert len(set(programs)) == PROGRAMS_IN_A_BATCH
    compared = compared_by(workers, programs, number % OPTIMISED_EVERY == 0, tmp_path)
    record_testsuite_property(f"random programs {number}", compared.summary)
    if compared.differing:
        shrink(number, compared.differing)
        pytest.fail(f"{len(compared.differing)} programs differ, but none by itself:\n" + "\n".join(compared.report))
    assert compared.admitted >= ADMITTED_AT_LEAST * len(programs), compared.summary


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_random_programs_go_as_in_python_by_way_of_numba(
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """The same through Numba's LLVM, which optimises in ways of its own: fewer, since each is compiled by itself."""
    programs: list[Program] = []
    drawn(BATCHES, programs.append, Phase.generate)
    compared = compare(programs[:BY_NUMBA], compiler=Numba)
    record_testsuite_property("random programs by way of numba", compared.summary)
    assert compared.differing == [], "\n".join(compared.report)
    assert compared.admitted >= ADMITTED_AT_LEAST * BY_NUMBA, compared.summary


@pytest.mark.slow
def test_a_mistake_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Floor division that rounds towards zero, planted in the C text, shows in two of these programs."""
    right, wrong = "q - (a % b != 0 &&", "q - (false &&"

    def mistaken(text: str, *arguments: Any, **options: Any) -> bytes:
        assert right in text
        return compile_text(text.replace(right, wrong), *arguments, **options)

    monkeypatch.setattr(together, "compile_text", mistaken)
    programs: list[Program] = []
    drawn(0, programs.append, Phase.generate)
    assert compare(programs[200:250], optimised=False).differing != []
