"""Starts a worker process that never imports the user's ``__main__``.

``multiprocessing`` with the spawn method runs the parent's main script again in every child, which is why scripts need
a ``__main__`` guard. Our workers get functions of ``__main__`` by value and have no need of it, so the two entries that
ask for it are left out of what the child is told; everything else stays as in the standard library.
"""

from __future__ import annotations

import signal
import sys
from multiprocessing import process, resource_tracker, spawn
from multiprocessing.context import SpawnProcess
from types import FunctionType
from typing import Any


class _SpawnWithoutMain:
    """The module ``multiprocessing.spawn``, but its preparation data does not mention the main module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(spawn, name)

    def get_preparation_data(self, name: str) -> dict[str, Any]:
        data: dict[str, Any] = spawn.get_preparation_data(name)
        data.pop("init_main_from_name", None)
        data.pop("init_main_from_path", None)
        return data


def _without_main(method: Any) -> Any:
    """The same method, reading ``spawn`` from a namespace of its own."""
    namespace = {**method.__globals__, "spawn": _SpawnWithoutMain()}
    return FunctionType(method.__code__, namespace, method.__name__, method.__defaults__, method.__closure__)


if sys.platform == "win32":
    from multiprocessing.popen_spawn_win32 import Popen as _Popen

    class _WorkerPopen(_Popen):
        __init__ = _without_main(_Popen.__init__)

else:
    from multiprocessing.popen_spawn_posix import Popen as _Popen

    class _WorkerPopen(_Popen):
        _launch = _without_main(vars(_Popen)["_launch"])


class WorkerProcess(SpawnProcess):
    """A spawned process without the user's main module.

    It ends with its parent by itself, so the exit handler of ``multiprocessing``, which would wait for it, is not told
    of it: neither a busy worker nor a forked child keeps a program from ending.
    """

    def start(self) -> None:
        """Start it with Ctrl-C blocked, until its main loop ignores it: a terminal sends it to all processes."""
        if sys.platform == "win32":
            super().start()
        else:
            resource_tracker.ensure_running()  # Where it is started it would unblock the signal again.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                super().start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        process._children.discard(self)  # type: ignore[attr-defined]

    # multiprocessing looks this name up to create the process.
    _Popen = staticmethod(_WorkerPopen)
