"""Surroundings that fail: no descriptors, no processes, no room on any disk; each for the length of a block."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOM = 6
"""Descriptors that a program may still open when it has run out of them, fewer than a worker process takes."""


def end_worker_processes() -> None:
    """Let no worker of earlier maps be there."""
    from autopar._backends import loky, processes

    processes.rest()
    if loky._shared is not None:
        loky._shared.end()
        loky._shared = None


def refuse(number: int) -> Callable[..., Any]:
    """A system call that fails."""

    def refused(*args: object, **kwargs: object) -> Any:
        raise OSError(number, os.strerror(number))

    return refused


@contextmanager
def no_descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave few numbers for new descriptors."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def no_forks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse new processes, as at the limit of a user or a control group; root has none to be tested by."""
    import _posixsubprocess

    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", refuse(errno.EAGAIN))
        patch.setattr(_posixsubprocess, "fork_exec", refuse(errno.EAGAIN))
        yield


@contextmanager
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no file of this process grow, on disk, in /dev/shm or in memory without a name."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN) if _in_main_thread() else None
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if handler is not None:
            signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have no /dev/shm and no memory files: named semaphores and memory maps have no place to be."""
    from joblib import _memmapping_reducer

    with monkeypatch.context() as patch:
        patch.setattr(os, "memfd_create", refuse(errno.ENOSYS))
        patch.setattr(importlib.import_module("_multiprocessing"), "SemLock", refuse(errno.ENOSYS))
        for name in ("multiprocessing.synchronize", "joblib.externals.loky.backend.synchronize"):
            module = sys.modules.get(name)
            if module is not None and hasattr(module, "_SemLock"):
                patch.setattr(module, "_SemLock", refuse(errno.ENOSYS))
        patch.setattr(_memmapping_reducer, "SYSTEM_SHARED_MEM_FS", "/nowhere/shm")
        yield


@contextmanager
def no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have no folder for temporary files, nor one that could be made: as where all of them are read-only."""
    import tempfile

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/proc/nowhere")
        patch.setenv("TMPDIR", "/proc/nowhere")
        patch.setenv("JOBLIB_TEMP_FOLDER", "/proc/nowhere")
        yield


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


Surroundings = Callable[[pytest.MonkeyPatch], AbstractContextManager[None]]

SHORTAGES: dict[str, Surroundings] = {
    "no descriptors": no_descriptors,
    "no forks": no_forks,
    "no room": no_room,
    "no shared memory": no_shared_memory,
    "no temporary folder": no_temporary_folder,
}


# -- stores that cannot be used ------------------------------------------------------------------------------------


def corrupt(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    path.chmod(0o600)


def of_the_future(path: Path) -> None:
    import sqlite3

    from autopar._record.store import Store

    assert Store(path).counts() is None
    assert Store(path).write([])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


def writable_by_others(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def a_link(path: Path) -> None:
    (path.parent / "elsewhere").touch()
    path.symlink_to(path.parent / "elsewhere")


BAD_STORES: dict[str, Callable[[Path], None]] = {
    "corrupt": corrupt,
    "of the future": of_the_future,
    "writable by others": writable_by_others,
    "a link": a_link,
}
