"""Starts a worker process that never imports the user's ``__main__``.

``multiprocessing`` with the spawn method runs the parent's main script again in every child, which is why scripts need
a ``__main__`` guard. Our workers get functions of ``__main__`` by value and have no need of it, so the two entries that
ask for it are left out of what the child is told; everything else stays as in the standard library.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, process, resource_tracker, spawn
from multiprocessing.context import SpawnProcess
from types import FunctionType
from typing import Any


class _OsWithSomeFolder:
    """The module ``os``, but where the working folder is gone it says the root: a worker has to start somewhere."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def getcwd(self) -> str:
        try:
            return os.getcwd()
        except FileNotFoundError:
            return os.path.abspath(os.sep)


def _reading(function: Any, **names: Any) -> Any:
    """The same function, with other values for some of its globals."""
    namespace = {**function.__globals__, **names}
    return FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__)


class _SpawnWithoutMain:
    """The module ``multiprocessing.spawn``, but its preparation data does not mention the main module."""

    _prepare = staticmethod(_reading(spawn.get_preparation_data, os=_OsWithSomeFolder()))

    def __getattr__(self, name: str) -> Any:
        return getattr(spawn, name)

    def get_preparation_data(self, name: str) -> dict[str, Any]:
        data: dict[str, Any] = self._prepare(name)
        data.pop("init_main_from_name", None)
        data.pop("init_main_from_path", None)
        if data.get("start_method") not in get_all_start_methods():  # A worker of joblib's has one of joblib's.
            data.pop("start_method", None)
        return data


if sys.platform == "win32":
    from multiprocessing.popen_spawn_win32 import Popen as _Popen

    class _WorkerPopen(_Popen):
        __init__ = _reading(_Popen.__init__, spawn=_SpawnWithoutMain())

else:
    from multiprocessing.popen_spawn_posix import Popen as _Popen

    class _WorkerPopen(_Popen):
        _launch = _reading(vars(_Popen)["_launch"], spawn=_SpawnWithoutMain())


@contextmanager
def _allowed_children() -> Iterator[None]:
    """A daemonic process, such as a Dask worker, may start ours, since they end with it by themselves.

    ``multiprocessing`` refuses that because a daemonic process is killed and cannot end its children.
    """
    config = process.current_process()._config  # type: ignore[attr-defined]
    daemonic = config.pop("daemon", None)
    try:
        yield
    finally:
        if daemonic is not None:
            config["daemon"] = daemonic


class WorkerProcess(SpawnProcess):
    """A spawned process without the user's main module.

    It ends with its parent by itself, so the exit handler of ``multiprocessing``, which would wait for it, is not told
    of it: neither a busy worker nor a forked child keeps a program from ending.
    """

    def start(self) -> None:
        """Start it with Ctrl-C blocked, until its main loop ignores it: a terminal sends it to all processes."""
        with _allowed_children():
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
