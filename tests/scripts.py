"""Programs in interpreters of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(**variables: str) -> dict[str, str]:
    """The test's environment, with autopar on the path."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **variables}


def run_python(*arguments: str, text: str = "", cwd: Path | None = None, limit: float = 30, **variables: str) -> str:
    """Run a Python program to its end and return what it printed; anything on standard error is a failure."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=cwd or ROOT,
        env=environment(**variables),
        timeout=limit,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
