"""What a worker process takes for itself: memory that it shares with no other process.

Run ``python benchmarks/worker_memory.py``; it needs psutil.
"""

from __future__ import annotations

import sys
import threading

import psutil  # type: ignore[import-untyped]

from autopar import parallel

ITEMS, SIZE = 64, 10_000


def sum_of_squares(size: int) -> int:
    """Compute for a millisecond."""
    return sum(number * number for number in range(size))


def workers_alone() -> list[float]:
    """Megabytes that each process below this one has to itself, the largest first."""
    below = psutil.Process().children(recursive=True)
    return sorted((child.memory_full_info().uss / 1e6 for child in below), reverse=True)


def main() -> None:
    """Measure forked workers, or, with ``spawn`` as an argument, spawned ones, for which a thread must be there."""
    done = threading.Event()
    if "spawn" in sys.argv[1:]:
        threading.Thread(target=done.wait).start()
    parallel(sum_of_squares, backend="processes", workers=2).map([SIZE] * ITEMS)
    print(", ".join(f"{megabytes:.0f} MB" for megabytes in workers_alone()[:2]))
    done.set()


if __name__ == "__main__":
    main()
