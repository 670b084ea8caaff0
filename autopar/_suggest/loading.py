"""What a program pays once for the library: its import, the first decoration, the first plan and a pool's modules."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

START = 0.2
"""Seconds where it is not measured: half of what this module's trial shows on a busy x86-64 machine, CPython 3.11."""

_ROUNDS = 2
_LONGEST = 30.0

_TRIAL = """
from time import process_time
began = process_time()
import autopar
from autopar._backends import load
autopar.parallel(abs).submit(-1).result()
load("processes")
print(process_time() - began)
"""


def measured_start() -> float:
    """CPU seconds of it in an interpreter of its own, the better of two; the known figure where none can be started."""
    found = []
    # As this process finds the package, and as a program does that has no store yet.
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "AUTOPAR_STORE": "off"}
    for _ in range(_ROUNDS):
        with suppress(OSError, subprocess.SubprocessError, ValueError):
            done = subprocess.run(  # noqa: S603 - this interpreter and the text above
                [sys.executable, "-c", _TRIAL],
                env=surroundings,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LONGEST,
                check=True,
            )
            found.append(float(done.stdout))
    return min(found, default=START)
