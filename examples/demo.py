"""Runs all examples, one after the other, and ends with what was decided for each function.

Run ``python examples/demo.py``; ``--quick`` for a fraction of the work.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

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
    print("\nTen ways past one core, against the plain loop:\n")
    print(ten_ways(quick))


def ten_ways(quick: bool) -> str:
    """Run each way in a program of its own, as one that uses nothing else would, and put their rows together."""
    ways = sorted((Path(__file__).parent / "ten_ways").glob("*_way.py"))
    rows = [
        subprocess.check_output([sys.executable, str(way), "--row", *["--quick"] * quick], text=True) for way in ways
    ]
    sys.path.append(str(ways[0].parent))
    return str(import_module("compare").table([json.loads(row) for row in rows]))


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
