"""Functions from anywhere: scripts, standard input, notebook cells, packages that another directory runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.scripts import run_python

pytestmark = [pytest.mark.timeout(40), pytest.mark.slow]

BODY = """\
from autopar import parallel

SCALE = 10


class Point:
    def __init__(self, x):
        self.x = x

    @parallel
    def moved(self, dx):
        return Point(self.x + dx)


def helper(x):
    return x * SCALE


@parallel
def scaled(x):
    return helper(x) + 1


@parallel
def plain(point):
    return Point(point.x * SCALE)


@parallel
async def later(x):
    return helper(x)


assert scaled.map(range(5)) == [1, 11, 21, 31, 41]
for backend in ("serial", "threads", "processes"):
    assert scaled.map(range(5), backend=backend) == [1, 11, 21, 31, 41], backend
    points = plain.map([Point(1), Point(2)], backend=backend)
    assert [type(p) for p in points] == [Point, Point], backend
    assert [p.x for p in points] == [10, 20], backend
    assert [p.x for p in Point(1).moved.map([1, 2], backend=backend)] == [2, 3], backend
    assert parallel(lambda x: x + SCALE).map([1, 2], backend=backend) == [11, 12], backend
    assert scaled.submit(1).result() == 11
SCALE = 100
for backend in ("serial", "threads", "processes"):
    assert scaled.map(range(3), backend=backend) == [1, 101, 201], backend
assert later.map(range(3)) == [0, 100, 200]
"""


def test_functions_of_a_script(tmp_path: Path) -> None:
    """A script needs no `if __name__ == "__main__"` guard, and runs once."""
    script = tmp_path / "script.py"
    script.write_text(f"print('begin', flush=True)\n{BODY}\nprint('end')\n")
    assert run_python(str(script)) == "begin\nend\n"


def test_functions_of_a_script_in_another_directory(tmp_path: Path) -> None:
    """A script may be run from anywhere, and imports its neighbours."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "neighbour.py").write_text("FACTOR = 7\ndef times(x):\n    return x * FACTOR\n")
    (folder / "script.py").write_text(
        "import neighbour\n"
        "from autopar import parallel\n"
        "for backend in ('serial', 'threads', 'processes'):\n"
        "    print(parallel(neighbour.times).map([1, 2], backend=backend))\n"
    )
    assert run_python(str(folder / "script.py"), cwd=tmp_path) == "[7, 14]\n" * 3


def test_functions_of_standard_input() -> None:
    """`python -` has no file that another process could import."""
    assert run_python("-", text=f"{BODY}\nprint('end')\n") == "end\n"


def test_functions_of_a_command() -> None:
    """`python -c` works too."""
    assert run_python("-c", f"{BODY}\nprint('end')\n") == "end\n"


def test_functions_of_a_module_run_as_main(tmp_path: Path) -> None:
    """`python -m package.module` maps functions of `__main__`."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text(f"{BODY}\nprint('end')\n")
    assert run_python("-m", "package.module", cwd=tmp_path, PYTHONPATH=f"{Path(__file__).parents[2]}") == "end\n"


def test_functions_of_notebook_cells() -> None:
    """Cells that are exec'd into a namespace, and run again after a change, give what is in them now."""
    notebook = '''
import sys, types, linecache
main = types.ModuleType("__main__")
sys.modules["__main__"] = main

def cell(number, source):
    name = f"<ipython-input-{number}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), vars(main))

cell(1, """
from autopar import parallel
def helper(x): return x + 1
@parallel
def f(x): return helper(x)
""")
for backend in ("serial", "threads", "processes"):
    cell(2, f"""print(f.map([1, 2], backend={backend!r}))""")
    cell(3, """def helper(x): return x + 100""")
    cell(4, f"""print(f.map([1, 2], backend={backend!r}))""")
    cell(5, """
@parallel
def f(x): return -helper(x)
""")
    cell(6, f"""print(f.map([1, 2], backend={backend!r}))""")
    cell(7, """
def helper(x): return x + 1
@parallel
def f(x): return helper(x)
""")
'''
    assert run_python("-", text=notebook) == "[2, 3]\n[101, 102]\n[-101, -102]\n" * 3


def test_functions_of_a_module_that_is_on_no_path(tmp_path: Path) -> None:
    """A module loaded from a file by hand cannot be imported elsewhere; its functions travel all the same."""
    (tmp_path / "loose.py").write_text("N = 5\ndef f(x):\n    return x + N\n")
    script = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("loose", {str(tmp_path / "loose.py")!r})
module = importlib.util.module_from_spec(spec)
sys.modules["loose"] = module
spec.loader.exec_module(module)
import autopar
print(autopar.map(module.f, [1, 2], backend="processes"))
"""
    assert run_python("-c", script) == "[6, 7]\n"


def test_paths_that_the_program_adds_are_known_to_workers(tmp_path: Path) -> None:
    """A worker process finds what the program put on sys.path, also after the worker started."""
    (tmp_path / "added.py").write_text("def f(x):\n    return -x\n")
    script = f"""
import sys, autopar
print(autopar.map(abs, [-1, 2], backend="processes"))
sys.path.insert(0, {str(tmp_path)!r})
import added
print(autopar.map(added.f, [1, 2], backend="processes"))
"""
    assert run_python("-c", script) == "[1, 2]\n[-1, -2]\n"


def test_a_module_that_does_not_import_in_a_worker_is_named(tmp_path: Path) -> None:
    """With demanded processes a module that fails to import there is a TransportError that says so.

    The program has a second thread, so that its workers are not forked.
    """
    (tmp_path / "picky.py").write_text(
        "import multiprocessing\n"
        "if multiprocessing.parent_process() is not None:\n"
        "    raise ImportError('not in a worker')\n"
        "def f(x):\n    return x\n"
    )
    script = """
import autopar, picky, threading
from autopar.errors import TransportError
over = threading.Event()
threading.Thread(target=over.wait, daemon=True).start()
try:
    autopar.map(picky.f, [1, 2], backend="processes")
except TransportError as error:
    print("not in a worker" in str(error), error.about)
"""
    assert run_python("-c", script, cwd=tmp_path, PYTHONPATH=f"{Path(__file__).parents[2]}:{tmp_path}") == (
        "True function\n"
    )


def test_the_interactive_prompt() -> None:
    """Functions typed at the prompt have no file and no source."""
    typed = "import autopar\ndef f(x):\n    return x + 1\n\nprint(autopar.map(f, [1, 2], backend='processes'))\n"
    done = __import__("subprocess").run(
        [sys.executable, "-i", "-q"],
        input=typed,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
    )
    assert "[2, 3]" in done.stdout
