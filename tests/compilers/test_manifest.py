"""A kernel whose object is in the cache is taken up without the front end, if all that it rests on is as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autopar._compilers.native import compile_function, frontend
from autopar._compilers.native.compiled import CompiledFunction
from autopar._kernel.kernel import Kernel

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

SCALE = 3.0
LIMITS = (1, 2)


def helper(x: float) -> float:
    return x * SCALE + LIMITS[0]


def scaled(a: Any, x: float) -> tuple[float, Any]:
    out = np.zeros(len(a))
    for i in range(len(a)):
        out[i] = a[i] * helper(x)
    return float(out[0]), out


ARGUMENTS = (np.arange(1.0, 4.0), 0.5)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("AUTOPAR_STORE", str(tmp_path / "autopar" / "store.sqlite"))
    (tmp_path / "autopar").mkdir(mode=0o700)
    return tmp_path / "autopar" / "native"


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that went through the front end."""
    found: list[str] = []
    real: Callable[..., tuple[Kernel, str]] = frontend.kernel_of

    def noted(function: Any, types: Any, *, rtol: float = 0.0) -> tuple[Kernel, str]:
        found.append(function.__name__)
        return real(function, types, rtol=rtol)

    monkeypatch.setattr(frontend, "kernel_of", noted)
    return found


def compiled() -> CompiledFunction:
    """The function compiled, which gives what it gives in Python."""
    found = compile_function(scaled, ARGUMENTS)
    assert isinstance(found, CompiledFunction)
    ours, python = found(*ARGUMENTS), scaled(*ARGUMENTS)
    assert ours[0] == python[0]
    np.testing.assert_array_equal(ours[1], python[1])
    assert found.calls == 1
    return found


@pytest.mark.usefixtures("store")
def test_the_second_time_needs_no_front_end(lowered: list[str]) -> None:
    """It has the exits, facts and types of the first, and is withdrawn by the same changes."""
    first, second = compiled(), compiled()
    assert lowered == ["scaled"]
    for name in (
        "parameters",
        "result",
        "exits",
        "written",
        "read",
        "undo",
        "float_flags",
        "whole_arrays",
        "line",
        "layout",
    ):
        assert getattr(first.kernel, name) == getattr(second.kernel, name)
    assert [fact.name for fact in first.kernel.facts] == [fact.name for fact in second.kernel.facts]


def other_helper(x: float) -> float:
    return x - 1.0


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("name", "value"), [("SCALE", 4.0), ("SCALE", 3), ("LIMITS", (5, 2)), ("helper", other_helper), ("range", reversed)]
)
def test_what_has_changed_is_lowered_anew(
    name: str, value: Any, lowered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A global of another value or type, another callee, and a built-in name that is hidden."""
    compiled()
    monkeypatch.setitem(globals(), name, value)
    found = compile_function(scaled, ARGUMENTS)
    assert lowered == ["scaled", "scaled"]
    if isinstance(found, CompiledFunction):
        assert found(*ARGUMENTS)[0] == scaled(*ARGUMENTS)[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"lookups": []}', b'{"lookups": [["name", 9, "x"]]}'])
def test_a_manifest_that_says_nothing_is_done_without(content: bytes, store: Path, lowered: list[str]) -> None:
    """A broken file costs the front end."""
    compiled()
    (manifest,) = store.glob("*.json")
    manifest.write_bytes(content)
    compiled()
    assert lowered == ["scaled", "scaled"]


def test_a_manifest_of_an_object_that_is_gone_is_done_without(store: Path, lowered: list[str]) -> None:
    """So is one that names a file outside of the cache."""
    compiled()
    (manifest,) = store.glob("*.json")
    said = json.loads(manifest.read_text())
    for name in ("0" * 32, "../../evil"):
        manifest.write_text(json.dumps({**said, "object": name}))
        compiled()
    assert len(lowered) == 3


@pytest.mark.slow
def test_a_second_process_imports_no_front_end(store: Path, tmp_path: Path) -> None:
    """Neither the syntax tree nor the emitter is loaded where the object is in the cache."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from autopar._compilers.native import compile_function

            def f(n):
                return sum(i * i for i in range(n))

            compiled = compile_function(f, (5,))
            assert (compiled(5), compiled.calls) == (30, 1), compiled
            print("autopar._kernel.lower" in sys.modules, "autopar._compilers.native.emit" in sys.modules)
            """
        )
    )
    said = [
        subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout for _ in range(2)
    ]
    assert said == ["True True\n", "False False\n"]
    assert len(list(store.glob("*.json"))) == 1


def doubled(values: Any) -> Any:
    return values * 2.0


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("function", "certain"), [(doubled, False), (scaled, True)])
def test_whether_it_is_quicker_than_python_is_left_open_for_whole_arrays(function: Any, certain: bool) -> None:
    """NumPy's own loops are quick, so such a kernel is to be measured: also when it comes out of the cache."""
    for _ in range(2):
        found = compile_function(function, ARGUMENTS[: function.__code__.co_argcount])
        assert isinstance(found, CompiledFunction)
        assert found.certain is certain
