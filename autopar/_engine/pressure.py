"""What a map does when memory runs out: the kernel ends one of its worker processes, and fewer of them go on."""

from __future__ import annotations

import os
import signal
import sys

from autopar._backends.memory import own_memory
from autopar._model.hints import Settings
from autopar._model.plan import BACKENDS, Plan
from autopar._observe.cgroups import oom_kills
from autopar._observe.host import read_text
from autopar.errors import UnavailableError, WorkerDiedError

_latest: list[int] = []
"""The kernel's count, since the first pool has read it, and as far as deaths of workers were put down to it: to read it
takes as long as a look at the host."""


class Pressure:
    """How many workers memory allows one pool.

    Parameters
    ----------
    settings, plan
        Of the map and its pool.

    Attributes
    ----------
    most
        Chunks that may be under way at the same time; None while nothing has happened.

    Raises
    ------
    UnavailableError
        ``worker_memory`` is given, and what a process holds cannot be told here.
    """

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self.most: int | None = None
        self._workers = plan.workers
        self._watched = sys.platform == "linux" and not BACKENDS[plan.backend].same_process
        if self._watched and not _latest:
            _latest.append(oom_kills(read_text))
        if settings.worker_memory is not None and self._watched and own_memory(os.getpid()) is None:
            raise UnavailableError(
                "worker_memory cannot be kept: the system does not tell what a process holds; install psutil, or leave"
                " it out"
            )

    def relieved(self, error: WorkerDiedError) -> str:
        """Whether the kernel has ended a worker for want of memory, and fewer will do: what changes, in words.

        An item that alone on its pool takes more memory than there is has itself to blame.
        """
        if not self._watched or error.exitcode != -signal.SIGKILL or self.most == 1 or self._workers == 1:
            return ""
        if oom_kills(read_text) <= _latest[0]:
            return ""
        _latest[0] += 1
        self.most = max(1, (self.most or self._workers) // 2)
        workers = f"{self.most} worker{'s' if self.most > 1 else ''}"
        return f"the system ran out of memory and ended a worker process: {workers} from here on, not {self._workers}"
