"""Starts cells, asks them for maps in turn, and collects what they say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.regret.regret import Times, hopeless, limit
from benchmarks.regret.server import ROOT
from benchmarks.regret.ways import WAYS
from benchmarks.regret.workload import Workload

READY_SECONDS = 120.0
HOPELESS = 2.0
"""A hand-picked way that takes twice the best time, cold and warm, is not measured again."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    quick
        The workloads' quick sizes.
    repeat
        Fresh interpreters of each way.
    warm
        Least and most maps after the first in each interpreter.
    seconds
        Time for the warm maps of one workload and repeat, beyond the least.
    modes
        Out of ``"cold"``, ``"warm"``, ``"stored"``.
    """

    quick: bool = False
    repeat: int = 3
    warm: tuple[int, int] = (3, 15)
    seconds: float = 5.0
    modes: frozenset[str] = frozenset({"cold", "warm", "stored"})


class Cell:
    """One interpreter with one way on one workload."""

    def __init__(self, family: str, workload: Workload, way: str, count: int, environment: dict[str, str]) -> None:
        self.way = way
        self._lines: SimpleQueue[str] = SimpleQueue()
        command = [sys.executable, "-m", "benchmarks.regret.cell", family, workload.name, way, str(count)]
        # A session of its own, so that a cell that is given up takes its workers with it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        self._errors: list[str] = []
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_lines, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def ready(self) -> dict[str, Any]:
        """Wait until the cell has made everything ready."""
        return self._answer(READY_SECONDS) or {"error": f"not ready after {READY_SECONDS:g} s"}

    def map(self, seconds: float) -> dict[str, Any] | None:
        """Ask for one map; None after so many seconds, and then the cell is gone."""
        assert self._process.stdin is not None
        try:
            print(file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return {"error": self._death()}
        answer = self._answer(seconds)
        if answer is None:
            self.kill()
        return answer

    def end(self) -> None:
        """Tell it that no more is wanted."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it is gone already, which its last answer said
            self._process.stdin.close()

    def wait(self, seconds: float = 20.0) -> None:
        """Wait for its end, for that long at most."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        for reader in self._readers:
            reader.join(seconds)

    def kill(self) -> None:
        """End it and its workers at once."""
        if hasattr(os, "killpg"):
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return  # all of them have ended
        else:
            self._process.kill()
        self._process.wait()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        try:
            line = self._lines.get(timeout=seconds)
        except Empty:
            return None
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._death()}
        return answer

    def _death(self) -> str:
        self.wait()
        return f"the cell ended with exit code {self._process.returncode}: {''.join(self._errors)[-2000:]}"

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._errors.extend(lines)


class Measurement:
    """All ways on one workload.

    Parameters
    ----------
    family, workload
        What to measure.
    effort
        How much of it.
    scratch
        A folder for stores and compiled modules.
    base_store
        A folder with a store that knows the host and no function; None starts without.
    ways
        Names of the ways; those that cannot run the workload are passed over.
    """

    def __init__(
        self,
        family: str,
        workload: Workload,
        effort: Effort,
        scratch: Path,
        base_store: Path | None = None,
        ways: Iterable[str] = tuple(WAYS),
    ) -> None:
        self._family = family
        self._workload = workload
        self._effort = effort
        self._scratch = scratch
        self._base_store = base_store
        self._answer: str | None = None
        # Stored maps of autopar are compared with cold ones of the others.
        self._rival_modes = ("cold", "warm") if "warm" in effort.modes else ("cold",)
        self._ways = [way for way in ways if WAYS[way].can_run(workload) and self._wanted(way)]
        self.times: dict[str, Times] = {way: Times() for way in self._ways}

    def run(self) -> dict[str, Times]:
        """Measure, and give each way's times."""
        with TemporaryDirectory(dir=self._scratch) as folder:
            trained = self._train(Path(folder)) if "stored" in self._effort.modes else None
            for repeat in range(self._effort.repeat):
                self._repeat(repeat, Path(folder), trained)
        return self.times

    def _wanted(self, way: str) -> bool:
        modes = self._effort.modes
        if WAYS[way].role == "autopar":
            return "stored" in modes if WAYS[way].stored else bool(modes & {"cold", "warm"})
        return True

    def _repeat(self, repeat: int, folder: Path, trained: Path | None) -> None:
        """Measure each way in a fresh interpreter: the first map of all of them, then the second of all, and so on."""
        wanted = [way for way in self._ways if not self._dropped(way)]
        started = [self._cell(way, folder / f"{repeat} {way}", trained if WAYS[way].stored else None) for way in wanted]
        try:
            cells = [cell for cell in started if self._is_ready(cell)]
            # The loop comes first in the first round: the others are held against its answer and time.
            cells = [cell for cell in rotated(cells, repeat) if self._ask(cell, "cold")]
            if "warm" in self._effort.modes:
                self._warm([cell for cell in cells if not WAYS[cell.way].stored])
        finally:
            for cell in started:
                cell.end()
            for cell in started:
                cell.wait()

    def _warm(self, cells: list[Cell]) -> None:
        least, most = self._effort.warm
        ends = time.perf_counter() + self._effort.seconds
        for number in range(most):
            if number >= least and time.perf_counter() > ends:
                return
            for cell in rotated(list(cells), number):
                # The loop has nothing to warm up: its first map shows it.
                mode = "cold" if cell.way == "loop" else "warm"
                if not hopeless(self.times, cell.way, (mode,), HOPELESS) and not self._ask(cell, "warm"):
                    cells.remove(cell)

    def _ask(self, cell: Cell, mode: str) -> bool:
        """Ask a cell for a map, and note what it took; False if it cannot go on."""
        times = self.times[cell.way]
        allowed = limit(self.times, cell.way, mode)
        answer = cell.map(allowed)
        if answer is None:
            times.late = allowed
            return False
        if "error" in answer:
            times.errors.append(answer["error"])
            return False
        if self._answer is None:
            self._answer = answer["answer"]  # the loop's
        if answer.pop("answer") != self._answer:
            times.errors.append("wrong: the results are not those of the plain loop")
            return False
        (times.cold if mode == "cold" else times.warm).append(answer.pop("seconds"))
        if answer:
            times.said[mode] = answer
        return True

    def _is_ready(self, cell: Cell) -> bool:
        answer = cell.ready()
        if "error" in answer:
            self.times[cell.way].errors.append(answer["error"])
        return "error" not in answer

    def _dropped(self, way: str) -> bool:
        times = self.times[way]
        return bool(times.errors) or times.late is not None or hopeless(self.times, way, self._rival_modes, HOPELESS)

    def _cell(self, way: str, folder: Path, store: Path | None) -> Cell:
        workload = self._workload
        count = workload.quick if self._effort.quick else workload.count
        environment = environment_with(self._scratch, folder, store or self._base_store)
        return Cell(self._family, workload, way, count, environment)

    def _train(self, folder: Path) -> Path:
        """Fill a store as an earlier process of the user would have: three maps."""
        cell = self._cell("autopar", folder / "trained", None)
        if "error" not in cell.ready():
            for _ in range(3):
                cell.map(120.0)
        cell.end()
        cell.wait()
        return folder / "trained"


def environment_with(scratch: Path, folder: Path, store: Path | None) -> dict[str, str]:
    """Give the environment of a cell: a store of its own, a copy of another one if named, and compiled modules."""
    if store is not None and store.exists():
        shutil.copytree(store, folder)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTOPAR_")},
        "AUTOPAR_STORE": str(folder / "store.sqlite"),
        "PYTHONPYCACHEPREFIX": str(scratch / "compiled"),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }


def rotated(cells: list[Cell], by: int) -> list[Cell]:
    """Start elsewhere in the round each time, so that none always follows the same one."""
    by %= max(1, len(cells))
    return cells[by:] + cells[:by]
