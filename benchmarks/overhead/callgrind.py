"""Instructions of a call, counted by valgrind's callgrind: the same on a busy machine as on a quiet one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from benchmarks.overhead.timing import Row

CALLS = 20_000
_PROGRAM = """
import functools
from itertools import repeat
from benchmarks.overhead.calls import SETTLED, identity
from autopar import parallel
function = {rival}
for _ in range({settled}):
    function(1)
function._self_countdown = 10**9  # how often one is measured goes by the clock, which valgrind slows down
for _ in repeat(None, {calls}):
    function(1)
"""
RIVALS = {
    "plain": "identity",
    "@parallel": "parallel(identity)",
    '@parallel(compiler="native")': "parallel(identity, compiler='native')",
    "functools.partial": "functools.partial(identity)",
}


def instructions() -> list[Row]:
    """Count the instructions of a whole program with calls and without, and divide the difference.

    Raises
    ------
    FileNotFoundError
        There is no valgrind.
    """
    rows = []
    for name, rival in RIVALS.items():
        with_calls, without = (_counted(rival, calls) for calls in (CALLS, 0))
        rows.append((name, (with_calls - without) / CALLS))
    first = rows[0][1]
    return [Row(name, value, value - first, "") for name, value in rows]


def _counted(rival: str, calls: int) -> int:
    program = _PROGRAM.format(rival=rival, settled=3_000, calls=calls)
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", program]
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stderr
    found = re.search(r"Collected : (\d+)", said)
    if found is None:
        raise RuntimeError(f"callgrind said nothing of instructions: {said[-500:]}")
    return int(found[1])
