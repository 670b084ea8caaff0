"""Follows one map for those who want to know: subscribers, the log, and whoever looks at its progress.

Where nobody does there is no watch, and a map pays for the look at an empty tuple. It lives on the thread that runs the
map and starts none: it looks at what the map has noted each time results arrive, a plan is put in force or a wait gets
long.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from autopar._engine.progress import Show, inside, show_for
from autopar._engine.story import Story, is_heard
from autopar._model.decision import Decision
from autopar._model.hints import Settings
from autopar._model.plan import Choice, Plan

if TYPE_CHECKING:
    from autopar._engine.blocks import Block
    from autopar._engine.run import MapRun
    from autopar.errors import WorkerDiedError


class Followed(Protocol):
    """A map as a watch sees it."""

    plan: Plan

    @property
    def choice(self) -> Choice | None:
        """The latest choice."""


class Watch:
    """What is told of one map.

    Parameters
    ----------
    function, operation
        What is mapped, by which method.
    total
        Items to come, or None.
    heard
        Somebody listens to events.
    show
        What shows its progress, or None.
    """

    def __init__(self, function: str, operation: str, total: int | None, *, heard: bool, show: Show | None) -> None:
        self._story = Story(function, operation, total, heard=heard)
        self._done = 0
        self._total = total
        self._show = show
        self._plan: Plan | None = None
        self._choice: Choice | None = None
        self._compiler = "python"
        self._fallbacks = 0

    def look(self, run: Followed, fallbacks: list[str] | None = None, compiler: str = "python") -> None:
        """Notice what has changed."""
        if not self._story.heard:
            self._plan = run.plan
            return
        self._new_plan(run.plan, run.choice)
        if compiler not in ("python", self._compiler):
            self._story.compiled(compiler)
        self._compiler = compiler
        for why in (fallbacks or [])[self._fallbacks :]:
            self._fallbacks += 1
            self._story.fell_back(why)

    def take(self, block: Block) -> None:
        """Results have arrived."""
        self._done += block.end - block.start
        failed = [(block.start + place, error) for place, error, _ in block.failed]
        if block.error is not None:
            failed.append((block.end, block.error))  # type: ignore[arg-type]
        for index, error in failed:
            self._story.failed(index, error)
        self.tick()

    def take_all(self, blocks: Iterable[Block]) -> None:
        """Several of them."""
        for block in blocks:
            self.take(block)

    def died(self, plan: Plan, index: int, items: int, error: WorkerDiedError) -> None:
        """A worker has died and taken a chunk with it."""
        self._story.died(plan, index, items, error)

    def retried(self, index: int, error: BaseException) -> None:
        """An item runs again."""
        self._story.retried(index, error)

    def tick(self) -> None:
        """Let the progress be shown, if it is time to."""
        show = self._show
        if show is not None and time.monotonic() >= show.due:
            show.update(self._done, self._total, self._facts())

    @property
    def patience(self) -> float | None:
        """Seconds until the next look at the progress, where it changes by waiting; None for none."""
        show = self._show
        return None if show is None or not show.ages else max(0.0, show.due - time.monotonic())

    def finish(self) -> None:
        """Nothing more comes."""
        if self._show is not None:
            self._show.finish(self._done, self._total, self._facts())

    def ended(self, decision: Decision) -> None:
        """The map is done and written down."""
        self._story.ended(decision)

    def _facts(self) -> tuple[str, int, int]:
        return "" if self._plan is None else str(self._plan), self._story.failures, self._story.retries

    def _new_plan(self, plan: Plan, choice: Choice | None) -> None:
        """The plan in force, with the reason of the choice that made it."""
        if choice is None and self._plan is None and plan.backend == "serial":
            return  # nothing was chosen yet: this is how every map begins
        if self._story.plan(plan, "" if choice is None or choice is self._choice else choice.why):
            self._plan, self._choice = plan, choice


def watch_for(function: str, operation: str, total: int | None, settings: Settings) -> Watch | None:
    """A watch over a map that begins now; None where nobody would hear or see anything of it."""
    heard = is_heard()
    show = None if operation == "submit" else show_for(settings.progress, function)
    if not heard and show is None:
        return None
    return Watch(function, operation, total, heard=heard, show=show)


@contextmanager
def watched(run: MapRun, operation: str, *, nests: bool) -> Iterator[Watch | None]:
    """Follow a map to its end, however it comes.

    With ``nests`` a map that begins on this thread meanwhile is one inside of an item; between two results of a lazy
    map it is the consumer's.
    """
    task = run.task
    task.watch = watch = watch_for(task.state.name, operation, task.source.length, task.settings)
    inside.depth += nests
    try:
        yield watch
    finally:
        inside.depth -= nests
        if watch is not None:
            watch.finish()
