"""Where items run. Each backend is a module with ``open(plan) -> Pool``, imported when a plan first uses it.

============= =====================================================================
chunk         runs the items of a chunk, the same in every backend
standing      calls items from a frame at the line that asked for the map
streams       the random streams of items
pending       a chunk under way: what of a future a pool of threads needs
pool          daemon threads that take chunks from a queue: threads and processes stand on it
serial        the caller's own thread: the reference that defines "correct"
threads       threads of this process
processes     worker processes, one duplex pipe and one chunk in flight each
own_processes worker processes of one executor
batches       joblib's batches on their way to worker processes
driven        coroutine functions that never wait, called as plain ones
worker        the main loop of a worker process
spawn         starts a worker process without importing the user's ``__main__``
fork          starts one as a copy of this process
forkable      whether that is safe now
payload       what jobs carry and workers keep
transport     how functions, items and results cross a pipe
pickling      pickles what plain pickle and cloudpickle cannot, or not whole
exceptions    takes exceptions apart and puts them together again, with all they held
importing     whether a worker process could import a module
context       what surrounds the caller's loop, made to hold in worker processes
variables     how context variables cross a pipe
generators    how the random generators of a process cross a pipe: by name
said          keeps what items print and log until it is their turn
warned        keeps the warnings of a worker process
replay        puts out what was kept
aio           coroutines on an event loop
============= =====================================================================
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
