"""A function too small to send anywhere: it stays in the plain loop, and the map costs nothing over it.

Run ``python examples/trivial.py [ITEMS]``.
"""

from __future__ import annotations

import sys
import time

from autopar import parallel


@parallel
def halve(number: int) -> int:
    """Divide by two."""
    return number // 2


def undecorated(number: int) -> int:
    """Do the same without the decorator."""
    return number // 2


def main(items: int = 1_000_000) -> None:
    """Halve numbers in the plain loop and with ``map``."""
    numbers = range(items)
    print(f"Halving {items:,} numbers")

    started = time.perf_counter()
    expected = [undecorated(number) for number in numbers]
    loop = time.perf_counter() - started

    started = time.perf_counter()
    results = halve.map(numbers)
    mapped = time.perf_counter() - started

    print(f"  plain loop {loop:.3f} s, autopar {mapped:.3f} s: {mapped / loop:.2f} of its time")
    assert results == expected
    print("  the results are equal")
    print(f"  decision: {halve.decisions[-1].plan}, because {halve.decisions[-1].why}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
