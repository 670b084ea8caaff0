"""The one warning that says where a hint would help."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from autopar._engine.functions import FunctionState
from autopar._model.plan import Choice
from autopar._record import duration
from autopar.errors import PerformanceHint

WORTH_A_WARNING = 1.0
"""Predicted seconds lost from which a map speaks up."""

_HOME = str(Path(__file__).resolve().parent.parent)


def hint_where_it_hurts(state: FunctionState, choice: Choice) -> None:
    """Warn, once for each function, if a reason that a hint would lift keeps a map slower by over a second."""
    serial = choice.plan.predicted
    if state.hinted or serial is None:
        return
    curable = [rival for rival in choice.rejected if rival.hint and rival.plan.predicted is not None]
    if not curable:
        return
    best = min(curable, key=lambda rival: rival.plan.predicted or 0.0)
    seconds = best.plan.predicted or 0.0
    if serial - seconds <= WORTH_A_WARNING:
        return
    state.hinted = True
    warnings.warn(
        f"{state.name} runs in the plain loop, since {best.because}. If that does not matter, the hint {best.hint} "
        f"would open {best.plan}: predicted {duration(seconds)} instead of {duration(serial)}",
        PerformanceHint,
        stacklevel=_users_level(),
    )


def _users_level() -> int:
    """The stack level of the first frame outside this package, counted from the caller."""
    level, frame = 1, sys._getframe(1)
    while frame.f_code.co_filename.startswith(_HOME) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    return level
