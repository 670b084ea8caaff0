"""Numba as a compiler: what it takes, what is demanded of it, and what becomes of its faults."""

from __future__ import annotations

import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autopar import parallel
from autopar._compilers import load, numba
from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.numba import jit
from autopar._compilers.numba.frontend import kernel_of
from autopar._kernel import ir
from autopar._model.compiler import EXACT, NotCompiled, Refusal, Terms
from autopar.errors import HintValueError, UnavailableError
from tests.scripts import run_python
from tests.semantics.compilers import Never

pytestmark = pytest.mark.slow


def run_script(text: str, folder: Path) -> str:
    """Run a program from a file, whose functions can be read."""
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return run_python(str(path), limit=60, AUTOPAR_STORE="off")


def squares(count: int) -> int:
    """Sum of squares."""
    total = 0
    for number in range(count):
        total += number * number
    return total


def texts(count: int) -> str:
    """Something that is no number."""
    return f"{count}"


def compiled(function: Any, *args: Any, terms: Terms = EXACT) -> Any:
    """Compile for a call."""
    types = numba.signature(function, args, {}, terms=terms)
    return types if isinstance(types, Refusal) else numba.compile_for(function, types, terms=terms)


def test_it_is_a_compiler_like_the_others() -> None:
    """The engine finds it by its name."""
    assert load("numba") is sys.modules["autopar._compilers.numba"]


def test_a_function_gives_what_it_gives_in_python() -> None:
    """Integers past 64 bits included, which leave the compiled code."""
    form = compiled(squares, 10)
    assert form(10) == 285
    assert form.compiler == "numba"
    assert form(3_000_000) == squares(3_000_000)


def smoothed(values: Any) -> Any:
    """Means of three neighbours out of running sums, which C code has none of."""
    sums = np.cumsum(values)
    out = values.copy()
    out[2:-1] = (sums[3:] - sums[:-3]) / 3.0
    return out


@pytest.mark.timeout(240)
def test_single_calls_go_over_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the function has cost enough both ways are timed on real calls; a decision says what was chosen."""
    monkeypatch.setattr(numba, "COMPILE_SECONDS", 0.01)
    monkeypatch.setenv("AUTOPAR_STORE", "off")
    function, values = parallel(smoothed), np.sin(np.arange(50_000.0))
    expected = smoothed(values)
    ends = time.monotonic() + 200
    while time.monotonic() < ends and not function.decisions:
        assert np.array_equal(function(values), expected)
    (decision,) = function.decisions
    assert decision.operation == "call"
    assert decision.plan.compiler in ("numba", "python")
    assert "us a call in numba code" in decision.why
    assert np.array_equal(function(values), expected)


def test_what_exactness_forbids_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line and the hint that would admit it; calls go on in Python."""

    def decayed(values: Any) -> Any:
        return np.exp(-values)

    monkeypatch.setattr(numba, "COMPILE_SECONDS", 0.01)
    function, values = parallel(decayed), np.arange(50_000.0)
    ends = time.monotonic() + 50
    while time.monotonic() < ends and not function.decisions:
        function(values)
    assert "rtol= would admit it" in function.decisions[-1].why


def test_a_demand_compiles_at_once() -> None:
    """The first call runs compiled, of maps too."""
    function = parallel(compiler="numba")(squares)
    assert function(10) == 285
    assert function.map([1, 2, 3]) == [0, 1, 5]
    assert function.decisions[-1].plan.compiler == "numba"


def test_a_demand_that_cannot_be_met_says_why() -> None:
    """With the function, the line and the reason."""
    line = texts.__code__.co_firstlineno + 2
    with pytest.raises(UnavailableError, match=rf'compiler="numba" cannot compile .*texts: line {line}: '):
        parallel(compiler="numba")(texts)(1)


def test_inexact_answers_are_the_users_own_risk() -> None:
    """`exact=False` takes Numba's answers as they are, which the decision says."""
    function = parallel(compiler="numba", exact=False)(squares)
    assert function.map([3, 10]) == [5, 285]
    assert function(10_000_000) != squares(10_000_000)
    assert any("exact=False was given" in note for note in function.decisions[-1].notes)


def test_what_numba_does_not_take_is_an_error_then_too() -> None:
    """The reason is Numba's."""

    def opens() -> Any:
        return open("x")

    with pytest.raises(UnavailableError, match="Numba does not compile it"):
        parallel(compiler="numba", exact=False)(opens)()


@pytest.mark.parametrize("hints", [{}, {"compiler": "native"}])
def test_inexact_answers_are_numbas_alone(hints: dict[str, Any]) -> None:
    """Without `compiler="numba"` the hint is an error, since it would mean nothing."""
    with pytest.raises(HintValueError, match='exact=False goes with compiler="numba"'):
        parallel(**hints, exact=False)(squares)


@pytest.mark.parametrize("fault", [AssertionError("internal"), RuntimeError("broken"), MemoryError(), SystemError()])
def test_any_failure_is_a_refusal(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Internal assertions too: the function then runs in Python, and the reason is on record."""

    def fail(*args: Any) -> Any:
        raise fault

    monkeypatch.setattr(jit, "_compiled", fail)
    found = compiled(squares, 3)
    assert isinstance(found, Refusal)
    assert type(fault).__name__ in str(found)


def test_a_compilation_that_takes_too_long_is_not_waited_for() -> None:
    """The reason names the deadline; what it makes in the end is not used."""
    ends = threading.Event()
    with pytest.raises(NotCompiled, match=r"longer than 0.01 s"):
        jit.within(0.01, lambda: ends.wait(30))
    ends.set()


def test_a_broken_installation_is_a_refusal(tmp_path: Path) -> None:
    """Where importing Numba raises whatever it likes, a demand says so, and everything else runs in Python."""
    package = tmp_path / "numba"
    package.mkdir()
    (package / "__init__.py").write_text("raise AttributeError('half installed')\n")
    script = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from autopar import parallel
        from autopar._compilers import numba
        from autopar.errors import UnavailableError

        def squares(count):
            total = 0
            for number in range(count):
                total += number * number
            return total

        if __name__ == "__main__":
            print(numba.compile_for(squares, numba.signature(squares, (3,), {{}})))
            try:
                parallel(compiler="numba")(squares)(3)
            except UnavailableError as error:
                print(error)
            print(parallel(squares).map([3, 4]))
    """
    done = run_script(script, tmp_path)
    assert done.count("Numba cannot be used: AttributeError: half installed") == 2
    assert "[5, 14]" in done


def test_numba_is_imported_when_a_plan_needs_it(tmp_path: Path) -> None:
    """Neither autopar, nor a map, nor a native form, nor the signature of a call imports it."""
    script = """
        import sys
        from autopar import parallel
        from autopar._compilers import numba

        def squares(count):
            total = 0
            for number in range(count):
                total += number * number
            return total

        if __name__ == "__main__":
            numba.signature(squares, (3,), {})
            parallel(squares).map(range(50))
            parallel(compiler="native")(squares)(10)
            print([name for name in sys.modules if name.partition(".")[0] in ("numba", "llvmlite")])
    """
    assert run_script(script, tmp_path).strip() == "[]"


def test_importing_numba_switches_no_gil_on(tmp_path: Path) -> None:
    """Without a GIL the import is left to the program, also on a demand, which says so; all else runs in Python."""
    package = tmp_path / "numba"
    package.mkdir()
    (package / "__init__.py").write_text("raise AttributeError('imported by autopar')\n")
    script = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        sys._is_gil_enabled = lambda: False
        from autopar import parallel
        from autopar._compilers import numba
        from autopar.errors import UnavailableError

        def squares(count):
            total = 0
            for number in range(count):
                total += number * number
            return total

        if __name__ == "__main__":
            print(numba.compile_for(squares, numba.signature(squares, (3,), {{}})))
            for hints in ({{}}, {{"exact": False}}):
                try:
                    parallel(compiler="numba", **hints)(squares)(3)
                except UnavailableError as error:
                    print(error)
            print(parallel(squares).map([3, 4]))
    """
    done = run_script(script, tmp_path)
    assert done.count(jit.GIL_STAYS_OFF) == 3
    assert "[5, 14]" in done


def test_numba_that_the_program_has_imported_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without a GIL: what its import does to that has been done."""
    jit.import_numba()
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    monkeypatch.setattr(jit, "_numba", jit._Numba())
    assert compiled(squares, 10)(10) == 285


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork")
def test_a_child_of_a_process_that_was_compiling_does_without() -> None:
    """Numba's lock is held there for ever; the refusal says so."""
    state = jit._Numba()
    state.working = 1
    state.forked()
    with pytest.raises(NotCompiled, match="when this process was forked"):
        state.get()


def added(values: Any) -> Any:
    """A kernel with one addition, in whose place the test puts another operation."""
    total = values[0] + 0.5
    return total


def with_operation(operation: Any) -> Any:
    """The function above compiled with another operation, of the array's address and length."""
    types: Any = numba.signature(added, (np.ones(3),), {})
    kernel = kernel_of(added, types, EXACT)
    for statement in kernel.body:
        if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Op) and statement.value.name == "+":
            statement.value = operation(kernel.slots[0], kernel.slots[1], statement.value)
    form = CompiledFunction(added, kernel, jit.compile_kernel(kernel))
    form.sampling, form._entry.countdown = Never(), 1 << 40
    return form


@pytest.mark.parametrize("count", [1, 7, 8, 9, 127, 128, 129, 500, 3001])
def test_sums_are_added_in_numpys_order(count: int) -> None:
    """To the bit, over numbers whose sum depends on the order."""
    form = with_operation(lambda data, n, _: ir.Op("f64", "pairwise_sum", (data, n, ir.Const("i64", 8))))
    values = np.cos(np.arange(1.0, count + 1.0) * 7.0) * 10.0 ** (np.arange(count) % 9)
    assert float(form(values)) == float(np.sum(values))
    assert form.calls == 1


@pytest.mark.parametrize(("first", "expected"), [(3.0, 3.0), (-1.0, 7.0)])
def test_a_choice_works_out_both_values(first: float, expected: float) -> None:
    """What is not chosen counts as worked out."""

    def operation(data: Any, n: Any, plus: Any) -> ir.Op:
        element = plus.args[0]
        return ir.Op(
            "f64", "select", (ir.Op("bool", ">", (element, ir.Const("f64", 0.0))), element, ir.Const("f64", 7.0))
        )

    form = with_operation(operation)
    assert float(form(np.array([first]))) == expected


def test_buffers_that_are_let_go_are_used_again() -> None:
    """Large results of call after call do not take new memory each time; threads share what is kept."""

    def doubled(values: Any) -> Any:
        return values * 2.0 + 1.0

    form = compiled(doubled, np.arange(50_000.0))
    expected = np.arange(50_000.0) * 2.0 + 1.0
    failed: list[int] = []

    def work() -> None:
        for number in range(200):
            size = 50_000 - 1000 * (number % 7)
            if not np.array_equal(form(np.arange(float(size))), expected[:size]):
                failed.append(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert form.withdrawn == ""
