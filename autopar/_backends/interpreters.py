"""Interpreters of this process, each with a GIL of its own (CPython 3.14, PEP 734): CPU-bound Python, no new process.

An interpreter runs the main loop of a worker process on a thread of its own, at the other end of the same kind of pipe.
``Interpreter.call`` would do without the pipe, but each takes 0.6 ms where a chunk's way through the pipe takes a tenth
of that, and queues between interpreters are looked at every 10 ms only (``benchmarks/backends``).

Interpreters share the process: its folder, environment, locale and descriptors are what they are for all, and nothing
can end one from outside. Extension modules have to say that they can be loaded more than once; of those that do not,
NumPy among them, the import fails, and with it the function that needs it.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

from autopar._backends.pool import WorkerPool
from autopar._backends.processes import ProcessesPool, ProcessRunner
from autopar._model.plan import Plan
from autopar.errors import TransportError

LAST_ITEMS = 0.5
"""Seconds that a program which ends leaves to chunks under way, since no interpreter can be stopped."""


class _Interpreter:
    """One interpreter with its thread; a :class:`~autopar._backends.processes.WorkerHandle`."""

    exitcode: int | None = None
    pid: int | None = None

    def __init__(self, theirs: Connection) -> None:
        # By name, since the type checker looks at this with the oldest Python.
        self._interpreter: Any = importlib.import_module("concurrent.interpreters").create()
        self._fd = os.dup(theirs.fileno())
        path = [*sys.path]
        self._interpreter.prepare_main(path=repr(path), fd=self._fd)
        self._thread = threading.Thread(target=self._serve, name="autopar-interpreter-loop", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(Exception):  # Its own errors have ended its pipe, and are told of there.
            self._interpreter.exec(_LOOP)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)
        if not self._thread.is_alive():
            with suppress(Exception):  # closed before
                self._interpreter.close()

    def kill(self) -> None:
        """Nothing can: it ends with its item, or with the process."""


_LOOP = """
import sys
sys.path[:] = eval(path)
from autopar._backends import context
context.in_interpreter()
from multiprocessing.connection import Connection
from autopar._backends.worker import serve
serve(Connection(fd))
"""


class _InterpreterRunner(ProcessRunner):
    """One interpreter and the pipe to it."""

    def __init__(self) -> None:
        super().__init__(_started)

    def stop(self) -> bool:
        """Nothing can stop it."""
        return False


def _started() -> tuple[_Interpreter, Connection]:
    ours, theirs = Pipe(duplex=True)
    try:
        return _Interpreter(theirs), ours
    except Exception as error:
        ours.close()
        raise TransportError(f"no interpreter could be started: {error}", about="function") from error
    finally:
        theirs.close()


_lock = threading.Lock()
_shared: WorkerPool | None = None


def open(plan: Plan) -> ProcessesPool:
    """A view of the shared interpreters, with at least ``plan.workers`` of them on the way."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = WorkerPool(_InterpreterRunner, plan.workers, "autopar-interpreter")
            atexit.register(_close_at_exit)
        own = _shared.grow(plan.workers) == plan.workers
        return ProcessesPool(_shared, 2 * plan.workers if own else plan.workers)


def warm() -> int:
    """Interpreters that are already there."""
    return _shared.alive if _shared is not None else 0


def idle() -> int:
    """Threads that wait for work, here and in their interpreters."""
    return 2 * _shared.idle if _shared is not None else 0


def rest() -> bool:
    """Close the interpreters if none has anything to do; True if none is left."""
    global _shared
    with _lock:
        if _shared is not None and _shared.retire():
            _shared = None
            atexit.unregister(_close_at_exit)
        return _shared is None


def _close_at_exit() -> None:
    if _shared is not None:
        _shared.close()
        _shared.join(LAST_ITEMS)
    # What is left runs an item that does not end; the program ends all the same.
    warnings.filterwarnings("ignore", "remaining subinterpreters", RuntimeWarning)


def _forget() -> None:
    global _shared, _lock
    _shared, _lock = None, threading.Lock()
    atexit.unregister(_close_at_exit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
