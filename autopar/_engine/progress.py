"""Progress of a map: the user's own callback, or a bar that appears by itself once a map has taken a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Protocol

from autopar._backends.said import behind
from autopar._engine.bars import Facts, bar_here, in_notebook
from autopar._model import listening
from autopar._model.hint_checks import ProgressCallback
from autopar._model.nesting import nested_cores
from autopar._record.explain import printable

INTERVAL = 0.1
"""Seconds between two updates: ten a second look smooth and cost nothing."""

DELAY = 1.0
"""Seconds of a map after which a bar appears by itself: what ends before needs none."""


class Show(Protocol):
    """Shows how far a map has come.

    Attributes
    ----------
    due
        When it wants to be told next, by ``time.monotonic``.
    ages
        It changes with time alone: a rate, the seconds remaining.
    """

    due: float
    ages: bool

    def update(self, done: int, total: int | None, facts: Facts) -> None:
        """So much is done."""

    def finish(self, done: int, total: int | None, facts: Facts) -> None:
        """Nothing more comes."""


def show_for(wanted: bool | ProgressCallback | None, function: str) -> Show | None:
    """What shows the progress of a map that begins now; None where nothing would."""
    if wanted is False:
        return None
    if callable(wanted):
        return _Callback(wanted)
    if inside.depth or nested_cores.get() is not None or listening.deaf:
        return None  # the map around it has the bar
    if not (in_notebook() or _on_terminal()):
        return None
    return Bar(printable(function), 0.0 if wanted else DELAY)


def _on_terminal() -> bool:
    stream = behind(sys.stderr)
    try:
        return stream is not None and bool(stream.isatty())
    except (AttributeError, ValueError):  # it has none, or is closed
        return False


class _Inside(threading.local):
    """How many maps this thread is inside of."""

    depth = 0


inside = _Inside()


class _Callback:
    """Tells the user's function at most every tenth of a second, but always at the end."""

    ages = False

    def __init__(self, callback: ProgressCallback) -> None:
        self.due = 0.0
        self._callback = callback
        self._told = -1

    def update(self, done: int, total: int | None, facts: Facts) -> None:
        self.due = time.monotonic() + INTERVAL
        self._told = done
        self._callback(done, total)

    def finish(self, done: int, total: int | None, facts: Facts) -> None:
        if self._told != done:
            self.update(done, total, facts)


_place = threading.Lock()
"""There is one bar at a time; whoever holds this shows it."""


class Bar:
    """A bar on the terminal or in the notebook, from ``delay`` seconds on."""

    ages = True

    def __init__(self, function: str, delay: float) -> None:
        self.due = time.monotonic() + delay
        self._function = function
        self._began = time.monotonic()
        self._drawn: Any = None

    def update(self, done: int, total: int | None, facts: Facts) -> None:
        self.due = time.monotonic() + INTERVAL
        if self._drawn is None:
            if not _place.acquire(blocking=False):
                return
            self._drawn = bar_here(self._function, self._began)
        self._drawn.draw(done, total, facts)

    def finish(self, done: int, total: int | None, facts: Facts) -> None:
        if self._drawn is not None:
            drawn, self._drawn = self._drawn, None
            try:
                drawn.end()
            finally:
                _place.release()
