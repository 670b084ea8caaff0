"""The way to Cython's code: demanded, out of the cache, and where Cython is missing or broken."""

from __future__ import annotations

import threading
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from autopar import parallel
from autopar._compilers import cython
from autopar._compilers.cython import builder
from autopar._compilers.cython.compiled import CompiledObjects
from autopar._engine.functions import FunctionState
from autopar._engine.objects import CYTHON, note_calls
from autopar._model.compiler import NotCompiled, Refusal
from autopar.errors import UnavailableError
from tests.compilers.objects_together import needs_gil, opened

pytestmark = needs_gil


def count_letters(text: str) -> dict[str, int]:
    """How often each letter is there."""
    counts: dict[str, int] = {}
    for letter in text:
        counts[letter] = counts.get(letter, 0) + 1
    return counts


def names_of(text: str) -> dict[str, Any]:
    """It looks at its own frame."""
    found = text.split()
    return dict(locals(), found=found)


def _types(*args: Any) -> tuple[Any, ...]:
    types = cython.signature(count_letters, args, {})
    assert not isinstance(types, Refusal)
    return types


def test_a_demand_that_cannot_be_met_says_why() -> None:
    """The call and the map raise, with the line and the reason."""
    demanded = parallel(names_of, compiler="cython")
    line = names_of.__code__.co_firstlineno + 3
    for call in (lambda: demanded("a b"), lambda: list(demanded.map(["a b"]))):
        with pytest.raises(UnavailableError, match=f"line {line}: locals: it gives the variables of a frame"):
            call()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_demand_compiles_at_once() -> None:
    """The first call, and the first item, run in Cython's code."""
    demanded = parallel(count_letters, compiler="cython")
    assert demanded("abca") == {"a": 2, "b": 1, "c": 1}
    assert list(demanded.map(["ab", "ba"])) == [{"a": 1, "b": 1}] * 2
    assert demanded.decisions[-1].plan.compiler == "cython"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_module_comes_out_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What one process has built the next one loads, without Cython and without a compiler."""
    monkeypatch.setenv("AUTOPAR_STORE", str(tmp_path / "kept" / "store.sqlite"))
    monkeypatch.setattr(builder, "_built", {})
    first = cython.compile_for(count_letters, _types("a"))
    assert isinstance(first, CompiledObjects)

    def broken(*_: Any) -> str:
        raise AssertionError("Cython is run")

    monkeypatch.setattr(builder, "_translated", broken)
    monkeypatch.setattr(builder, "_built", {})
    again = cython.compile_for(count_letters, _types("a"))
    assert isinstance(again, CompiledObjects)
    assert again("aab") == {"a": 2, "b": 1}


def test_without_cython_there_is_a_refusal() -> None:
    """No package of that name is on the path."""
    with pytest.raises(NotCompiled, match="Cython is not installed"):
        builder._find(("/nowhere",))


@pytest.mark.parametrize(
    ("shadow", "reason"),
    [(None, "installation is broken"), ("", "does not say its version"), ('__version__ = "0.29.1"\n', "is too old")],
)
def test_a_broken_installation_is_a_refusal(tmp_path: Path, shadow: str | None, reason: str) -> None:
    """What is found under the name is looked at, and not imported."""
    package = tmp_path / "Cython"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('it was imported')\n")
    if shadow is not None:
        (package / "Shadow.py").write_text(shadow)
    with pytest.raises(NotCompiled, match=reason):
        builder._find((str(tmp_path),))


@pytest.mark.slow
def test_a_cython_that_fails_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs as a program of its own, whose last words are the reason."""
    package = tmp_path / "Cython"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('error: half an installation')\n")
    (package / "Shadow.py").write_text('__version__ = "3.999"\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    form = cython.compile_for(count_letters, _types("a"))
    assert isinstance(form, Refusal)
    assert "half an installation" in form.reason


def test_arrays_are_left_to_kernels() -> None:
    """As objects they are refused: NumPy's warnings name the line of Python that runs."""
    numpy = pytest.importorskip("numpy")
    refused = cython.of_objects(count_letters, (numpy.zeros(2),), {})
    assert isinstance(refused, Refusal)
    assert "warnings" in refused.reason


def test_an_account_is_asked_only_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below what Cython takes nothing is begun; above it is, once; what cannot be compiled is not asked again."""
    begun: list[Any] = []
    state = FunctionState(count_letters)
    monkeypatch.setattr(type(state.objects.forms), "begin", lambda forms, types, then: begun.append(types))
    monkeypatch.setattr(type(state.objects.forms), "remembers", lambda forms, types: False)
    note_calls(state, ("abc",), {}, 0.9 * cython.COMPILE_SECONDS)
    assert begun == []
    note_calls(state, ("abc",), {}, 0.2 * cython.COMPILE_SECONDS)
    assert [tuple(map(str, types)) for types in begun] == [("str",)]
    assert state.objects.forms.compilers == (CYTHON,)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_loops_let_other_threads_run() -> None:
    """A loop on objects gives up the GIL from time to time, as Python's does."""
    names: dict[str, Any] = {}
    exec(
        compile("def f(stop):\n    n = 0\n    while not stop:\n        n += 1\n    return n\n", "<spin>", "exec"), names
    )
    import linecache

    linecache.cache["<spin>"] = (
        1,
        None,
        ["def f(stop):\n", "    n = 0\n", "    while not stop:\n", "        n += 1\n", "    return n\n"],
        "<spin>",
    )
    assert isinstance(names["f"], FunctionType)
    form = opened({"spin": names["f"]})["spin"]
    assert isinstance(form, CompiledObjects)
    stop: list[int] = []
    timer = threading.Timer(0.05, lambda: stop.append(1))
    timer.start()
    assert form.call(stop) > 0
    timer.join()
