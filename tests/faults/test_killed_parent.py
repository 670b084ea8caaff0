"""A program that is killed in the middle of a map over large arrays leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts import ROOT, environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="nothing tells what another process has open"),
]

PROGRAM = """
import os, sys, threading
import numpy
import autopar as ap

backend, pipe = sys.argv[1:]
table, array = numpy.ones(4 << 20), numpy.ones(1 << 20)

def item(array, number):
    assert table.sum() + array.sum() == 5 << 20
    with open(pipe, "wb", buffering=0) as told:
        told.write(b"%d\\n" % os.getpid())
    threading.Event().wait()

ap.parallel(item, pure=True, backend=backend, workers=2, chunksize=1).starmap([(array, n) for n in range(4)])
"""


@pytest.mark.parametrize("backend", ["processes", "multiprocessing"])
def test_nothing_is_left_of_a_killed_program(backend: str, tmp_path: Path) -> None:
    """Its workers end in the middle of their items; what they share has no name, so the system has it back then."""
    folder, pipe = tmp_path / "temporary", tmp_path / "told"
    folder.mkdir()
    os.mkfifo(pipe)
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, backend, str(pipe)], cwd=ROOT, env=environment() | {"TMPDIR": str(folder)}
    )
    try:
        with os.fdopen(os.open(pipe, os.O_RDWR), "rb") as told:  # One that could write is there between the two.
            workers = [int(told.readline()) for _ in range(2)]
        watched = [os.pidfd_open(worker) for worker in workers]
        assert any("memfd:autopar" in name for worker in workers for name in used_by(worker)) or backend != "processes"
        named = {name for process in (parent.pid, *workers) for name in used_by(process)}
        assert [name for name in named if name.startswith(("/dev/shm/", f"{folder}/"))] == []
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    for worker in watched:
        select.select([worker], [], [])
        os.close(worker)
    assert os.listdir(folder) == []


def used_by(process: int) -> set[str]:
    """The names of files that a process has open or mapped."""
    fds = Path(f"/proc/{process}/fd")
    opened = {os.readlink(fd) for fd in fds.iterdir()}
    lines = Path(f"/proc/{process}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return opened | {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) > 5}
