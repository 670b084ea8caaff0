"""Progress of a map: a line on standard error, or the user's own callback."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autopar._engine.task import MapTask
from autopar._model.hint_checks import ProgressCallback
from autopar._record.explain import printable

INTERVAL = 0.1
"""Seconds between two updates: ten a second look smooth and cost nothing."""


@contextmanager
def progress_of(task: MapTask) -> Iterator[Callable[[int], None]]:
    """A function to be told of finished items; it does nothing unless progress was asked for."""
    wanted = task.settings.progress
    if wanted is False:
        yield _ignore
        return
    show = _Line(task.state.name) if wanted is True else wanted
    tracker = _Tracker(show, task.source.length)
    try:
        yield tracker.advance
    finally:
        tracker.finish()
        if isinstance(show, _Line):
            show.end()


def _ignore(items: int) -> None:
    pass


class _Tracker:
    """Counts, and tells at most every tenth of a second, but always at the end."""

    def __init__(self, show: ProgressCallback, total: int | None) -> None:
        self._show = show
        self._total = total
        self._done = 0
        self._told = -1
        self._next = 0.0

    def advance(self, items: int) -> None:
        self._done += items
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self._tell()

    def finish(self) -> None:
        if self._told != self._done:
            self._tell()

    def _tell(self) -> None:
        self._told = self._done
        self._show(self._done, self._total)


class _Line:
    """One line on standard error, rewritten in place; silent where that is not a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._active = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int, total: int | None) -> None:
        if self._active:
            of_total = f" of {total} ({done / total:.0%})" if total else ""
            sys.stderr.write(f"\r{printable(self._name)}: {done}{of_total}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._active:
            sys.stderr.write("\n")
