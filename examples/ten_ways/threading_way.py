"""``threading``: C code that holds no GIL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue

import compare
import work

from autopar import parallel


def by_hand(items: Sequence[bytes]) -> list[int]:
    """Two threads that take items from a queue."""
    results = [0] * len(items)
    queue: SimpleQueue[int] = SimpleQueue()
    for place in range(len(items)):
        queue.put(place)

    def body() -> None:
        while True:
            try:
                place = queue.get_nowait()
            except Empty:
                return
            results[place] = work.packed(items[place])

    threads = [threading.Thread(target=body) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


WAY = compare.Way(
    "threading",
    'backend="threads"',
    "benchmarks/backends: compressing",
    loop=lambda items: [work.packed(item) for item in items],
    by_hand=by_hand,
    by_autopar=parallel(work.packed, backend="threads").map,
    items=[text.encode() for text in work.texts(16)],
)

if __name__ == "__main__":
    compare.main(WAY)
