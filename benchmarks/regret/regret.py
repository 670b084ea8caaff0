"""Regret out of times: which hand-picked way was best, and what the others took over it. Data to data."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.regret.ways import WAYS


@dataclass(slots=True)
class Times:
    """What one way took on one workload.

    Attributes
    ----------
    cold, warm
        Seconds of each first map, and of each later one, over all interpreters.
    late
        Seconds after which a map was given up: it took at least so long.
    errors
        What it raised, or that its answer is not the plain loop's.
    said
        What it reported of its first and of its latest map.
    """

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    late: float | None = None
    errors: list[str] = field(default_factory=list)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)

    def median(self, mode: str) -> float | None:
        """Median seconds of the cold or the warm maps, or None where there is none."""
        times = self.cold if mode == "cold" else self.warm
        return statistics.median(times) if times else None


@dataclass(frozen=True, slots=True)
class Best:
    """The best hand-picked way of one mode."""

    way: str
    seconds: float


def best_of(times: Mapping[str, Times], mode: str) -> Best | None:
    """Find the hand-picked way of the least median; one that failed or gave another answer does not compete.

    Examples
    --------
    >>> best_of({"loop": Times([2.0]), "threads 2": Times([1.0, 3.0, 1.5]), "joblib": Times([0.1])}, "cold")
    Best(way='threads 2', seconds=1.5)
    """
    found = [
        Best(way, median)
        for way, each in times.items()
        if WAYS[way].role == "hand-picked" and not each.errors and (median := each.median(mode)) is not None
    ]
    return min(found, key=lambda best: best.seconds, default=None)


def ratio(times: Mapping[str, Times], way: str, mode: str) -> float | None:
    """Give a way's median over the best hand-picked way's; a map that was given up counts with the time it had.

    ``mode`` is ``"cold"``, ``"warm"`` or ``"stored"``: the last compares cold maps of the way that has a filled store.
    """
    if mode == "stored":
        way, mode = f"{way} stored", "cold"
    if way not in times or times[way].errors:
        return None
    best, taken = best_of(times, mode), times[way].median(mode)
    if taken is None:
        taken = times[way].late
    return None if best is None or taken is None else taken / best.seconds


def geometric_mean(ratios: Iterable[float]) -> float:
    """Give the geometric mean.

    Examples
    --------
    >>> round(geometric_mean([1.0, 4.0]), 12)
    2.0
    """
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))


def hopeless(times: Mapping[str, Times], way: str, modes: Iterable[str], factor: float) -> bool:
    """Tell whether a hand-picked way was measured in all of these modes, and is that far behind the best in each."""
    if WAYS[way].role != "hand-picked":
        return False
    for mode in modes:
        best, taken = best_of(times, mode), times[way].median(mode)
        if best is None or taken is None or taken <= factor * best.seconds:
            return False
    return True


def limit(times: Mapping[str, Times], way: str, mode: str) -> float:
    """Seconds after which a map is given up.

    A hand-picked way that takes four times the best is not the best; some time is left to it for a bad moment of the
    machine, or a compiler. What is measured for its own sake gets much longer, and the loop, that gives the answer, as
    long as it takes.
    """
    best = best_of(times, mode)
    if best is None or way == "loop":
        return 600.0
    return max(WAYS[way].patience, (4 if WAYS[way].role == "hand-picked" else 60) * best.seconds)
