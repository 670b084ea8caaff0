"""While a map's first item takes long in the caller's thread, the others need not wait for its end.

Nothing is known of a function that has not run. Its first item runs here, as in the loop; meanwhile another thread
looks at it from time to time. Once the item has taken long enough to plan on, and nothing can be noticed of it, that
thread opens a pool and keeps it filled until the caller's thread is back and takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from autopar._engine.beside import Watched
from autopar._engine.blocks import Block
from autopar._engine.deciding import Deciding
from autopar._engine.elsewhere import Elsewhere
from autopar._engine.prices import costs_on
from autopar._engine.task import MapTask, pools_used
from autopar._model.effects import EffectKind
from autopar._model.nesting import nested_cores
from autopar._model.observation import Profile, Sample
from autopar._model.plan import BACKENDS, Choice
from autopar._model.work import UNCHANGING
from autopar._model.workload import Kind
from autopar._observe.first_item import without_imports
from autopar._plan import DEFAULT_COSTS, RACERS, cold_start

FIRST_LOOK = 4e-3
"""Seconds after which a first item is looked at; then each time it has taken twice as long. The thread that looks takes
0.1 ms to start (benchmarks/backend_costs.py), a planning with its analysis 1 to 2 ms."""

FIRST_LOOK_AT_A_WAIT = 1e-3
"""Seconds after which it is looked at whether the item waits: then the look, at the end of a wait, costs it nothing."""

MANY = 16 * DEFAULT_COSTS.io_ceiling
"""Items that need no head start: even if as many wait together as ever do, the first one alone is a sixteenth of the
map. A list of so many is most often one of short items, which should not wait for the thread that looks."""


def _unchanging(value: object) -> bool:
    """A number, a text, a range, a path, or a tuple of such."""
    if type(value) is tuple:
        return all(map(_unchanging, value))
    return type(value) in UNCHANGING or type(value) is range or type(value).__module__.partition(".")[0] == "pathlib"


class Ahead:
    """Watches over the first item of a map; a :class:`~autopar._engine.beside.Story` beside its call.

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
    imported
        Modules that the item had imported when it was first looked at: then the analysis imports some too.
    """

    def __init__(self, task: MapTask, deciding: Deciding, adopt: Callable[[Choice], Elsewhere]) -> None:
        self.pool: Elsewhere | None = None
        self.blocks: list[Block] = []
        self.imported: int | None = None
        self._task = task
        self._deciding = deciding
        self._adopt = adopt
        self._pools, self._pools_before = pools_used.box, 0

    def worth_it(self) -> bool:
        """Whether other items could go ahead of the first, as far as can be told before it runs."""
        task = self._task
        settings, remaining = task.settings, task.source.remaining
        if settings.backend is not None or settings.workers == 1:
            return False
        if not task.source.inert or not 0 < (remaining or 0) < MANY or nested_cores.get() is not None:
            return False
        self._pools, self._pools_before = pools_used.box, pools_used.box[0]
        earlier = task.state.memory.latest.get(type(task.sample_item))
        return earlier is None or earlier.seconds_per_item >= FIRST_LOOK

    def steps(self, watched: Watched) -> Iterator[float | None]:
        """Look at the item until a pool is open, then keep it filled until this way cannot go on."""
        modules = self._task.machine.modules()
        yield FIRST_LOOK_AT_A_WAIT
        sample = watched.sample()
        if not (sample.waits and 2 * sample.cpu < sample.wall):
            yield FIRST_LOOK - FIRST_LOOK_AT_A_WAIT
        self.imported = self._task.machine.modules() - modules
        while self.pool is None:
            sample = watched.sample()
            if not self._may_start() or self._pools[0] != self._pools_before:
                return
            if not self._start(sample):
                yield max(FIRST_LOOK, 2 * sample.wall - watched.sample().wall)
        while not self.pool.left:
            self.pool.fill()
            if not self.pool.busy:
                return
            yield None

    def wait(self) -> None:
        """Take back what has ended."""
        if self.pool is not None:
            self.blocks.extend(self.pool.wait())

    def nudge(self) -> None:
        """End a wait."""
        if self.pool is not None:
            self.pool.nudge()

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

    def _gil_is_no_question(self, choice: Choice) -> bool:
        """Its share is known; or so few items are left, of a function that releases it, that no race would pay."""
        if choice.workload.gil_share is not None:
            return True
        few = (self._task.source.remaining or 0) <= RACERS
        return few and choice.plan.backend == "threads" and bool(self._task.traits().releasing_calls)

    def _start(self, sample: Sample) -> bool:
        """Open a pool if one would pay even if the item ended now."""
        own, profile = without_imports(sample, self.imported or 0), Profile()
        profile.add(own)
        choice = self._deciding.choose(profile)
        if choice.workload.kind is not Kind.IO and self._task.compiling.begin_beside(own.cpu):
            return False
        if not BACKENDS[choice.plan.backend].same_process:
            # The item is there to be weighed; what its result will weigh an earlier map may know.
            size = self._task.machine.pickled_size((self._task.sample_item,))
            profile.bytes_in, profile.objects = size.bytes, size.objects
            if profile.bytes_in is None:
                return False
            earlier = self._task.remembered
            profile.bytes_out = None if earlier is None else earlier.bytes_out
            choice = self._deciding.choose(profile)
        workload, plan = choice.workload, choice.plan
        if plan.backend == "serial" or not (workload.kind is Kind.IO or self._gil_is_no_question(choice)):
            return False
        if plan.backend == "processes" and self._task.machine.forkable(ending=1):
            # Once the item is over workers can be forked; to wait for that costs at most what it saves.
            costs, cores = costs_on(self._task.machine), self._task.cores
            spawned, forked = (cold_start(costs, plan.workers, cores, fork=fork) for fork in (False, True))
            if sample.wall < spawned - forked:
                return False
        left = self._task.source.remaining or 0
        if plan.backend == "processes" and plan.workers < left < 2 * self._task.cores:
            # The first item keeps a core for a while, so a worker for each of the few others ends sooner than fewer.
            choice = replace(choice, plan=replace(plan, workers=left))
        self.pool = self._adopt(choice)
        return True
