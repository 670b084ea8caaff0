"""One map of a plain function, from its first item to its decision.

:meth:`MapRun.blocks` is the whole story. It starts in the caller's thread, item by item as the loop would, and
measures as it goes. Once the rest is worth a plan it asks the deciders, opens the pool they name and keeps it filled;
what cannot go on there comes back to the caller's thread. Results leave as blocks, in order of completion.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from autopar._engine.blocks import Block
from autopar._engine.deciding import Deciding
from autopar._engine.early import Early
from autopar._engine.elsewhere import Elsewhere
from autopar._engine.here import HELP_SLICE, Here
from autopar._engine.notice import could_hint, hint_where_it_hurts
from autopar._engine.task import MapTask
from autopar._model.observation import Profile
from autopar._model.plan import LOOP, Choice, Plan
from autopar._model.work import Chunk

MOSTLY_COMPUTES = 0.8
ENOUGH_FOR_A_WARNING = 2
"""Items measured before a map complains about a slow way."""

MANY_LEFT = 20
"""Items left from which a second probe that waits costs at most 5 % of the loop."""


class MapRun:
    """Runs one map.

    Attributes
    ----------
    task
        What is mapped, and how far it has come.
    plan
        The plan in force.
    predicted
        Seconds that the last choice expected.
    """

    def __init__(self, task: MapTask) -> None:
        self.task = task
        self.plan: Plan = LOOP
        self.predicted: float | None = None
        self._here = Here(task)
        self._deciding = Deciding(task)
        self._elsewhere: Elsewhere | None = None
        self._left_over: deque[Chunk] = deque()
        self._look_at = 0.0

    @property
    def choice(self) -> Choice | None:
        """The latest choice, or None if the map ended before one was worth making."""
        return self._deciding.choice

    def go_on(self, begun: Early) -> None:
        """Take over a map that was expected to end early and did not."""
        self.task.source.go_on(begun.iterator, len(begun.results))
        self._here.go_on(begun)

    def blocks(self) -> Iterator[Block]:
        """Run everything; yield results as they complete. After an error only items before it still run."""
        interrupted = False
        try:
            self._meet_demand()
            while True:
                self.task.check_cancelled()
                if self._elsewhere is not None:
                    yield from self._run_elsewhere(self._elsewhere)
                    if self._elsewhere is not None:
                        return
                elif self._left_over:
                    chunk = self._left_over.popleft()
                    if self.task.stop_at is None or chunk.start < self.task.stop_at:
                        yield self._here.run_chunk(chunk)
                elif self.task.ended:
                    return
                elif self._here.strict:
                    yield from self._here.run_strictly()
                else:
                    block = self._here.run_slice()
                    if block is not None:
                        yield block
                    yield from self._consider()
        except (KeyboardInterrupt, SystemExit):
            interrupted = True
            raise
        finally:
            self._end(interrupted)

    def _meet_demand(self) -> None:
        """A demand is met before the first item: what was meant for elsewhere is not probed in the caller's thread."""
        settings = self.task.settings
        if settings.backend is not None or settings.timeout is not None or settings.compiler is not None:
            # Taking an item early must not be noticed, least of all if the demand is then refused.
            if self.task.source.inert and (first := self.task.source.peek()):
                self.task.see(first[0])
                self.task.compiling.demand(first[0])
                self._here.renew()
            choice = self._deciding.choose()
            if settings.backend is not None or settings.timeout is not None:
                self._adopt(choice)

    def _consider(self) -> Iterator[Block]:
        """Ask whether the rest should go elsewhere, if it is time to."""
        here = self._here
        if here.must_wait and self.choice is None and not self.task.ended:
            # A lazy map of a function with effects runs item by item: settle once whether anything else is open to it.
            self._adopt(self._deciding.choose())
        self._compile(here.seconds)
        credible = here.credible or self.task.settings.eager
        if here.final or not credible or self.task.ended or here.seconds < self._look_at:
            return
        if self.task.compiling.nearly_there:
            return
        if self.task.source.watched or self._one_wait_only():
            return
        if not self._deciding.worth_it():
            return
        yield from self._deciding.look_closely()
        if not self.task.ended:
            self._adopt(self._deciding.choose())

    def _compile(self, seconds_spent: float) -> None:
        """Have the function compiled if that pays, and go on with it once it is."""
        compiling = self.task.compiling
        if compiling.dropped():
            self.task.fallbacks.append(f"left compiled code: {compiling.why_not}")
            self._go_on_with_another_function()
        if self.task.ended:
            return
        if self._here.credible or self._elsewhere is not None:
            compiling.consider(seconds_spent)
        if compiling.adopt():
            self._go_on_with_another_function()

    def _go_on_with_another_function(self) -> None:
        """Use the function as it is now, compiled or not: what was measured of the other does not hold for it."""
        self._here.renew()
        self._here.final = False
        self._look_at = 0.0
        pool = self._elsewhere
        if pool is not None and pool.plan.backend == "threads":
            pool.renew()
            self._deciding.choose()  # so that what is written down tells of the compiled function
            self.plan = pool.plan
            return
        if pool is not None:
            self._leave("the function has been compiled, and its compiled code runs in this process")
        self.task.profile = Profile()
        self.plan = self.task.loop

    def _one_wait_only(self) -> bool:
        """A first item often waits where no other does, for an import or a connection: one more tells."""
        profile, remaining = self.task.profile, self.task.source.remaining
        waited = profile.items == 1 and profile.cpu_share < MOSTLY_COMPUTES
        if not waited or (remaining is not None and remaining < MANY_LEFT):
            return False
        return not self.task.traits().blocking_calls

    def _adopt(self, choice: Choice) -> None:
        """Put a choice into force."""
        self.plan, self.predicted = choice.plan, choice.plan.predicted
        if choice.plan.backend != "serial":
            self._elsewhere = Elsewhere(self.task, choice.plan, self._leave)
            return
        if self.task.profile.items < ENOUGH_FOR_A_WARNING and could_hint(self.task.state, choice):
            # A first item that imports or connects says little about the others: look again after the next.
            self._look_at = 0.0
            return
        hint_where_it_hurts(self.task.state, choice)
        # Ask again when as much again has been spent: a drift in the input is then noticed at little cost.
        self._look_at = 2 * self._here.seconds
        priced = any(rival.plan.predicted is not None and not rival.hint for rival in choice.rejected)
        settled = self.task.settings.backend == "serial" or not priced
        self._here.final = settled and not self.task.compiling.pending

    def _run_elsewhere(self, pool: Elsewhere) -> Iterator[Block]:
        while self._elsewhere is pool:
            pool.fill()
            if not pool.busy:
                break
            if pool.warming and self._help_pays():
                helped = self._here.run_slice(alone=False, seconds=HELP_SLICE)
                blocks = [*([helped] if helped is not None else []), *pool.ready()]
            else:
                unmeasured = self.task.profile.items == 0
                blocks = pool.wait()
                if unmeasured and self.task.profile.items and not self.task.ended:
                    self._refine(pool)
            if slower := pool.slower_than_the_loop():
                self._leave(slower)
            else:
                self._compile(self.task.worked)
            if self._elsewhere is pool:
                pool.fill()
            yield from blocks
        yield from pool.drain()
        if self._elsewhere is not pool:
            self._left_over.extend(pool.requeue)
            pool.close(interrupted=False)

    def _refine(self, pool: Elsewhere) -> None:
        """A demanded pool was opened before anything was measured: now its plan can follow the facts."""
        choice = self._deciding.choose()
        if choice.plan.backend == pool.plan.backend:
            self.plan, self.predicted = choice.plan, choice.plan.predicted
            pool.adjust(choice.plan)

    def _help_pays(self) -> bool:
        """While workers start, the caller's thread may as well do short items itself."""
        task = self.task
        each = task.profile.seconds_per_item
        short = 0 < each < 5 * HELP_SLICE
        return short and not (task.careful or task.demanded or task.ended) and task.room(each, self.plan.workers) > 0

    def _leave(self, reason: str) -> None:
        """Return to the caller's thread at a chunk boundary; the next look may choose another way."""
        if self._elsewhere is None:
            return
        self._deciding.excluded[self.plan.backend] = reason
        self.task.fallbacks.append(f"left {self.plan}: {reason}")
        self._elsewhere = None
        self.plan = self.task.loop
        self._here.final = False
        self._look_at = 0.0

    def _end(self, interrupted: bool) -> None:
        task = self.task
        if self._elsewhere is not None:
            self._elsewhere.close(interrupted=interrupted)
        elif self.plan.backend == "serial":
            self.plan = replace(self.plan, compiler=task.loop.compiler)
        if task.compiling.dropped():
            task.fallbacks.append(f"left compiled code: {task.compiling.why_not}")
        if task.profile.items and task.compiling.form is None:
            task.state.profiles[type(task.sample_item)] = task.profile
        task.sample_item = task.sample_result = None
