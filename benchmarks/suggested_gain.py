"""Whether a program gains what `autopar suggest` predicts, once its patch is applied.

Run ``python -m benchmarks.suggested_gain [--quick] [--only NAME ...] [--rounds N] [--json FILE]``. For each program of
``examples/undecorated`` the advice is asked for, its patch applied to a copy, and then both run in turns, each time in
a fresh interpreter and from the store as the advice has left it, so that each patched run is the first after the patch.
The table shows medians: of the program as it is, of the patched one, of the gain in each round, and that gain over the
predicted one. Beside it stands what the machine had to give: two copies of the program as it is, started together,
tell what a second process adds at that moment, and the calibration what the prediction was made with.

It ends with status 1 where a gain is more than 30 % off, or the patched program prints something else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GOAL = 0.3

SIZES = {"site_check.py": ("200", "100"), "similar_texts.py": ("640", "400"), "bank_ledger.py": ("40000", "20000")}
"""Program -> its argument, and that of ``--quick``."""


@dataclass
class Round:
    """Seconds of one turn: as it is, patched, and two as they are at the same time."""

    plain: float
    patched: float
    pair: float


class Bench:
    """One program in a folder of its own, with a store of its own."""

    def __init__(self, folder: Path, name: str, size: str) -> None:
        self.name, self.size = name, size
        self._plain, self._patched = folder / "plain", folder / "patched"
        for each in (self._plain, self._patched):
            each.mkdir()
            shutil.copy(ROOT / "examples" / "undecorated" / name, each)
        shutil.copy(ROOT / "examples" / "page_server.py", folder)
        self._cache, self._as_advised = folder / "cache", folder / "as-advised"
        self._cache.mkdir()

    def advise(self) -> dict[str, Any]:
        """Ask, and apply the patch."""
        done = self._run(self._plain, "-m", "autopar", "suggest", "--json", self.name, self.size)
        said: dict[str, Any] = json.loads(done.stdout)
        if said["patch"]:
            subprocess.run(["git", "apply", "-"], cwd=self._patched, input=said["patch"], text=True, check=True)
        known = json.loads(self._run(self._plain, "-m", "autopar", "calibrate", "--show", "--json").stdout)
        said["second_process"] = known["quantities"].get("second_process", {}).get("value")
        shutil.copytree(self._cache, self._as_advised)
        return said

    def turn(self) -> Round:
        """Each way once; the patched program has to print what the program prints."""
        plain, printed = self._timed(self._plain)
        shutil.rmtree(self._cache)
        shutil.copytree(self._as_advised, self._cache)
        patched, other = self._timed(self._patched)
        if printed != other:
            raise SystemExit(f"{self.name}: the patched program prints something else")
        return Round(plain, patched, self._pair())

    def _timed(self, folder: Path) -> tuple[float, str]:
        began = time.perf_counter()
        done = self._run(folder, self.name, self.size)
        return time.perf_counter() - began, done.stdout

    def _pair(self) -> float:
        began = time.perf_counter()
        both = [
            subprocess.Popen(
                [sys.executable, self.name, self.size],
                cwd=self._plain,
                env=self._environment,
                stdout=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        for each in both:
            each.wait()
        return time.perf_counter() - began

    @property
    def _environment(self) -> Mapping[str, str]:
        store = str(self._cache / "store.sqlite")
        return {**os.environ, "PYTHONPATH": str(ROOT), "AUTOPAR_STORE": store, "XDG_CACHE_HOME": str(self._cache)}

    def _run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "suggest" in arguments else None,
            text=True,
            check=False,
        )
        if done.returncode > 1:
            raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}")
        return done


def measure(name: str, size: str, rounds: int) -> dict[str, Any]:
    """The figures of one program."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), name, size)
        said = bench.advise()
        turns = [bench.turn() for _ in range(rounds if said["patch"] else 0)]
    row: dict[str, Any] = {
        "program": f"{name} {size}",
        "plan": next((loop["plan"] for loop in said["loops"] if loop["pays"]), "none"),
        "predicted": said["gain"],
        "start": said["start"],
        "second_known": said["second_process"],
        "turns": [vars(turn) for turn in turns],
    }
    if turns:
        row["plain"] = statistics.median(turn.plain for turn in turns)
        row["patched"] = statistics.median(turn.patched for turn in turns)
        row["gain"] = statistics.median(turn.plain - turn.patched for turn in turns)
        row["share"] = row["gain"] / row["predicted"]
        row["second_now"] = statistics.median(2 * turn.plain / turn.pair for turn in turns) - 1
    return row


def put(row: dict[str, Any]) -> bool:
    """Print a program's line; whether its gain is as predicted."""
    if not row["turns"]:
        print(f"{row['program']}: nothing is suggested")
        return True
    known = "not known" if row["second_known"] is None else f"{row['second_known']:.2f}"
    good = bool(abs(row["share"] - 1) <= GOAL)
    print(
        f"{row['program']}, {row['plan']}: {row['plain']:.2f} s, patched {row['patched']:.2f} s; "
        f"gain {row['gain']:.2f} s, predicted {row['predicted']:.2f} s: {row['share']:.0%} "
        f"{'OK' if good else 'MISSED'}; "
        f"a second process adds {row['second_now']:.2f} now, {known} when it was predicted"
    )
    return good


def main() -> int:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs of the programs")
    parser.add_argument("--only", nargs="+", choices=SIZES, default=list(SIZES), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also every time")
    chosen = parser.parse_args()
    rows = [measure(name, SIZES[name][chosen.quick], chosen.rounds) for name in chosen.only]
    good = [put(row) for row in rows]
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
