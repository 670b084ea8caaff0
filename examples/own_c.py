"""A C function of your own under a Python function's name: called without the GIL, and checked against its body.

Run ``python examples/own_c.py [ROWS]``; a C compiler must be there.
"""

from __future__ import annotations

import inspect
import sys
import time

from autopar import parallel


@parallel(c_source="own_c.c")
def inside(row: int, rows: int, limit: int = 200) -> int:
    """Count the points of one row of the Mandelbrot set's image that do not escape."""
    imaginary = 2.5 * row / rows - 1.25
    found = 0
    for column in range(rows):
        real = 2.5 * column / rows - 2.0
        x = y = 0.0
        step = 0
        while step < limit and x * x + y * y <= 4.0:
            x, y = x * x - y * y + real, 2.0 * x * y + imaginary
            step += 1
        found += step == limit
    return found


def main(rows: int = 400) -> None:
    """Count them all, with the Python body in the plain loop and with the C function in a map."""
    print(f"Mandelbrot set, {rows} rows of {rows} points")
    body = inspect.unwrap(inside)

    started = time.perf_counter()
    expected = [body(row, rows) for row in range(rows)]
    loop = time.perf_counter() - started

    started = time.perf_counter()
    results = inside.map(range(rows), rows=rows)
    mapped = time.perf_counter() - started

    print(f"  {sum(results):,} points are inside")
    print(f"  plain loop {loop:.2f} s, autopar {mapped:.2f} s: {loop / mapped:.1f} times as fast")
    assert results == expected
    print("  the results are equal")
    print(f"  decision: {inside.decisions[-1].plan}, because {inside.decisions[-1].why}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
