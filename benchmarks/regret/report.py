"""The machine, the table, and the JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.regret.regret import Times, best_of, geometric_mean, ratio
from benchmarks.regret.server import ROOT
from benchmarks.regret.ways import WAYS, cores

AUTOPAR_MODES = ("cold", "stored", "warm")
BESIDE_MODES = ("cold", "warm")
PACKAGES = ("numpy", "numba", "joblib", "mpire")

Results = Mapping[str, Mapping[str, Times]]


def machine() -> dict[str, Any]:
    """Describe the machine and what runs on it."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": cores(),
        "cpu_quota": _cpu_quota(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
    }


def table(results: Results) -> str:
    """Lay the results out: a line for each workload, then means and worst.

    Ratios are times over the best hand-picked way's: cold over its cold time, ``stored`` too, warm over its warm time.
    """
    head = ["workload", "best cold", "ms", "best warm", "ms"]
    head += [f"autopar {mode}" for mode in AUTOPAR_MODES] + ["first map: autopar chose", "later maps"]
    columns = _columns(results)
    head += [f"{way} {mode}" for way, mode in columns[len(AUTOPAR_MODES) :]]
    rows = [_row(name, times, columns) for name, times in results.items()]
    rows += [_summary(label, results) for label in ("geometric mean", "worst")]
    return aligned(head, rows)


def failures(results: Results) -> list[str]:
    """List what makes the run fail: a wrong answer of any way, and whatever autopar could not do."""
    found = []
    for name, times in results.items():
        for way, each in times.items():
            found += [
                f"{name}, {way}: {error}"
                for error in each.errors
                if error.startswith("wrong") or WAYS[way].role == "autopar" or way == "loop"
            ]
            if WAYS[way].role == "autopar" and each.late is not None:
                found.append(f"{name}, {way}: not done after {each.late:.3g} s")
    return found


def notes(results: Results) -> list[str]:
    """List what is missing from the table, and why: rivals that cannot run a workload, or are not installed."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, times in results.items():
        for way, each in times.items():
            for error in each.errors:
                if WAYS[way].role != "autopar":
                    reasons.setdefault((way, error.partition(":")[0]), []).append(name)
            if each.late is not None:
                reasons.setdefault((way, "given up as too slow"), []).append(name)
    return [f"{way}: {why} ({', '.join(names)})" for (way, why), names in reasons.items()]


def as_json(results: Results, about: Mapping[str, Any]) -> str:
    """Everything: all times, what autopar said, the ratios."""
    columns = _columns(results)
    workloads = {
        name: {
            "best": {
                mode: None if (best := best_of(times, mode)) is None else asdict(best) for mode in ("cold", "warm")
            },
            "ratios": {f"{way} {mode}": value for way, mode in columns if (value := ratio(times, way, mode))},
            "ways": {way: asdict(each) for way, each in times.items()},
        }
        for name, times in results.items()
    }
    names = [f"{way} {mode}" for way, mode in columns]
    summary = {label: dict(zip(names, _figures(label, results), strict=True)) for label in _SUMMARIES}
    return json.dumps({**about, "summary": summary, "workloads": workloads}, indent=1) + "\n"


def aligned(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay cells out in columns, words to the left and figures to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if cell[:1].isdigit() or cell[:1] == ">" else cell.ljust(width)
            for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


_SUMMARIES: dict[str, Callable[[list[float]], float]] = {"geometric mean": geometric_mean, "worst": max}


def _columns(results: Results) -> list[tuple[str, str]]:
    """The ratios shown: autopar's, then those of the ways beside that were measured."""
    measured = {way for times in results.values() for way in times}
    beside = [way for way, entry in WAYS.items() if entry.role == "beside" and way in measured]
    return [("autopar", mode) for mode in AUTOPAR_MODES] + [(way, mode) for way in beside for mode in BESIDE_MODES]


def _row(name: str, times: Mapping[str, Times], columns: Sequence[tuple[str, str]]) -> list[str]:
    cells = [name]
    for mode in ("cold", "warm"):
        best = best_of(times, mode)
        cells += ["", ""] if best is None else [best.way, f"{best.seconds * 1e3:.1f}"]
    figures = [_shown(ratio(times, way, mode), times, way) for way, mode in columns]
    split = len(AUTOPAR_MODES)
    return cells + figures[:split] + [_chosen(times, "cold"), _chosen(times, "warm")] + figures[split:]


def _chosen(times: Mapping[str, Times], mode: str) -> str:
    return str(times["autopar"].said.get(mode, {}).get("plan", "")) if "autopar" in times else ""


def _shown(value: float | None, times: Mapping[str, Times], way: str) -> str:
    if value is None:
        return ""
    late = times[way].late is not None if way in times else False
    return f"{'>' if late else ''}{value:.2f}"


def _summary(label: str, results: Results) -> list[str]:
    figures = ["" if value is None else f"{value:.2f}" for value in _figures(label, results)]
    split = len(AUTOPAR_MODES)
    return [label, "", "", "", "", *figures[:split], "", "", *figures[split:]]


def _figures(label: str, results: Results) -> list[float | None]:
    found = []
    for way, mode in _columns(results):
        ratios = [value for times in results.values() if (value := ratio(times, way, mode)) is not None]
        found.append(_SUMMARIES[label](ratios) if ratios else None)
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _cpu_quota() -> str:
    """The first line of the control group's limit, as the kernel writes it; empty where there is none."""
    try:
        return Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return found.stdout.strip()


def import_seconds(environment: Mapping[str, str], rounds: int = 5) -> float:
    """Time ``import autopar`` in fresh interpreters, its doors opened: the median, in seconds."""
    script = "import time; t = time.perf_counter(); import autopar; autopar.parallel; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", script]
    taken = [
        float(subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    return sorted(taken)[rounds // 2]
