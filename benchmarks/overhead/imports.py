"""What importing and decorating cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from autopar import parallel
from benchmarks.overhead.timing import REPETITIONS, Row, compare

LOG = """
import os, sys
sys.stdout = sys.stderr = open(os.devnull, "w")
from autopar.cli.main import main
try:
    main(["log"])
except SystemExit:
    pass
"""

PROGRAMS = {
    "bare interpreter": "pass",
    "import autopar": "import autopar",
    "from autopar import parallel": "from autopar import parallel",
    "autopar log": LOG,
    "import wrapt": "import wrapt",
    "import joblib": "import joblib",
    "import numba": "import numba",
}


def imports() -> list[Row]:
    """Compare whole interpreters, in milliseconds, and the decoration of a function, in microseconds."""
    best = dict.fromkeys(PROGRAMS, float("inf"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(REPETITIONS):
        for name, program in PROGRAMS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, env=environment)
            best[name] = min(best[name], time.perf_counter() - started)
    first = best["bare interpreter"]
    rows = [Row(name, seconds * 1e3, (seconds - first) * 1e3, "ms") for name, seconds in best.items()]

    def decorate(number: int) -> None:
        for function in functions[:number]:
            parallel(function)

    def define(number: int) -> None:
        for _ in range(number):
            made()

    def made() -> Callable[[int], int]:
        def function(x: int) -> int:
            return x

        return function

    functions = [made() for _ in range(2_000)]
    return rows + compare({"define a function, us": define, "decorate it, us": decorate}, len(functions), "us")
