"""A notebook run for real: functions of its cells are mapped, compiled, shown, and taken anew when a cell is."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
nbclient = pytest.importorskip("nbclient", reason="the test extra is not installed")
nbformat = pytest.importorskip("nbformat", reason="the test extra is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CELLS = {
    "load": "%load_ext autopar",
    "define": """
import os
import autopar as ap
FACTOR = 3
@ap.parallel(workers=2)
def tripled(x):
    return x * FACTOR, os.getpid()
tripled
""",
    "processes": """
found = tripled.options(backend="processes").map(range(40))
[value for value, _ in found] == list(range(0, 120, 3)), os.getpid() not in {pid for _, pid in found}
""",
    "global": """
FACTOR = 5
[value for value, _ in tripled.options(backend="processes").map([1, 2])]
""",
    "redefine": """
@ap.parallel(workers=2)
def tripled(x):
    return -x, 0
[value for value, _ in tripled.options(backend="processes").map([1, 2])], len(tripled.decisions)
""",
    "kernel": """
@ap.parallel(compiler="COMPILER")
def climb(n):
    total = 0
    for i in range(n):
        total += i * i % 7
    return total
climb.map([10, 1000]) == [climb.__wrapped__(10), climb.__wrapped__(1000)]
""",
    "decision": "tripled.decisions[-1]",
    "decisions": "ap.decisions()",
    "hostile": """
hostile = ap.parallel(lambda x: x)
hostile.__wrapped__.__qualname__ = "<script>alert(1)</script>"
hostile.map([1, 2])
hostile
""",
    "cell magic": """%%autopar backend="threads", workers=2
hidden = ap.map(abs, [-1, -2, -3])
print(hidden)
""",
    "line magic": "%autopar tripled",
    "all": "%autopar",
    "failing": """%%autopar
ap.map(lambda x: 1 // x, [1, 0])
""",
    "wrong hint": "%%autopar 5 +\npass",
    "after": "hidden, ap.decisions()[-1].operation",
    "unload": "%unload_ext autopar",
    "frame": """
import pandas as pd
frame = pd.DataFrame({"a": range(50)})
def of_a_cell(row):
    return row["a"] + FACTOR
ap.apply(frame, of_a_cell, axis=1, backend="processes", workers=2).equals(frame.apply(of_a_cell, axis=1))
""",
}


PAGE = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
CELLS |= {
    f"page {place}": cell
    for place, cell in enumerate(re.findall(r"^```ipython\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What each cell gives, with errors as outputs; the notebook runs once for all tests."""
    home = tmp_path_factory.mktemp("home")
    kept = {
        name: str(home / name) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "AUTOPAR_STORE")
    }
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    compiler = "native" if any(map(shutil.which, ("cc", "gcc", "clang"))) else "numba"  # which takes longer to import
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.strip().replace("COMPILER", compiler)) for cell in CELLS.values()]
    )
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True)
    client.execute(env={**os.environ, **kept, "AUTOPAR_STORE": "off", "PYTHONPATH": path}, cwd=str(home))
    return {name: cell["outputs"] for name, cell in zip(CELLS, notebook["cells"], strict=True)}


def value(outputs: list[Any]) -> str:
    """The plain text of a cell's value."""
    [found] = [one["data"]["text/plain"] for one in outputs if one["output_type"] == "execute_result"]
    return str(found)


def html(outputs: list[Any]) -> str:
    """The HTML that a cell shows, as its value or beside it."""
    shown = [one for one in outputs if one["output_type"] in ("execute_result", "display_data")]
    assert shown, outputs
    return str(shown[-1]["data"]["text/html"])


def test_functions_of_cells_run_in_worker_processes(outputs: dict[str, list[Any]]) -> None:
    """They travel by value, with the globals that they read as these are now."""
    assert value(outputs["processes"]) == "(True, True)"
    assert value(outputs["global"]) == "[5, 10]"
    assert value(outputs["frame"]) == "True"


def test_a_function_that_is_defined_anew_is_another(outputs: dict[str, list[Any]]) -> None:
    """Its own decisions begin with it, and workers call the new one."""
    assert value(outputs["redefine"]) == "([-1, -2], 1)"


def test_functions_of_cells_are_compiled(outputs: dict[str, list[Any]]) -> None:
    """Their source is found although there is no file."""
    assert value(outputs["kernel"]) == "True"


def test_functions_and_decisions_have_a_face(outputs: dict[str, list[Any]]) -> None:
    """A function shows its hints and its latest decision, a list of decisions a table; text stays beside it."""
    assert "@parallel(workers=2) __main__.tripled" in html(outputs["define"])
    assert "Not mapped yet." in html(outputs["define"])
    assert value(outputs["define"]) == "<function __main__.tripled(x)>"
    assert "__main__.tripled: map over 2 items ran on" in html(outputs["decision"])
    assert html(outputs["decisions"]).count("<tr>") >= 4


def test_names_are_shown_as_text(outputs: dict[str, list[Any]]) -> None:
    """A name that is markup is escaped, and the page is small and names no colour of its own but a translucent grey."""
    shown = html(outputs["hostile"])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script" not in shown
    assert len(shown) < 4000
    assert re.findall(r"#[0-9a-f]+", shown) == ["#8886"]


def test_the_cell_magic_runs_with_hints_and_shows_what_was_decided(outputs: dict[str, list[Any]]) -> None:
    """Names of the cell stay; its decisions, and no earlier ones, are shown after what it prints."""
    shown = outputs["cell magic"]
    assert shown[0]["text"] == "[1, 2, 3]\n"
    assert "builtins.abs" in html(shown)
    assert "backend=&#x27;threads&#x27; is demanded" in html(shown)
    assert "tripled" not in html(shown)
    assert value(outputs["after"]).startswith("([1, 2, 3], ")


def test_the_line_magic_explains_a_function_or_shows_all(outputs: dict[str, list[Any]]) -> None:
    """With a name it is the function's latest decision, without one the table."""
    assert "__main__.tripled: map over 2 items" in html(outputs["line magic"])
    assert "__main__.tripled: map over 2 items" in value(outputs["line magic"])
    assert "builtins.abs" in html(outputs["all"])


def test_errors_of_a_cell_stop_it_and_are_shown_once(outputs: dict[str, list[Any]]) -> None:
    """The error is the cell's own; a line that is no hints is an error that says what is."""
    errors = [one for one in outputs["failing"] if one["output_type"] == "error"]
    assert [error["ename"] for error in errors] == ["ZeroDivisionError"]
    [wrong] = [one for one in outputs["wrong hint"] if one["output_type"] == "error"]
    assert (wrong["ename"], "takes hints" in wrong["evalue"]) == ("HintTypeError", True)
    assert not [one for name in ("load", "unload") for one in outputs[name]]


def test_the_cells_of_the_page_run(outputs: dict[str, list[Any]]) -> None:
    """Each cell that docs/notebooks.md shows runs without an error, and those at whose end something stands show it."""
    cells = {name: found for name, found in outputs.items() if name.startswith("page ")}
    assert len(cells) > 6
    assert [one for found in cells.values() for one in found if one["output_type"] in ("error", "stream")] == []
    assert [bool(found) for found in cells.values()] == [False, True, True, True, False, True, True]
    assert all("__main__.digits: map over" in html(cells[f"page {place}"]) for place in (1, 2, 6))
