"""While a map's first item takes long in the caller's thread, the others need not wait for its end.

Nothing is known of a function that has not run. Its first item runs here, as in the loop; meanwhile another thread
looks at it from time to time. Once the item has taken long enough to plan on, and nothing can be noticed of it, that
thread opens a pool and keeps it filled until the caller's thread is back and takes over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from types import TracebackType

from autopar._engine.blocks import Block
from autopar._engine.deciding import Deciding
from autopar._engine.elsewhere import Elsewhere
from autopar._engine.task import MapTask, pools_used
from autopar._model.effects import EffectKind
from autopar._model.nesting import nested_cores
from autopar._model.observation import Profile, Sample
from autopar._model.plan import Choice
from autopar._model.workload import Kind
from autopar._observe.other_thread import OtherThread
from autopar._plan import DEFAULT_COSTS, cold_start

FIRST_LOOK = 4e-3
"""Seconds after which a first item is looked at; then each time as much again has passed. The thread that looks takes
0.1 ms to start (benchmarks/backend_costs.py), a planning with its analysis 1 to 2 ms."""


_UNCHANGING = frozenset((int, float, complex, bool, str, bytes, type(None), range))


def _unchanging(value: object) -> bool:
    """A number, a text, a path, or a tuple of such."""
    if type(value) is tuple:
        return all(map(_unchanging, value))
    return type(value) in _UNCHANGING or type(value).__module__.partition(".")[0] == "pathlib"


class Ahead:
    """Watches over the first item of a map: a context around its call.

    Parameters
    ----------
    task, deciding
        The map, and its plannings.
    adopt
        Puts a choice into force; returns the pool that was opened.

    Attributes
    ----------
    pool
        What was opened while the item ran, or None.
    blocks
        What has come back from there.
    """

    def __init__(self, task: MapTask, deciding: Deciding, adopt: Callable[[Choice], Elsewhere]) -> None:
        self.pool: Elsewhere | None = None
        self.blocks: list[Block] = []
        self._task = task
        self._deciding = deciding
        self._adopt = adopt
        self._over = threading.Event()
        self._looker: threading.Thread | None = None
        self._error: BaseException | None = None
        self._forkable = False
        self._pools, self._pools_before = pools_used.box, 0

    def worth_it(self) -> bool:
        """Whether other items could go ahead of the first, as far as can be told before it runs."""
        task = self._task
        settings, remaining = task.settings, task.source.remaining
        if settings.backend is not None or settings.workers == 1 or not task.machine.looks_ahead:
            return False
        if not task.source.inert or not remaining or nested_cores.get() is not None:
            return False
        earlier = task.state.memory.latest.get(type(task.sample_item))
        return earlier is None or earlier.seconds_per_item >= FIRST_LOOK

    def __enter__(self) -> Ahead:
        self._forkable = self._task.machine.forkable()
        self._pools, self._pools_before = pools_used.box, pools_used.box[0]
        context, watched = copy_context(), OtherThread()
        if watched.readable:
            looker = threading.Thread(target=context.run, args=(self._look, watched), name="autopar-ahead", daemon=True)
            try:
                looker.start()
                self._looker = looker
            except RuntimeError:  # The system has no thread left: then the others wait.
                pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        if self._looker is not None:
            if self.pool is not None:
                self.pool.nudge()
            self._looker.join()
            self._looker = None
        if error is None and self._error is not None:
            raise self._error

    def _look(self, watched: OtherThread) -> None:
        try:
            delay = FIRST_LOOK
            while not self._over.wait(delay):
                sample = watched.sample()
                if not self._may_start() or self._pools[0] != self._pools_before:
                    return
                if self._start(sample):
                    self._serve()
                    return
                delay = sample.wall
        except BaseException as error:
            self._error = error

    def _may_start(self) -> bool:
        """The analysis shows all that the function does, and nothing of it can be noticed.

        It stands alone here: what the first item changes is only seen when it is over. So the items must be of types
        that cannot change and run no code of their own.
        """
        if self._task.settings.pure:
            return True
        if not all(map(_unchanging, (self._task.sample_item, *self._task.kwargs.values()))):
            return False
        report = self._task.traits().report
        unseen = not report.complete or any(effect.kind is EffectKind.UNKNOWN for effect in report.effects)
        return bool(report.codes) and not unseen and not report.effects

    def _start(self, sample: Sample) -> bool:
        """Open a pool if one would pay even if the item ended now."""
        profile = Profile()
        profile.add(sample)
        choice = self._deciding.choose(profile)
        workload, plan = choice.workload, choice.plan
        if plan.backend == "serial" or (workload.kind is not Kind.IO and workload.gil_share is None):
            return False
        if plan.backend == "processes" and self._forkable:
            # Once the item is over workers can be forked; to wait for that costs at most what it saves.
            workers, cores = plan.workers, self._task.cores
            spawned, forked = (cold_start(DEFAULT_COSTS, workers, cores, fork=fork) for fork in (False, True))
            if sample.wall < spawned - forked:
                return False
        self.pool = self._adopt(choice)
        return True

    def _serve(self) -> None:
        """Keep the pool filled until the caller's thread is back, or this way cannot go on."""
        pool = self.pool
        while pool is not None and not self._over.is_set() and not pool.left:
            pool.fill()
            if not pool.busy:
                return
            self.blocks.extend(pool.wait())
