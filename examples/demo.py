"""Runs all examples, one after the other, and ends with what was decided for each function.

Run ``python examples/demo.py``; ``--quick`` for a fraction of the work.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

import autopar as ap

EXAMPLES = {  # name of the example -> the functions that it maps, and the size of a quick run
    "word_statistics": (("describe",), 60),
    "fetch_pages": (("fetch", "fetch_async"), 40),
    "hash_and_compress": (("pack",), 40),
    "own_c": (("inside",), 60),
    "trivial": (("halve",), 10_000),
}


def main(quick: bool = False) -> None:
    """Run the examples in this process, so that later ones find the workers of earlier ones still there."""
    started = time.perf_counter()
    decisions = []
    for name, (functions, few) in EXAMPLES.items():
        example = import_module(name)
        print(f"-- examples/{name}.py")
        example.main(*[few] if quick else [])
        for function in functions:
            decisions += getattr(example, function).decisions
        print()
    print(f"All examples ran in {time.perf_counter() - started:.0f} s. What was decided:\n")
    print(ap.table(decisions))


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
