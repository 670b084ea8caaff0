"""The one warning that says where a hint would help."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from autopar._engine.functions import FunctionState
from autopar._model.plan import Choice, Rejected
from autopar._record import duration
from autopar.errors import PerformanceHint

WORTH_A_WARNING = 1.0
"""Predicted seconds lost from which a map speaks up."""

_HOME = str(Path(__file__).resolve().parent.parent)


def could_hint(state: FunctionState, choice: Choice) -> bool:
    """Whether a reason that a hint would lift is predicted to cost over a second, and no warning has said so."""
    return not state.hinted and _worst_loss(choice) is not None


def hint_where_it_hurts(state: FunctionState, choice: Choice) -> None:
    """Warn, once for each function, if a reason that a hint would lift keeps a map slower by over a second."""
    best = _worst_loss(choice)
    if state.hinted or best is None:
        return
    state.hinted = True
    seconds, serial = best.plan.predicted or 0.0, choice.plan.predicted or 0.0
    warnings.warn(
        f"{state.name} runs in the plain loop, since {best.because}. If that does not matter, the hint {best.hint} "
        f"would open {best.plan}: predicted {duration(seconds)} instead of {duration(serial)}",
        PerformanceHint,
        stacklevel=_users_level(),
    )


def _worst_loss(choice: Choice) -> Rejected | None:
    """The fastest way that only a hint would open, if it would save enough to speak of."""
    curable = [rival for rival in choice.rejected if rival.hint and rival.plan.predicted is not None]
    if choice.plan.predicted is None or not curable:
        return None
    best = min(curable, key=lambda rival: rival.plan.predicted or 0.0)
    return best if choice.plan.predicted - (best.plan.predicted or 0.0) > WORTH_A_WARNING else None


def _users_level() -> int:
    """The stack level of the first frame outside this package, counted from the caller."""
    level, frame = 1, sys._getframe(1)
    while frame.f_code.co_filename.startswith(_HOME) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    return level
