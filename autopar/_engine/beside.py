"""Runs a story on a thread of its own, beside a block of the caller's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import copy_context
from types import TracebackType
from typing import Protocol

from autopar._model.observation import Sample
from autopar._model.own_work import OWN_WORK
from autopar._model.threads import own_thread
from autopar._observe.other_thread import OtherThread


class Watched(Protocol):
    """A thread that somebody else may read."""

    def sample(self) -> Sample:
        """What it has done since it began to be watched."""


class Story(Protocol):
    """What is to happen beside."""

    def steps(self, watched: Watched) -> Iterator[float | None]:
        """Go on until a moment has to pass: seconds, or with None until :meth:`wait` returns."""

    def wait(self) -> None:
        """Wait for what the last step was about."""

    def nudge(self) -> None:
        """End a wait; called from the caller's thread."""


class Beside:
    """A context: while its block runs, so does the story; at its end the story stops where it is.

    Parameters
    ----------
    story
        An error in it is raised at the end of the block, unless that has one of its own.
    """

    def __init__(self, story: Story) -> None:
        self._story = story
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Beside:
        context, watched = copy_context(), OtherThread()
        if watched.readable:
            thread = own_thread(context.run, "autopar-ahead", (self._run, watched))
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # The system has no thread left: then nothing happens beside.
                pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._story.nudge()
            self._thread.join()
            self._thread = None
        if error is None and self._error is not None:
            raise self._error

    def _run(self, watched: OtherThread) -> None:
        try:
            with OWN_WORK.under_way():
                for delay in self._story.steps(watched):
                    if delay is None:
                        self._story.wait()
                    if self._over.wait(delay or 0.0):
                        return
        except BaseException as error:
            self._error = error
