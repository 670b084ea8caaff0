"""What a function's first item costs beside those that follow, and how much of that is importing modules.

``python -m benchmarks.first_items``: each workload of ``benchmarks/regret`` in a fresh interpreter, by the plain
function alone. The figures behind ``autopar/_observe/first_item.py`` and ``autopar/_plan/second_look.py``.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import islice
from typing import Any

from benchmarks.regret.report import aligned
from benchmarks.regret.server import ROOT
from benchmarks.regret.workloads import all_workloads

OTHERS = 8
SHORTEST = 50e-6
"""Seconds of an item below which the clocks say little."""


def measure(name: str) -> dict[str, Any]:
    """Run the first items of a workload, and say what they took."""
    _, workload = all_workloads()[name]
    with ExitStack() as stack:
        work = workload.prepare(workload.quick, stack)
        runs = []
        for item in islice(work.items(), 1 + OTHERS):
            modules, wall, cpu = len(sys.modules), time.perf_counter(), time.thread_time()
            work.function(item)
            taken = time.perf_counter() - wall, time.thread_time() - cpu
            runs.append((*taken, len(sys.modules) - modules))
    first, *others = runs
    return {
        "first": first[:2],
        "others": [statistics.median(run[clock] for run in others) for clock in (0, 1)],
        "modules": first[2],
    }


def main() -> None:
    """Print a table of all plain functions."""
    head = ("workload", "first, ms", "its CPU", "others, ms", "their CPU", "first/others", "imports", "ms each")
    rows = []
    for name, (_, workload) in all_workloads().items():
        if workload.coroutine:
            continue
        script = f"import json; from benchmarks.first_items import measure; print(json.dumps(measure({name!r})))"
        out = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
        found = json.loads(out.stdout)
        (wall, cpu), (other_wall, other_cpu), modules = found["first"], found["others"], found["modules"]
        if other_wall < SHORTEST:
            continue
        figures = [f"{seconds * 1e3:.3f}" for seconds in (wall, cpu, other_wall, other_cpu)]
        each = f"{(cpu - other_cpu) / modules * 1e3:.2f}" if modules else ""
        rows.append((name, *figures, f"{wall / other_wall:.1f}", str(modules or ""), each))
    print(aligned(head, rows))


if __name__ == "__main__":
    main()
