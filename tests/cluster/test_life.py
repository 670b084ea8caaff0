"""Programs that use a cluster end when they should, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.command_line import CommandLineCluster
from tests.cluster.programs import IMPORTS, MAPS, STAYS, WAITS
from tests.scripts import ROOT, environment, run_python


def test_importing_and_mapping_loads_no_dask() -> None:
    """Who uses no cluster does not pay for one."""
    assert run_python("-c", IMPORTS) == "[]\n"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_program_on_a_cluster_ends_without_a_word(cluster: CommandLineCluster) -> None:
    """Warnings are errors, standard error stays empty, and the end does not hang."""
    program = MAPS.replace("{guard}", "True")
    assert run_python("-c", program, cluster.address, limit=60) == "True\n"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_local_cluster_needs_no_guard_and_ends_with_the_program() -> None:
    """It is started at the first need; the program does not import itself anew."""
    assert run_python("-c", MAPS.replace("{guard}", "True"), "local", limit=100) == "True\n"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform == "win32", reason="kills with a POSIX signal")
def test_nothing_of_a_local_cluster_outlives_a_killed_program() -> None:
    """Workers and the processes of their chunks are gone soon after."""
    with subprocess.Popen(
        [sys.executable, "-c", STAYS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
        text=True,
    ) as program:
        assert program.stdout is not None
        pids = [int(pid) for pid in program.stdout.readline().split()]
        program.kill()
    assert len(pids) >= 3
    _until(lambda: not any(map(_alive, pids)))


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_a_map_and_what_it_runs(cluster: CommandLineCluster, tmp_path: Path) -> None:
    """The program ends with KeyboardInterrupt, and the processes of its items are gone from the workers."""
    marks = tmp_path / "marks"
    marks.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", WAITS, str(marks), cluster.address],
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
        text=True,
    ) as program:
        _until(lambda: len([*marks.iterdir()]) == 2)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert said.rstrip().endswith("KeyboardInterrupt")
    pids = [int(path.name) for path in marks.iterdir()]
    _until(lambda: not any(map(_alive, pids)))


def _until(happened: Callable[[], bool], limit: float = 30) -> None:
    """Look until it has happened; what happens in another process tells nobody here."""
    until = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"  # its parent has not been told yet
    except OSError:
        return False
