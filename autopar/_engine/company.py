"""Who else is at work in this process while items run: whether the CPU time of the process is theirs."""

from __future__ import annotations

import _thread
import threading
from typing import TYPE_CHECKING

from autopar._backends.forkable import idle_workers
from autopar._engine.machine import THIS_MACHINE
from autopar._model.own_work import OWN_WORK

if TYPE_CHECKING:
    from autopar._engine.task import MapTask


_POOLS = ("threads", "processes", "forks")


def alone(task: MapTask) -> bool:
    """The map's thread is the only one of the program's."""
    return no_others() if task.machine is THIS_MACHINE else task.host.threads_alive <= 1


def no_others() -> bool:
    """No other thread of the program's runs. Idle ones of autopar's take no CPU time, and what it does beside is known.

    Threads that Python does not know are libraries', such as BLAS's, and work for the thread that calls these.
    """
    others = max(_thread._count(), threading.active_count() - 1)
    return others - idle_workers(*_POOLS) - OWN_WORK.threads <= 0
