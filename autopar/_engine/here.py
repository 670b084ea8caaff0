"""The part of a map that runs in the caller's thread: the loop, in slices between two looks at the plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from autopar._backends.chunk import bind, run_chunk
from autopar._backends.said import Keeper
from autopar._engine import company
from autopar._engine.ahead import Ahead
from autopar._engine.blocks import Block
from autopar._engine.early import Early
from autopar._engine.task import MapTask, pools_used
from autopar._model.observation import Profile, Sample
from autopar._model.work import Chunk, Outcome
from autopar._observe.first_item import without, without_imports
from autopar._observe.meter import Meter
from autopar._observe.witness import Witness

FIRST_SLICE = 100e-6
LONGEST_SLICE = 10e-3
"""Seconds of items between two looks at the plan: from about 20 times what measuring a slice takes (5 us,
benchmarks/main_job.py) up to what a cold worker pool takes to start, doubling."""

HELP_SLICE = 3e-3
"""Seconds of items that run here at a time while workers start elsewhere."""

LAZY_LOOKAHEAD = 1e-3
"""Seconds of items that a lazy map may run ahead of its consumer, and one with a checkpoint ahead of its file."""

LAZY_TRIAL = 64
"""Items that a lazy map runs strictly one by one before it pays for looking at the function's effects."""

CREDIBLE_SLICE = 50e-6
"""Seconds of a slice from which its mean is believed: 10 times what measuring it takes (5 us,
benchmarks/main_job.py)."""

SHORTEST_ITEM = 20e-9
"""Seconds below which no call can be."""


class Here:
    """Runs items of a task in the caller's thread and measures them.

    Attributes
    ----------
    seconds
        Time spent on items here.
    final
        No plan is wanted any more: the rest may run in one go.
    credible
        The latest slice was long enough to plan on.
    unclear
        The first item, or a thread of autopar's own beside it, has changed the process: the next item tells.
    results
        The list of all results, for maps that give one; None for others.
    """

    def __init__(self, task: MapTask, ahead: Ahead) -> None:
        self.task = task
        self._ahead = ahead
        self.seconds = 0.0
        self.final = False
        self.credible = False
        self.results: list[Any] | None = None
        self._job = task.job(task.cores)
        self._call = bind(self._job)
        self._slice = FIRST_SLICE
        self._may_look_ahead: bool | None = None
        self.unclear = False
        self._alone = company.alone(task)

    def run_slice(self, *, alone: bool = True, seconds: float | None = None) -> Block | None:
        """Run the next few items as the loop would; None if there was none.

        ``alone`` says that nothing else of this program runs meanwhile, ``seconds`` bounds the slice.
        """
        task, source = self.task, self.task.source
        probing = task.profile.items == 0
        pools = pools_used.box[0]
        watching = source.watched
        count = 1 if probing or watching or self.unclear else self._size(seconds)
        start = source.taken
        if task.careful or probing or watching or self.unclear or task.compiling.form is not None:
            items = source.take(count)
            if not items:
                return None
            if watching:
                self._watch(items[0])
            chunk = Chunk(self._job, start, items)
            if probing:
                block, sample = self._run_first(chunk, alone)
            else:
                witness = self._witness(items[0]) if self.unclear else None
                compared, meter = task.compiling.comparing_seconds, Meter(task.machine.probe)
                block = self.run_chunk(chunk)
                sample = self._sample(meter, len(block.values), alone)
                sample = without(sample, task.compiling.comparing_seconds - compared)
                if witness is not None:
                    self._conclude(witness)
        else:
            meter = Meter(task.machine.probe)
            block = self._run_items(count)
            task.count(task.loop, block.end - start)
            if block.end == start and block.error is None:
                return None
            sample = self._sample(meter, block.end - start, alone)
        self._learn(sample, block.end - start)
        if pools_used.box[0] != pools and not self.final:
            self._run_the_rest_here()
        source.check_end()
        return block

    def _run_items(self, count: int) -> Block:
        """Run the next items by plain calls; their results go where they belong, if all before them are there."""
        task, source = self.task, self.task.source
        block = Block(source.taken, [])
        keeper = Keeper(block.values).start() if self._out_of_order else None
        place = self.results if keeper is None and len(self.results or ()) == block.start else None
        out = block.values if place is None else place
        error: BaseException | None = None
        try:
            source.run(self._call, count, out)
        except BaseException as raised:
            error = raised
        finally:
            if keeper is not None:
                block.emitted = keeper.stop()
        if place is not None:
            block.placed = len(place) - block.start
        if error is not None:
            block.error = error
            task.stop(block.end)
        return block

    def _run_first(self, chunk: Chunk, alone: bool) -> tuple[Block, Sample]:
        """The first item is watched in two ways: for what it changes, and for when the others need wait no longer."""
        task, item = self.task, chunk.items[0]
        task.see(item)
        self._take_compiled(item)
        task.sample_item = item
        witness = self._witness(item)
        with task.machine.beside(self._ahead) if self._ahead.worth_it() else nullcontext():
            compared, meter = task.compiling.comparing_seconds, Meter(task.machine.probe)
            modules = task.machine.modules()
            outcome = self._run(chunk)
            sample = self._sample(meter, len(outcome.values), alone)
            modules = task.machine.modules() - modules
            sample = without(sample, task.compiling.comparing_seconds - compared)
            sample = without_imports(sample, modules if self._ahead.imported is None else self._ahead.imported)
        # Not before the thread beside has ended: it counts what its pool has done.
        block = task.block_of(chunk, outcome, task.loop)
        if self._ahead.pool is not None:
            sample = replace(sample, process_cpu=None)
        task.sample_result = block.values[0] if block.values else None
        if witness is not None:
            self._conclude(witness)
        return block, sample

    def _take_compiled(self, item: Any) -> None:
        """Use the function's compiled form if it has one; where that is demanded nothing runs before it is there."""
        compiling = self.task.compiling
        if compiling.form is not None:
            return
        if compiling.demanded:
            compiling.demand(item)
            if compiling.why_not:
                raise self.task.not_compiled()
            self.renew()
        elif compiling.has_forms and compiling.take_up():
            self.renew()

    def renew(self) -> None:
        """Go on with the function as it is now: compiled, or not any more."""
        self._job = self.task.job(self.task.cores)
        self._call = bind(self._job)

    def go_on(self, begun: Early) -> None:
        """Count what ran before as if it had run here."""
        task, sample = self.task, begun.sample()
        task.see(begun.items[0])
        task.sample_item, task.sample_result = begun.items[0], begun.results[0]
        if begun.form is not None:
            task.compiling.go_on(begun.form)
            self.renew()
        task.count(task.loop, len(begun.results))
        if sample is not None:
            task.profile.add(sample)
            task.worked = self.seconds = sample.wall
            task.times.here(task.machine.now(), sample.wall, len(begun.results))
            self.credible = sample.wall >= CREDIBLE_SLICE
        if begun.nested:
            self._run_the_rest_here()
        task.source.check_end()

    def _run_the_rest_here(self) -> None:
        self.final = self.task.maps_inside = True
        self.task.fallbacks.append("its items map in parallel themselves, so they run one after the other")

    def run_strictly(self) -> Iterator[Block]:
        """The rest, each item when its result is asked for, at little more than the cost of its call."""
        task, source = self.task, self.task.source
        while not task.ended:
            block = Block(source.taken, [])
            try:
                source.run(self._call, 1, block.values)
            except BaseException as error:
                block.error = error
                task.stop(block.end)
            task.count(task.loop, len(block.values))
            source.check_end()
            if block.values or block.error is not None:
                yield block

    @property
    def strict(self) -> bool:
        """Every item waits for the consumer, and nothing remains to be decided."""
        task = self.task
        settled = self.final and task.lazy and not task.careful and task.cancel is None and not self._out_of_order
        return settled and self.must_wait

    @property
    def must_wait(self) -> bool:
        """A lazy map whose function was looked at, and has effects: no item may run before its result is asked for."""
        return self.task.lazy and self._may_look_ahead is False

    def run_chunk(self, chunk: Chunk) -> Block:
        """Run given items here."""
        return self.task.block_of(chunk, self._run(chunk), self.task.loop)

    def _run(self, chunk: Chunk) -> Outcome:
        return run_chunk(Chunk(self._job, chunk.start, chunk.items), keep=self._out_of_order)

    @property
    def _out_of_order(self) -> bool:
        """Items before these may still be under way, so what these say has to wait."""
        return self.task.scattered and self.task.ordered

    def _watch(self, item: Any) -> None:
        source = self.task.source
        source.watch(item)
        if source.reuses and not self.final:
            self.final = True
            self.task.fallbacks.append("the input hands out one object again and again: only the loop uses it in time")

    def _witness(self, item: Any) -> Witness | None:
        """Watch the first item that a function's first map runs for effects that its analysis could miss."""
        task = self.task
        if task.state.witnessed or task.settings.pure:
            return None
        task.state.witnessed = True
        args = item if task.source.star and isinstance(item, tuple) else (item,)
        return Witness(task.state.function, args, task.kwargs, task.state.reads())

    def _conclude(self, witness: Witness) -> None:
        """What was seen to change counts; what a thread of autopar's own may have changed is looked at once more."""
        state, again = self.task.state, self.unclear
        state.seen_effects += witness.changes()
        if again:
            state.seen_effects += witness.unclear
        self.unclear = bool(witness.unclear) and not again
        if self.unclear:
            state.witnessed = False

    def _sample(self, meter: Meter, items: int, alone: bool) -> Sample:
        return meter.sample(max(1, items), alone=alone and self._alone)

    def _learn(self, sample: Sample, items: int) -> None:
        task = self.task
        task.times.here(task.machine.now(), sample.wall, items)
        self.seconds += sample.wall
        task.worked += sample.wall
        if items:
            self.credible = sample.wall >= CREDIBLE_SLICE
            profile = task.profile
            if self.credible and profile.items <= items and sample.wall < items * profile.seconds_per_item / 2:
                # The first items paid for warming up; most of the rest will not.
                task.profile = Profile()
            task.profile.add(sample)
        self._slice = min(LONGEST_SLICE, 2 * self._slice)

    def _size(self, seconds: float | None) -> int:
        task = self.task
        ordered_taking = task.careful and not task.source.inert
        if (task.lazy or ordered_taking) and not self._look_ahead():
            return 1
        if task.source.reuses and task.careful:
            return 1
        remaining = task.source.remaining
        kept = task.settings.checkpoint is not None
        bounded = task.lazy or kept or task.deadline_at is not None
        one_go = self.final and not bounded and task.watch is None and task.cancel is None
        if one_go and remaining is not None:
            return max(1, remaining)
        each = max(task.profile.seconds_per_item, SHORTEST_ITEM)
        if seconds is None:
            seconds = LAZY_LOOKAHEAD if task.lazy or kept else self._slice
        size = max(1, int(seconds / each))
        return min(size, max(1, task.room(each, 1)))

    def _look_ahead(self) -> bool:
        """Whether items may run, or be taken, before the consumer asks: only if nobody can notice."""
        if self._may_look_ahead is None:
            if self.task.settings.pure:
                self._may_look_ahead = True
            elif self.task.profile.items < LAZY_TRIAL:
                return False
            else:
                found = self.task.traits()
                self._may_look_ahead = not found.report.effects and self.task.assumed is None
        return self._may_look_ahead
