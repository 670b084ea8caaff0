"""The one warning that says where a hint would help."""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar
from pathlib import Path

from autopar._engine.functions import FunctionState
from autopar._model.plan import Choice
from autopar._model.work import Line
from autopar._record import duration
from autopar.errors import PerformanceHint

WORTH_A_WARNING = 1.0
"""Predicted seconds lost from which a map speaks up."""

_HOME = str(Path(__file__).resolve().parent.parent)


asked_for: ContextVar[Line | None] = ContextVar("autopar_asked_for", default=None)
"""The line that asked for a map, where the map runs on a thread that the line is not seen from."""


def users_line() -> Line:
    """The line that asks for the current map: the first outside this package on the way out."""
    known = asked_for.get()
    if known is not None:
        return known
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_HOME) and frame.f_back is not None:
        frame = frame.f_back
    names = frame.f_globals
    return Line(frame.f_code.co_filename, frame.f_lineno, names.get("__name__") or "<string>", names)


def hint_where_it_hurts(state: FunctionState, choice: Choice, line: Line | None = None) -> None:
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
    text = (
        f"{state.name} runs in the plain loop, since {best.because}. If that does not matter, the hint {best.hint} "
        f"would open {best.plan}: predicted {duration(seconds)} instead of {duration(serial)}"
    )
    filename, lineno, module, names = line or users_line()
    registry = (names or {}).setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, PerformanceHint, filename, lineno, module, registry)
