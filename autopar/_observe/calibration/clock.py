"""How a trial is timed: often, and the middle of it, because other programs are at work too."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUNDS = 5


def seconds_of(action: Callable[[], object]) -> float:
    """Wall seconds of one action."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def middle(trial: Callable[[], float], rounds: int = ROUNDS) -> float:
    """The median of several trials."""
    return statistics.median(trial() for _ in range(rounds))


def least(trial: Callable[[], float], rounds: int = ROUNDS) -> float:
    """The least of several trials: for what only other programs can make longer."""
    return min(trial() for _ in range(rounds))
