"""Interpreters of this process, each with a GIL of its own (CPython 3.14, PEP 734): CPU-bound Python, no new process.

An interpreter runs the main loop of a worker process on a thread of its own, at the other end of the same kind of pipe.
``Interpreter.call`` would do without the pipe, but each takes 0.6 ms where a chunk's way through the pipe takes a tenth
of that, and queues between interpreters are looked at every 10 ms only (``benchmarks/backends``).

Interpreters share the process: its folder, environment, locale and descriptors are what they are for all, and nothing
can end one from outside. Extension modules have to say that they can be loaded more than once; NumPy does not, nor what
stands on it. An interpreter that was asked for such a module gives no answer (``unsupported``).

While there is another interpreter a forked child crashes (https://github.com/python/cpython/issues/139759), so those
that are idle end before this process forks, whoever forks it.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

from autopar._backends.pending import PendingChunk
from autopar._backends.pool import WorkerPool
from autopar._backends.processes import Parcel, ProcessesPool, ProcessRunner
from autopar._backends.unsupported import function_needs, in_words, values_need
from autopar._model.plan import Plan
from autopar._model.threads import own_thread
from autopar._model.work import Chunk, Job, Outcome
from autopar.errors import TransportError, UnavailableError

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
        self._thread = own_thread(self._serve, "autopar-interpreter-loop")
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
from autopar._backends import unsupported
unsupported.watch()
from autopar._backends.worker import serve
serve(unsupported.Answers(fd))
"""


class _InterpreterRunner(ProcessRunner):
    """One interpreter and the pipe to it."""

    def __init__(self) -> None:
        super().__init__(_started)

    def run(self, parcel: Parcel, started: Callable[[], None]) -> Outcome:
        try:
            return super().run(parcel, started)
        except UnavailableError as error:
            raise _refusal(str(error)) from None

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


class InterpretersPool(ProcessesPool):
    """One map's view of the interpreters. What is known to need a module that they lack is not sent to them."""

    def __init__(self, workers: WorkerPool, capacity: int) -> None:
        super().__init__(workers, capacity)
        self._looked_at: Job | None = None
        self._need = ""

    def submit(self, chunk: Chunk) -> PendingChunk:
        job = chunk.job
        if job is not self._looked_at:
            self._looked_at, self._need = job, function_needs(job.function, imported=job.reference is not None)
        if need := self._need or values_need([*job.kwargs.values(), *job.shared.values(), *chunk.items]):
            refused = PendingChunk()
            refused.set_exception(_refusal(in_words(need)))
            return refused
        return super().submit(chunk)


why_not = ""
"""What has shown that this program needs modules which do not support interpreters: they are not chosen any more."""


def _refusal(reason: str) -> UnavailableError:
    global why_not
    why_not = f"a function of this program was refused: {reason}"
    return UnavailableError(f'backend="interpreters" cannot run the function: {reason}')


_lock = threading.RLock()
_shared: WorkerPool | None = None


def open(plan: Plan) -> InterpretersPool:
    """A view of the shared interpreters, with at least ``plan.workers`` of them on the way."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = WorkerPool(_InterpreterRunner, plan.workers, "autopar-interpreter")
            atexit.register(_close_at_exit)
        own = _shared.grow(plan.workers) == plan.workers
        return InterpretersPool(_shared, 2 * plan.workers if own else plan.workers)


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
    _shared, _lock = None, threading.RLock()
    atexit.unregister(_close_at_exit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=rest, after_in_child=_forget)
