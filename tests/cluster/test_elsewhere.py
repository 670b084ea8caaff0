"""Workers on other machines: what is theirs, and what an error there says. The machines are this one, renamed."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autopar import parallel
from autopar._backends.context import capture
from autopar._backends.dask import prices
from autopar._backends.dask.surroundings import adapted, this_host
from autopar._engine.run import MapRun
from autopar._observe.outside import reaches_outside
from tests.cluster.command_line import CommandLineCluster

ELSEWHERE = "another machine"


def test_the_same_machine_looks_like_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Path, working folder and variables are the caller's, but for the devices that the worker was given."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    before = capture()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("PATH", "/of/the/worker")
    plain, _, _ = pickle.loads(adapted(before, this_host()))
    found = pickle.loads(plain)
    environment = {os.fsdecode(name): os.fsdecode(value) for name, value in found["environment"].items()}
    assert environment["CUDA_VISIBLE_DEVICES"] == "0"
    assert environment["PATH"] != "/of/the/worker"
    assert found["path"] == sys.path
    assert found["directory"] == os.getcwd()


def test_another_machine_keeps_what_belongs_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own path comes first and the caller's folders only where they exist; the program's variables travel."""
    for name, value in {"HOME": "/callers", "SLURM_JOB_ID": "7", "A_SETTING": "on"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend("/not/there/at/all")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    snapshot = capture()
    monkeypatch.undo()
    monkeypatch.setenv("HOME", "/nodes")
    plain, _, _ = pickle.loads(adapted(snapshot, ELSEWHERE))
    found = pickle.loads(plain)
    environment = {os.fsdecode(name): os.fsdecode(value) for name, value in found["environment"].items()}
    assert environment["HOME"] == "/nodes"
    assert environment["A_SETTING"] == "on"
    assert environment.get("SLURM_JOB_ID") == os.environ.get("SLURM_JOB_ID")
    assert found["path"][: len(sys.path)] == sys.path
    assert found["path"][len(sys.path) :] == [str(tmp_path)]


def test_a_folder_that_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A chunk then runs where its process was started."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    snapshot = capture()
    monkeypatch.undo()
    gone.rmdir()
    plain, _, _ = pickle.loads(adapted(snapshot, ELSEWHERE))
    assert "directory" not in pickle.loads(plain)


@pytest.mark.parametrize(
    ("call", "reaches"),
    [
        ("io.open", True),
        ("builtins.open", True),
        ("pathlib.Path.read_text", True),
        ("pathlib.PurePath", False),
        ("posix.stat", True),
        ("posixpath.join", False),
        ("os.path.exists", True),
        ("os.path.join", False),
        ("_socket.socket", True),
        ("requests.post", True),
        ("numpy.load", True),
        ("numpy.dot", False),
        ("math.sin", False),
        ("time.sleep", False),
    ],
)
def test_which_calls_reach_outside(call: str, reaches: bool) -> None:
    """Files, servers, other programs and facts of the machine do; texts, numbers and the clock do not."""
    assert reaches_outside(call) is reaches


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_error_on_another_machine_is_made_sure_of_here(
    cluster: CommandLineCluster, choose_only: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the planner chose a cluster of other machines, an item that raises there runs again here and decides."""
    monkeypatch.setattr(prices, "this_host", lambda: ELSEWHERE)
    choose_only("dask")
    # However busy this machine is: one item here, and the others there.
    monkeypatch.setattr(MapRun, "_help_pays", lambda self: False)

    def picky(x: int) -> int:
        if x == 59 and "pytest" not in sys.modules:
            raise RuntimeError("this machine lacks something")
        return x

    function = parallel(picky, pure=True)
    assert function.map(range(60), cluster=cluster.address) == list(range(60))
    assert any("item 59 raised on the cluster" in said for said in function.decisions[-1].fallbacks)

    def wrong(x: int) -> int:
        if x == 30:
            raise LookupError("wrong everywhere")
        return x

    with pytest.raises(LookupError, match="wrong everywhere") as caught:
        parallel(wrong).map(range(60), cluster=cluster.address)
    assert "item 30" in caught.value.__notes__[0]
