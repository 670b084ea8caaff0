"""Measure what a settled call, a small map, a chunk and the import cost, beside their rivals, in one run.

Run ``python -m benchmarks.overhead [--json FILE] [--callgrind]``. Every figure is the least of several repetitions, all
rivals of a group in turn, so that a busy moment hits them alike. ``--callgrind`` counts instructions of settled calls
under valgrind instead, where time is too noisy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.overhead.callgrind import instructions
from benchmarks.overhead.calls import calls, compiled_calls
from benchmarks.overhead.imports import imports
from benchmarks.overhead.maps import chunks, maps
from benchmarks.overhead.timing import Row, table

GROUPS = {"calls": calls, "compiled": compiled_calls, "maps": maps, "chunks": chunks, "imports": imports}


def main() -> None:
    """Measure each group in a fresh interpreter and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=GROUPS, action="append", help="measure only this group")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--callgrind", action="store_true", help="count instructions of calls instead")
    parser.add_argument("--inside", choices=GROUPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        sys.stdout.write(json.dumps([row.as_list() for row in GROUPS[options.inside]()]))
        return
    if options.callgrind:
        sys.stdout.write(table(instructions(), "instructions of one call", "") + "\n")
        return
    figures: dict[str, list[list[object]]] = {}
    for group in options.only or GROUPS:
        command = [sys.executable, "-m", "benchmarks.overhead", "--inside", group]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        figures[group] = json.loads(done.stdout)
        rows = [Row.from_list(each) for each in figures[group]]
        sys.stdout.write(table(rows, group, rows[0].unit) + "\n\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
