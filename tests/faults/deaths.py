"""Items, arguments and results that end their worker process, imported by worker processes."""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autopar import parallel
from tests.faults.items import BAD

DEATHS = {"SIGKILL": -9, "segfault in C": -11, "exit 0": 0, "abort": -6}
"""How a process ends -> its exit code."""

LARGE = 300_000
"""Bytes of a result that the pipe does not hold at once."""


def end_process(how: str) -> None:
    """End this process, unless it is the test's own."""
    if multiprocessing.parent_process() is None:
        raise AssertionError("this was to run in a worker process")
    faulthandler.disable()  # what it would print is of no use here
    if how == "SIGKILL":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "segfault in C":
        ctypes.string_at(0)
    elif how == "exit 0":
        os._exit(0)
    else:
        os.abort()


class Ends:
    """Ends the process where it is unpickled: in the worker, before its item begins."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __reduce__(self) -> Any:
        return end_process, (self.how,)


class EndsWhenPickled:
    """Ends the process where it is pickled: in the worker, after its item."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __reduce__(self) -> Any:
        end_process(self.how)


def _end_in_the_middle_of_sending(how: str) -> None:
    def send_half(self: Connection, data: Any, write: Any = None) -> None:
        os.write(self.fileno(), bytes(data[: len(data) // 2]))
        end_process(how)

    Connection._send = send_half  # type: ignore[attr-defined]


@parallel(pure=True)
def dies(x: Any, moment: str, how: str) -> Any:
    """Return the item; the bad one ends the process, or makes what will."""
    if isinstance(x, Ends) or x != BAD or moment == "at start":
        return x
    if moment == "in mid-item":
        end_process(how)
    if moment == "while its result is pickled":
        return EndsWhenPickled(how)
    _end_in_the_middle_of_sending(how)
    return bytes(LARGE)


def items_for(moment: str, how: str, count: int) -> list[Any]:
    """Numbers; at start it is the bad item itself that ends its worker."""
    return [Ends(how) if x == BAD and moment == "at start" else x for x in range(count)]


@parallel(pure=True)
def leaves_a_child(x: int, folder: str) -> int:
    """Start a process, then die: the number of the child is in a file."""
    if x == BAD:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(folder, "child").write_text(str(child.pid))
        end_process("SIGKILL")
    return x


@parallel(pure=True)
def leaves_a_child_and_hangs(x: int, folder: str) -> int:
    """Start a process and wait for it."""
    if x == BAD:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(folder, "child").write_text(str(child.pid))
        child.wait()
    return x


@parallel(pure=True)
def takes(x: bytes) -> int:
    """Die of the first argument; the others are large."""
    if not x:
        end_process("SIGKILL")
    return len(x)
