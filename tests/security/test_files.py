"""Files: what autopar keeps is the user's alone, none of it is code that anybody else could have put there."""

from __future__ import annotations

import ast
import os
import pickle
import stat
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autopar import parallel
from autopar._compilers.native.cache import ObjectCache
from autopar._engine import journal
from autopar._record.store import Store
from autopar.cli.main import main
from autopar.errors import StoreWarning
from tests.record.test_store import decision

ROOT = Path(__file__).parents[2]

on_posix = pytest.mark.skipif(os.name != "posix", reason="owners, modes and links are POSIX's")

RUNS_DATA = {
    "eval",
    "exec",
    "execfile",
    "input",
    "pickle.load",
    "pickle.Unpickler",
    "cloudpickle.load",
    "marshal.load",
    "marshal.loads",
    "shelve.open",
    "joblib.load",
    "numpy.load",
    "np.load",
    "os.system",
    "os.popen",
    "typing.get_type_hints",
    "get_type_hints",
    "subprocess.getoutput",
}
"""Calls that run what they are given, or may; names as they are written."""

LOADS_PICKLES = {"pickle.loads", "cloudpickle.loads"}
LOADS_CODE = {"ctypes.CDLL", "importlib.machinery.ExtensionFileLoader", "importlib.util.spec_from_file_location"}

FROM_PIPES = ("autopar/_backends/", "autopar/_observe/calibration/")
"""Pickles are read here: from pipes to processes of our own, and those that were made a moment before."""

MAY_UNPICKLE = {"autopar/_record/checkpoint.py", "autopar/_record/plain_values.py", "autopar/_engine/checkpoints.py"}
"""Files of the user's own, if the user says so."""

MAY_LOAD_CODE = {
    "autopar/_compilers/cython/builder.py",  # out of the cache, believed
    "autopar/_compilers/native/loader.py",  # the same
    "autopar/_compilers/native/own_function.py",  # the library that the user names
    "autopar/_compilers/numba/emit/symbols.py",  # the system's own
}

MAY_RUN_PROGRAMS = {"autopar/_suggest/program.py", "autopar/_model/light_dataclass.py"}
"""The program that the user names on the command line; constructors made of the names of autopar's own fields."""


def calls(module: Path) -> list[tuple[str, ast.Call]]:
    """What a module calls, by the names that it writes."""
    text = module.read_text(encoding="utf-8")
    if not any(name.rpartition(".")[2] in text for name in (*RUNS_DATA, *LOADS_PICKLES, *LOADS_CODE, "shell")):
        return []
    tree = ast.parse(text)
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_no_module_runs_what_it_reads() -> None:
    """Nothing is evaluated; pickles come from pipes of our own only, and shared objects from few places."""
    found = []
    for module in sorted((ROOT / "autopar").rglob("*.py")):
        name = module.relative_to(ROOT).as_posix()
        for called, node in calls(module):
            shell = any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in node.keywords)
            pickles = called in LOADS_PICKLES and not name.startswith(FROM_PIPES) and name not in MAY_UNPICKLE
            code = called in LOADS_CODE and name not in MAY_LOAD_CODE
            data = called in RUNS_DATA and name not in MAY_RUN_PROGRAMS
            if data or shell or pickles or code:
                found.append(f"{name}:{node.lineno}: {called}")
    assert found == []


class Marker:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def numeric(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i % 7
    return total


@pytest.mark.slow
def test_a_planted_pickle_never_runs(isolated_store: Path, tmp_path: Path) -> None:
    """Pickles in the place of every file of the cache cost what the cache would have saved, and are never loaded."""
    marker = tmp_path / "marker"
    assert pickle.loads(pickle.dumps(Marker(marker))) is None
    assert marker.exists()
    marker.unlink()

    parallel(numeric, compiler="native").map(range(50))
    journal.decision_log().flush()
    planted = [path for path in isolated_store.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in planted} >= {".sqlite", ".so", ".json"}
    for path in planted:
        path.unlink()  # what is loaded stays mapped
        path.write_bytes(pickle.dumps(Marker(marker)))
        path.chmod(0o600)
    journal.new_log()

    def again(n: int) -> int:
        total = 0
        for i in range(n):
            total += i * i % 7
        return total

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in (numeric, again):
            assert parallel(function, compiler="native").map(range(50)) == [numeric(n) for n in range(50)]
        for arguments in (["log"], ["explain", "numeric"], ["report", "-o", str(tmp_path / "r.html")]):
            CliRunner().invoke(main, arguments)
        journal.decision_log().flush()
    assert not marker.exists()


@on_posix
@pytest.mark.slow
def test_all_that_is_kept_is_private_whatever_the_umask(isolated_store: Path) -> None:
    """No file or folder of autopar's can be read or written by another user."""
    before = os.umask(0)
    try:
        parallel(numeric, compiler="native").map(range(60))
        journal.decision_log().flush()
    finally:
        os.umask(before)
    kept = [isolated_store.parent, *isolated_store.parent.rglob("*")]
    assert len(kept) > 3
    assert [str(path) for path in kept if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []


# -- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def kept(isolated_store: Path) -> Path:
    """A store with a decision in it."""
    assert Store(isolated_store).write([decision()])
    return isolated_store


@on_posix
@pytest.mark.parametrize("dangling", [False, True])
def test_a_report_follows_no_link(kept: Path, tmp_path: Path, dangling: bool) -> None:
    """A link in the place of the report is refused, and what it leads to stays as it is."""
    precious, output = tmp_path / "precious", tmp_path / "report.html"
    if not dangling:
        precious.write_text("precious")
    output.symlink_to(precious)
    for force in ([], ["--force"]):
        result = CliRunner().invoke(main, ["report", "-o", str(output), *force])
        assert result.exit_code == 1
        assert "is a link" in result.stderr
    assert (precious.read_text() if precious.exists() else None) == (None if dangling else "precious")


def test_a_report_replaces_no_other_file(kept: Path, tmp_path: Path) -> None:
    """A file that is no report is not written over without being told; one that is, is replaced whole."""
    output = tmp_path / "notes.txt"
    output.write_text("mine")
    assert CliRunner().invoke(main, ["report", "-o", str(output)]).exit_code == 1
    assert output.read_text() == "mine"
    assert CliRunner().invoke(main, ["report", "-o", str(output), "--force"]).exit_code == 0
    assert CliRunner().invoke(main, ["report", "-o", str(output)]).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["notes.txt"]


@on_posix
def test_forget_stays_in_its_folder(kept: Path, tmp_path: Path) -> None:
    """What is forgotten is named by functions, never by paths; a link in the cache goes, not what it leads to."""
    precious = tmp_path / "precious.so"
    precious.write_text("precious")
    cache = ObjectCache.from_environment({"AUTOPAR_STORE": str(kept)})
    assert cache.keep("0" * 32, b"code") is not None
    assert cache.folder is not None
    (cache.folder / f"{'1' * 32}.{'2' * 64}.so").symlink_to(precious)
    (cache.folder / "other.txt").write_text("not ours")
    for name in ("../../*", "../precious.so", str(precious), "..", "*/../.."):
        assert CliRunner().invoke(main, ["forget", name]).exit_code == 1
    assert CliRunner().invoke(main, ["forget", "--all", "--yes"]).exit_code == 0
    assert precious.read_text() == "precious"
    assert sorted(path.name for path in cache.folder.iterdir()) == ["other.txt"]


@on_posix
@pytest.mark.skipif(sys.platform == "darwin", reason="/tmp is a link there")
def test_a_store_in_a_shared_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTOPAR_STORE cannot name a file in a folder that others can write to; maps go on without."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("AUTOPAR_STORE", str(shared / "below" / ".." / "store.sqlite"))
    journal.new_log()
    assert parallel(numeric).map(range(3)) == [0, 0, 1]
    with pytest.warns(StoreWarning, match="can be written by other users"):
        journal.decision_log().flush()
    assert list(shared.iterdir()) == []
