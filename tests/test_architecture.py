"""The house rules that a machine can check: who may import whom, how long a module is, what an import costs."""

from __future__ import annotations

import ast
import contextlib
import io
import logging.config
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "autopar").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

LONGEST_MODULE = 500
LONGER_FOR_A_REASON: dict[str, str] = {}  # path in the repository -> why it may be longer

HEAVY = [
    "asyncio",
    "cloudpickle",
    "concurrent.futures",
    "Cython",
    "dask",
    "distributed",
    "joblib",
    "multiprocessing",
    "numba",
    "numpy",
    "pandas",
    "sqlite3",
]


@pytest.fixture(scope="module")
def imported_modules() -> list[str]:
    """List the modules that `import autopar` brings into a fresh interpreter."""
    script = "import sys; before = set(sys.modules); import autopar; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout.split()


@pytest.mark.parametrize("contract", ["ladder", "front-door", "no-cycles"])
def test_imports_keep_the_contract(contract: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports go down the ladder, none goes through the front door, and no two siblings import each other."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(logging.config, "dictConfig", lambda _: None)  # it would silence every logger for good
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = lint_imports(limit_to_contracts=(contract,), no_cache=True, no_logo=True)
    assert status == 0, said.getvalue()


def test_no_module_imports_itself_in_a_circle() -> None:
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = grimp.build_graph("autopar", cache_dir=None, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    order = list(TopologicalSorter(imports).static_order())  # a cycle is a CycleError that names its modules
    assert set(order) == graph.modules


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_enough_to_read(module: Path) -> None:
    """A module has at most 500 lines, unless a reason is given here."""
    name = module.relative_to(ROOT).as_posix()
    length = len(module.read_text(encoding="utf-8").splitlines())
    assert (length > LONGEST_MODULE) == (name in LONGER_FOR_A_REASON), f"{name} has {length} lines"


@pytest.mark.parametrize("test_file", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_says_what_it_specifies(test_file: Path) -> None:
    """Every test has a docstring of its own, which no other test of its file has."""
    tree = ast.parse(test_file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    said = {node.name: ast.get_docstring(node) for node in functions if node.name.startswith("test_")}
    assert [name for name, docstring in said.items() if not docstring] == []
    assert len(set(said.values())) == len(said), "two tests have the same docstring"


@pytest.mark.parametrize("package", HEAVY)
def test_importing_autopar_is_light(package: str, imported_modules: list[str]) -> None:
    """`import autopar` brings in no heavy package: each is imported when a plan first uses it."""
    assert "autopar" in imported_modules
    assert [name for name in imported_modules if name == package or name.startswith(f"{package}.")] == []


@pytest.mark.parametrize(
    ("room", "others"),
    [
        ("_backends", {"dask", "joblib", "multiprocessing"}),
        ("_engine", set()),
        ("_kernel", {"Kernel"}),
        ("_plan", set()),
    ],
)
def test_the_map_of_a_room_names_each_of_its_modules(room: str, others: set[str]) -> None:
    """What opens the package says what each file in it is for, and names none that is gone."""
    folder = ROOT / "autopar" / room
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    named = set(re.findall(r"`{1,2}(\w+)`{1,2}", text))
    there = {each.stem for each in folder.glob("*.py")} - {"__init__"}
    assert (there - named, named - there) == (set(), others)
