"""The one warning that says where a hint would help."""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar
from pathlib import Path
from types import FrameType

from autopar._engine.functions import FunctionState
from autopar._model.plan import Choice, Rejected
from autopar._model.work import Line
from autopar._record import duration
from autopar._record.explain import printable
from autopar.errors import PerformanceHint

WORTH_A_WARNING = 1.0
"""Predicted seconds lost from which a map speaks up."""

_HOME = str(Path(__file__).resolve().parent.parent)


asked_for: ContextVar[Line | None] = ContextVar("autopar_asked_for", default=None)
"""The line that asked for a map, where the map runs on a thread that the line is not seen from."""


def users_frame(own: int = 0) -> FrameType:
    """The frame of the line that asks for the current map; so many that led here are known not to be it."""
    frame = sys._getframe(own + 1)
    while frame.f_code.co_filename.startswith(_HOME) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def users_line() -> Line:
    """The line that asks for the current map: the first outside this package on the way out."""
    known = asked_for.get()
    if known is not None:
        return known
    frame = users_frame()
    names = frame.f_globals
    return Line(frame.f_code.co_filename, frame.f_lineno, names.get("__name__") or "<string>", names)


def could_hint(state: FunctionState, choice: Choice) -> bool:
    """Whether a reason that a hint would lift is predicted to cost over a second, and no warning has said so."""
    return not state.hinted and _worst_loss(choice) is not None


def hint_where_it_hurts(state: FunctionState, choice: Choice, line: Line | None = None) -> None:
    """Warn, once for each function, if a reason that a hint would lift keeps a map slower by over a second."""
    best = _worst_loss(choice)
    if state.hinted or best is None:
        return
    state.hinted = True
    seconds, serial = best.plan.predicted or 0.0, choice.plan.predicted or 0.0
    text = (
        f"{printable(state.name)} runs in the plain loop, since {printable(best.because)}. If that does not matter, "
        f"the hint {best.hint} would open {best.plan}: predicted {duration(seconds)} instead of {duration(serial)}"
    )
    filename, lineno, module, names = line or users_line()
    registry = (names or {}).setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, PerformanceHint, filename, lineno, module, registry)


def _worst_loss(choice: Choice) -> Rejected | None:
    """The fastest way that only a hint would open, if it would save enough to speak of."""
    curable = [rival for rival in choice.rejected if rival.hint and rival.plan.predicted is not None]
    if choice.plan.predicted is None or not curable:
        return None
    best = min(curable, key=lambda rival: rival.plan.predicted or 0.0)
    return best if choice.plan.predicted - (best.plan.predicted or 0.0) > WORTH_A_WARNING else None
