"""One way on one workload, in an interpreter of its own.

``python -m benchmarks.regret.cell FAMILY WORKLOAD WAY COUNT`` makes everything ready, says so, and then maps once for
each line that it reads, the first map being the cold one. What it prints are JSON objects, a line each: ``{"ready":
true}``, then ``{"seconds": ..., "answer": ...}`` with what the way itself says of the map, or ``{"error": ...}``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from contextlib import ExitStack
from typing import Any, TextIO

from benchmarks.regret.answer import digest
from benchmarks.regret.ways import WAYS, Way
from benchmarks.regret.workloads import family


def main() -> None:
    """Serve the maps that are asked for on standard input."""
    family_name, name, way_name, count = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the work prints is no answer
    workload = next(each for each in family(family_name) if each.name == name)
    with ExitStack() as stack:
        try:
            way = WAYS[way_name].make(workload.prepare(int(count), stack), workload)
        except ImportError as error:
            say(answers, {"error": f"{type(error).__name__}: {error}"})
            return
        say(answers, {"ready": True})
        for _ in sys.stdin:
            gc.collect()
            say(answers, timed(way))
        way.close()


def timed(way: Way) -> dict[str, Any]:
    """Time one map; its answer is digested after the clock was read."""
    started = time.perf_counter()
    try:
        results = way.map()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "answer": digest(results), **way.said()}


def say(answers: TextIO, message: dict[str, Any]) -> None:
    """Print one line."""
    print(json.dumps(message), file=answers, flush=True)


if __name__ == "__main__":
    main()
