"""One map of a plain function, from its first item to its decision.

:meth:`MapRun.blocks` is the whole story. It starts in the caller's thread, item by item as the loop would, and
measures as it goes. Once the rest is worth a plan it asks the deciders, opens the pool they name and keeps it filled;
what cannot go on there comes back to the caller's thread. Results leave as blocks, in order of completion.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

from autopar._engine.ahead import Ahead
from autopar._engine.blocks import Block
from autopar._engine.deciding import Deciding
from autopar._engine.early import Early
from autopar._engine.elsewhere import Elsewhere
from autopar._engine.here import HELP_SLICE, Here
from autopar._engine.lessons import Trials, guessed_share, surprise
from autopar._engine.notice import could_hint, hint_where_it_hurts
from autopar._engine.task import Cancelled, MapTask, note_pool
from autopar._engine.teaching import teach
from autopar._model.decision import Trial
from autopar._model.learned import ItemFacts
from autopar._model.observation import Profile
from autopar._model.plan import LOOP, Choice, Plan
from autopar._model.work import Chunk, Failure, Outcome
from autopar._model.workload import Kind
from autopar._plan import shows_overtaking
from autopar.errors import DeadlineError

ENOUGH_FOR_A_WARNING = 2
"""Items measured before a map complains about a slow way."""

EVIDENCE = 0.01
"""Share of the predicted loop that must have run before a map complains about it."""

GIVEN_UP_AT_A_TIME = 1024
"""Items of an input that get their error together after the deadline."""


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
    experience
        What earlier outcomes did to the predictions, in words.
    """

    def __init__(self, task: MapTask) -> None:
        self.task = task
        self.plan: Plan = LOOP
        self.predicted: float | None = None
        self._deciding = Deciding(task)
        self._ahead = Ahead(task, self._deciding, self._open)
        self._here = Here(task, self._ahead)
        self._elsewhere: Elsewhere | None = None
        self._left_over: deque[Chunk] = deque()
        self._look_at = 0.0
        self._trials = Trials(task.machine.now)
        self._earlier_trials: tuple[Trial, ...] = ()
        self._checked = self._known_better = False
        self.experience: tuple[str, ...] = ()
        self._planned_for = 0

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The plans that were chosen and have ended, with what was predicted and what came."""
        return self._earlier_trials + self._trials.trials

    @property
    def learned(self) -> str:
        """What of earlier maps was relied on, in words."""
        relied_on = self._deciding.relied_on
        return "" if relied_on is None else relied_on.origin

    @property
    def choice(self) -> Choice | None:
        """The latest choice, or None if the map ended before one was worth making."""
        return self._deciding.choice

    def collect(self, results: list[Any]) -> None:
        """Let items that run here put their results into the list of all results, where those before them are."""
        self._here.results = results

    def go_on(self, begun: Early) -> None:
        """Take over a map that was expected to end early and did not."""
        self.task.source.go_on(begun.iterator, len(begun.results))
        self._here.go_on(begun)

    def blocks(self) -> Generator[Block]:
        """Run everything; yield results as they complete. After an error only items before it still run."""
        interrupted = False
        try:
            yield from self._blocks()
        except DeadlineError:
            interrupted = True
            if not self.task.collects:
                raise
            yield from self._give_up_the_rest()
        except (KeyboardInterrupt, SystemExit, Cancelled):
            interrupted = True
            raise
        finally:
            self._end(interrupted)

    def _blocks(self) -> Iterator[Block]:
        while self.task.source.at_known and not self.task.ended:
            yield from self._known()
        self._meet_demand()
        self._start_from_memory()
        while True:
            self.task.check_cancelled()
            if (pool := self._elsewhere) is not None:
                yield from self._run_elsewhere(pool)
                if self._elsewhere is pool:
                    return
            elif self._left_over:
                yield from self._take_up_what_is_left()
            elif self.task.ended:
                return
            elif self.task.source.at_known:
                yield from self._known()
            elif self._here.strict:
                yield from self._here.run_strictly()
            else:
                yield from self._run_here()

    def _give_up_the_rest(self) -> Iterator[Block]:
        """After the deadline: an error for each item without a result, as far as the input's length is known."""
        task, pool = self.task, self._elsewhere
        if pool is not None:
            yield from pool.ready()
            self._left_over.extend(pool.surrender())
        for chunk in self._left_over:
            yield self._too_late(chunk)
        if task.source.remaining is None and not task.source.exhausted:
            task.source.end(task.too_late(task.source.taken))
        while not task.ended:
            if task.source.at_known and (known := self._known()):
                yield from known
            else:
                start = task.source.taken
                yield self._too_late(Chunk(task.job(1), start, task.source.take(GIVEN_UP_AT_A_TIME)))

    def _too_late(self, chunk: Chunk) -> Block:
        errors = [self.task.too_late(chunk.start + place) for place in range(len(chunk.items))]
        return self.task.block_of(chunk, Outcome([Failure(error) for error in errors]), self.plan)

    def _take_up_what_is_left(self) -> Iterator[Block]:
        """Items that were taken for elsewhere, and did not run there."""
        if self.task.demanded and not self._here.final:
            self._meet_demand_again()
            return
        chunk = self._left_over.popleft()
        if self.task.stop_at is None or chunk.start < self.task.stop_at:
            yield self._here.run_chunk(chunk)

    def _run_here(self) -> Iterator[Block]:
        block = self._here.run_slice()
        if block is not None:
            yield block
        if self._ahead.pool is not None:
            yield from self._take_over(self._ahead.pool)
        else:
            yield from self._consider()

    def _meet_demand(self) -> None:
        """A demand is met before the first item: what was meant for elsewhere is not probed in the caller's thread."""
        settings = self.task.settings
        if settings.backend is not None or settings.timed or settings.must_compile:
            # Taking an item early must not be noticed, least of all if the demand is then refused.
            if self.task.source.inert and (first := self.task.source.peek()):
                self.task.see(first[0])
                self.task.compiling.demand(first[0])
                self._here.renew()
            choice = self._deciding.choose()
            if settings.backend is not None or settings.timed:
                self._adopt(choice)

    def _meet_demand_again(self) -> None:
        """What was left elsewhere goes there once more, by a plan that knows why it was left."""
        choice = self._deciding.choose()
        self._adopt(choice)
        if self._elsewhere is not None:
            self._elsewhere.requeue.extend(self._left_over)
            self._left_over.clear()
        else:
            self._here.final = True

    def _start_from_memory(self) -> None:
        """Where earlier maps have shown what such items take, the choice is made before the first one runs."""
        settings = self.task.settings
        if settings.backend is None and not (settings.timed or settings.must_compile):
            if self._compiled_before():
                return
            choice = self._deciding.choose_from_memory()
            if choice is not None:
                self._adopt(choice)

    def _compiled_before(self) -> bool:
        """Whether the function has been compiled for such items in this process; then it is used from the first on."""
        task = self.task
        if not task.source.inert or not task.compiling.has_forms or not (first := task.source.peek()):
            return False
        task.see(first[0])
        if not task.compiling.take_up():
            return False
        self._here.renew()
        return True

    def _check_first_results(self, pool: Elsewhere) -> None:
        """The first results say whether the items are those that the plan was made for; if not, it is made anew."""
        learned, seen, profile = self._deciding.relied_on, self.task.on_pool, self.task.profile
        if self._checked or not seen.enough or not pool.typical or self.task.ended:
            return
        self._checked = True
        if learned is not None:
            why = surprise(seen, learned.facts, learned.origin)
        elif profile.items == 1 and not self.task.demanded:
            why = surprise(seen, ItemFacts.of(profile), "the first one")
        else:
            return
        if not why:
            return
        self.task.profile = seen.profile(pool.plan.workers, self.task.profile)
        choice = self._deciding.choose()
        if choice.plan.backend != pool.plan.backend:
            self._back_to_the_loop(why)
            return
        self.task.fallbacks.append(f"planned anew: {why}")
        self._put_in_force(choice.plan)
        pool.adjust(choice.plan)

    def _check_guess(self, pool: Elsewhere) -> None:
        """A plan that rests on a guessed share of the GIL is made anew once the threads have shown the share."""
        profile, choice = self.task.profile, self.choice
        if self._elsewhere is not pool or choice is None or self.task.ended or pool.climb is not None:
            return
        pool.unproven = guessed_share(self.task, choice, pool.plan)
        if not pool.unproven:
            return
        own_waits = 0.0 if choice.workload.kind is Kind.CPU else profile.waits_per_item
        releases = bool(self.task.traits().releasing_calls)
        share = pool.side_by_side.gil_share(pool.plan.workers, own_waits, releases=releases)
        if share is None:
            return
        profile.gil_share, profile.gil_share_assumed = share, False
        profile.gil_share_why = f"{pool.side_by_side} on {pool.plan.workers} threads"
        plan = self._deciding.choose().plan
        if plan.backend != pool.plan.backend:
            self._back_to_the_loop(f"its items hold the GIL for {share:.0%} of their CPU time")
        elif plan.workers != pool.plan.workers:
            self._put_in_force(plan)
            pool.adjust(plan)

    def _back_to_the_loop(self, why: str) -> None:
        """Leave a pool that is right in itself but for other items; what is better is taken once it has ended."""
        self.task.fallbacks.append(f"planned anew: {why}")
        self._elsewhere, self.plan, self._here.final, self._look_at = None, LOOP, False, 0.0
        self._known_better = True

    def _put_in_force(self, plan: Plan) -> None:
        self.plan, self.predicted = plan, plan.predicted
        if not self.task.profile.items:
            # What was predicted from a part of an item that still runs says nothing about the prices.
            plan = replace(plan, predicted=None)
        self._trials.begin(plan, self.task.items_done, self.task.source.remaining, self._deciding.correction(plan))
        self.tell()

    def tell(self) -> None:
        """Let those who follow the map notice what has changed."""
        task = self.task
        if task.watch is not None:
            task.watch.look(self, task.fallbacks, task.loop.compiler)

    def _consider(self) -> Iterator[Block]:
        """Ask whether the rest should go elsewhere, if it is time to."""
        here = self._here
        if here.must_wait and self.choice is None and not self.task.ended:
            # A lazy map of a function with effects runs item by item: settle once whether anything else is open to it.
            self._adopt(self._deciding.choose())
        self._compile(here.seconds, at_hand=True)
        yield from self._plan_the_rest()
        if self._elsewhere is None:
            self._compile(here.seconds)

    def _plan_the_rest(self) -> Iterator[Block]:
        here = self._here
        credible = here.credible or self.task.settings.eager
        too_early = not credible or here.seconds < self._look_at or self.task.source.watched or here.unclear
        if here.final or too_early or self.task.ended or not self._deciding.worth_it():
            return
        yield from self._deciding.look_closely()
        if self.task.ended or self._deciding.looks_again(choice := self._deciding.choose()):
            return
        if choice.plan.backend != "processes":
            self._compile(here.seconds)  # now: what reads the function would take the GIL from threads
        if patience := self.task.compiling.patience(choice.plan):
            self._look_at = here.seconds + patience
        if choice is self.choice and here.seconds >= self._look_at:
            self._adopt(choice)

    def _compile(self, seconds_spent: float, *, at_hand: bool = False) -> None:
        """Have the function compiled if that pays, and go on with it once it is."""
        compiling = self.task.compiling
        if compiling.dropped():
            self.task.fallbacks.append(f"left compiled code: {compiling.why_not}")
            self._go_on_with_another_function()
        if self.task.ended:
            return
        if self._here.credible or self._elsewhere is not None:
            compiling.consider(seconds_spent, may_wait=self._elsewhere is None, at_hand=at_hand)
        if compiling.adopt():
            self._go_on_with_another_function()

    def _go_on_with_another_function(self) -> None:
        """Use the function as it is now, compiled or not: what was measured of the other does not hold for it."""
        self._here.renew()
        self._here.final = False
        self._look_at = 0.0
        self._forget_the_other_function()
        pool = self._elsewhere
        if pool is not None and pool.plan.backend in ("threads", "dask"):
            pool.renew()
            self.plan = pool.plan
            return
        if pool is not None:
            self._leave("the function has been compiled, and its compiled code runs in this process")
        self.task.profile = Profile()
        self.plan = self.task.loop

    def _forget_the_other_function(self) -> None:
        """What was predicted and remembered of the function so far is no lesson about the one that is used now."""
        self._trials.end(self.task.items_done)
        self._earlier_trials += self._trials.trials
        self._trials = Trials(self.task.machine.now)
        self._deciding.relied_on, self._deciding.choice, self._checked = None, None, True
        self.task.another_function()

    def _adopt(self, choice: Choice) -> None:
        """Put a choice into force."""
        if choice.plan.backend != "serial":
            self._open(choice)
            return
        self._begin(choice)
        enough = EVIDENCE * (choice.plan.predicted or 0.0)
        few = self.task.profile.items < ENOUGH_FOR_A_WARNING or self._here.seconds < enough
        if few and could_hint(self.task.state, choice):
            # A first item that imports or connects, or a moment's stall, says little about the others: look again.
            self._look_at = enough
            return
        hint_where_it_hurts(self.task.state, choice)
        # Ask again when as much again has been spent: a drift in the input is then noticed at little cost.
        self._look_at = 2 * self._here.seconds
        priced = any(rival.plan.predicted is not None and not rival.hint for rival in choice.rejected)
        settled = self.task.settings.backend == "serial" or not priced
        self._here.final = settled and not self.task.compiling.pending

    def _begin(self, choice: Choice) -> None:
        self.experience = self._deciding.experience()
        self._put_in_force(choice.plan)

    def _open(self, choice: Choice) -> Elsewhere:
        """Go elsewhere."""
        self._begin(choice)
        self._elsewhere = Elsewhere(self.task, choice.plan, self._leave)
        self._elsewhere.unproven = guessed_share(self.task, choice, choice.plan)
        self._planned_for = 2 * self.task.source.taken
        return self._elsewhere

    def _take_over(self, pool: Elsewhere) -> Iterator[Block]:
        """Go on with what was started while the first item ran."""
        self._ahead.pool = None
        note_pool()
        yield from self._ahead.blocks
        if self._elsewhere is not pool:
            yield from self._run_elsewhere(pool)
        elif not self.task.ended:
            self._deciding.measure_sizes()
            self._refine(pool)

    def _run_elsewhere(self, pool: Elsewhere) -> Iterator[Block]:
        while self._elsewhere is pool:
            self.task.check_cancelled()
            pool.fill()
            if self.task.source.at_known and not self.task.ended and (block := self._known()):
                yield from block
                continue
            if not pool.busy:
                break
            if pool.fresh:
                pool.fresh = False  # and busy while the compiler's first part has the GIL of this process
                self._compile(self.task.worked)
                continue
            if pool.warming and not self.task.source.waits and self._help_pays():
                helped = self._here.run_slice(alone=False, seconds=HELP_SLICE)
                blocks = [*([helped] if helped is not None else []), *pool.ready()]
            else:
                unmeasured = self.task.profile.items == 0
                blocks = pool.wait()
                if unmeasured and self.task.profile.items and not self.task.ended:
                    self._refine(pool)
                self._check_first_results(pool)
                self._check_guess(pool)
            if self._longer_than_planned():
                self._refine(pool)
            if slower := pool.slower_than_the_loop():
                self._leave(slower, slow=True)
            else:
                self._compile(self.task.worked)
            if self._elsewhere is pool and not self.task.source.waits and not pool.waits_for_consumer:
                pool.fill()
            yield from blocks
        yield from pool.drain()
        if self._elsewhere is not pool:
            self._left_over.extend(pool.requeue)
            pool.close(interrupted=False)
            if self._known_better and not self._left_over and not self.task.ended:
                self._adopt(self._deciding.choose())
        self._known_better = False

    def _known(self) -> list[Block]:
        """Results that are there without running anything, if those are the next."""
        block = self.task.source.known(self.task.room(0.0, self.plan.workers))
        return [] if block is None else [block]

    def _longer_than_planned(self) -> bool:
        """An input of unknown length has given twice as many items as the plan was made for."""
        source = self.task.source
        if source.remaining is not None or source.taken < self._planned_for or self.task.profile.items == 0:
            return False
        self._planned_for = 2 * source.taken
        return True

    def _refine(self, pool: Elsewhere) -> None:
        """Let the plan of a pool that is open follow what is known by now."""
        choice = self._deciding.choose()
        if choice.plan.backend == pool.plan.backend:
            self._put_in_force(choice.plan)
            pool.adjust(choice.plan)

    def _help_pays(self) -> bool:
        """While workers start, the caller's thread may as well do short items itself."""
        task = self.task
        each = task.profile.seconds_per_item
        short = 0 < each < 5 * HELP_SLICE
        if not short or task.careful or task.demanded or task.ended or task.room(each, self.plan.workers) <= 0:
            return False
        return not (task.compiling.wants_the_gil or shows_overtaking(task.traits().report.effects))

    def _leave(self, reason: str, works: bool = False, slow: bool = False) -> None:
        """Return to the caller's thread at a chunk boundary; the next look may choose another way."""
        if self._elsewhere is None:
            return
        if not works:
            self._deciding.exclude(self.plan.backend, reason, slow=slow)
        self.task.fallbacks.append(f"left {self.plan}: {reason}")
        self._elsewhere = None
        self.plan = self.task.loop
        self._trials.end(self.task.items_done)
        self._here.final = False
        self._look_at = 0.0
        self.tell()

    def _end(self, interrupted: bool) -> None:
        task = self.task
        if self._elsewhere is not None:
            self._elsewhere.close(interrupted=interrupted)
        elif self.plan.backend == "serial":
            self.plan = replace(self.plan, compiler=task.loop.compiler)
        if task.compiling.dropped():
            task.fallbacks.append(f"left compiled code: {task.compiling.why_not}")
        self._trials.end(task.items_done)
        if not interrupted and not sys.is_finalizing():
            if {"serial", "processes"} <= {plan.backend for plan, _ in task.tried}:
                # They did travel; where that was found out on the way, the next map should know it beforehand.
                self._deciding.measure_sizes()
            self._note_missed_workers()
            teach(task, self._trials, self._deciding.relied_on)
            task.compiling.settle()
        task.sample_item = task.sample_result = None

    def _note_missed_workers(self) -> None:
        """Count what worker processes would have saved, had they been there: the next map may start them for it."""
        machine, choice = self.task.machine, self.choice
        if any(plan.backend == "processes" for plan, _ in self.task.tried):
            machine.missed = 0.0
        elif choice is not None and choice.with_workers is not None and choice.plan.predicted is not None:
            machine.missed += max(0.0, choice.plan.predicted - choice.with_workers)
