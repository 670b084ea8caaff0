"""Where items run. Each backend is a module with ``open(plan) -> Pool``, imported when a plan first uses it.

Ways
    ``serial`` the caller's own thread, the reference that defines what is right; ``threads`` of this process;
    ``processes`` warm worker processes; ``forks`` the backend ``multiprocessing``, workers forked for one map; ``loky``
    the backend ``joblib``, with ``loky_watch`` for what it waits for in vain and ``loky_folders`` for its memory maps;
    ``interpreters`` of this process, with the modules that are ``unsupported`` there; ``aio`` coroutines on an event
    loop, ``driven`` those that never wait; ``dask`` a cluster; ``own_processes`` the workers of one executor;
    ``batches`` those of joblib's own maps.
Chunks
    ``chunk`` runs the items of one, the same in every backend; ``away`` the same elsewhere than in the caller's
    thread; ``standing`` at the line that asked for the map; ``pending`` one that is under way; ``pool`` threads that
    take chunks from a queue; ``marks`` how far a worker has come; ``streams`` the items' random streams, ``turns``
    whose turn it is at them.
Worker processes
    ``worker`` their main loop; ``spawn`` and ``fork`` start one, ``forkable`` whether and how forking is safe;
    ``groups`` and ``parent_end`` how they end, with what they started and with their parent; ``memory`` what they hold.
On the way
    ``transport`` functions, items and results across a pipe; ``payload`` what jobs carry and workers keep;
    ``pickling`` what plain pickle cannot; ``segments`` large buffers, ``memory_maps`` those of files, ``written`` who
    has a copy of his own; ``exceptions`` taken apart and put together; ``importing`` whether a worker could import a
    module; ``context`` what surrounds the caller's loop, ``variables`` and ``generators`` its context variables and
    random generators; ``quietly`` imports that leave the environment as it was.
What items say
    ``said`` keeps what they print and log, as pieces that are ``emitted``, by streams that have the ``stream_facts`` of
    the real ones; ``warned`` what they warn of, ``signals`` what decimal arithmetic raises; ``replay`` puts it out.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from autopar._model.work import Backend


def load(name: str) -> Backend:
    """Import the module of one backend."""
    from autopar._model.plan import BACKENDS  # not above: a worker process imports this room, and makes no plans

    module = BACKENDS[name].module
    if module is None:
        raise LookupError(f"backend {name!r} has no module")
    return cast("Backend", importlib.import_module(module))
