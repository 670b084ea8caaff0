"""How many worker processes, and how many items on their way, fit into the memory that is left."""

from __future__ import annotations

import math

MEMORY_SHARE = 0.5
"""Part of the available memory that a plan may take: the rest is for the items themselves, which nobody can foresee,
and for everyone else on the machine. A convention, not measured."""

WORKER_BYTES = 11e6
"""What a worker process takes for itself, with the modules of an ordinary function: 6 MB where it is forked, 11 MB
where it is spawned (benchmarks/worker_memory.py)."""

COPIES = 2.0
"""Times that pickled bytes are in memory at a worker: as they came, and as the objects made of them."""

NO_LIMIT = 1 << 30

IN_FLIGHT = 2
"""Chunks that a worker has, or that wait for it: in the making on one side, and in use on the other."""


def workers_that_fit(memory: int | None, shared: float, transport: float) -> int:
    """The most worker processes that plans may have, at least one.

    Parameters
    ----------
    memory
        Bytes that are left; None where nothing says so, and then nothing is limited.
    shared
        Pickled bytes that each worker keeps.
    transport
        Pickled bytes of an item and its result.
    """
    if memory is None:
        return NO_LIMIT
    each = WORKER_BYTES + COPIES * shared + COPIES * IN_FLIGHT * transport
    return max(1, math.floor(MEMORY_SHARE * memory / each))


def items_that_fit(memory: int | None, workers: int, transport: float) -> int:
    """The most items of a chunk with which so many workers stay within the share, at least one."""
    if memory is None or transport <= 0:
        return NO_LIMIT
    return max(1, math.floor(MEMORY_SHARE * memory / (COPIES * IN_FLIGHT * transport * max(1, workers))))
