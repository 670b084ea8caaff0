"""Asks the deciders: gathers what a planning may look at, and measures what is still missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from autopar._backends.chunk import run_chunk
from autopar._classify import classify
from autopar._engine.blocks import Block
from autopar._engine.task import MapTask
from autopar._model.nesting import nested_cores
from autopar._model.observation import Profile, Traits
from autopar._model.plan import Choice, Plan
from autopar._model.work import Chunk
from autopar._plan import (
    DEFAULT_COSTS,
    Situation,
    choose,
    gil_share_from_race,
    wants_gil_race,
    worth_planning,
)

RACERS = Plan(backend="threads", workers=2)

ASSUMED_SHARE = 0.2
"""GIL share of a function that calls what releases it, where it cannot be measured. A guess; the next map measures."""

COMPILED_GIL_SECONDS = 0.1e-6
"""Seconds of the GIL that an item of a compiled block takes for its way in and out (benchmarks/native)."""

SEEN_HAND_OVERS = 0.3
"""Share of the GIL hand-overs to be expected of two threads that compete, one in each switch interval, below which a
slow race says nothing about the GIL. Two busy loops showed 0.9 to 1.1 on two cores."""


class Deciding:
    """The plannings of one map.

    Attributes
    ----------
    choice
        The latest choice, or None while none was needed.
    excluded
        Backend -> what went wrong with it earlier in this map.
    """

    def __init__(self, task: MapTask) -> None:
        self.task = task
        self.choice: Choice | None = None
        self.excluded: dict[str, str] = {}

    def worth_it(self) -> bool:
        """Whether any plan could repay looking for it."""
        task = self.task
        each, source = task.profile.seconds_per_item, task.source
        return worth_planning(each, source.remaining, source.taken, task.host, task.settings)

    def choose(self) -> Choice:
        """Make a choice from what is known now."""
        self.choice = choose(self._situation())
        return self.choice

    def look_closely(self) -> Iterator[Block]:
        """Measure what a planning wants to know: sizes, and the GIL share by running some items on two threads."""
        self._inherit()
        self._measure_sizes()
        if wants_gil_race(self._situation()):
            yield from self._race()

    def _situation(self) -> Situation:
        task = self.task
        traits = task.traits()
        if task.compiling.form is not None:
            traits = replace(traits, gil_seconds=COMPILED_GIL_SECONDS)
        profile = task.profile if task.profile.items else self._earlier() or task.profile
        return Situation(
            traits=traits,
            workload=classify(traits, profile, task.host),
            profile=profile,
            host=task.host,
            settings=task.settings,
            remaining=task.source.remaining,
            seen=task.source.taken,
            cores=task.cores,
            threads=self._threads(traits),
            warm=task.machine.warm_workers(),
            forkable=task.machine.forkable(),
            excluded={**self.excluded, **task.compiling.excluded},
            compiler=task.loop.compiler,
            ordered=task.ordered,
        )

    def _threads(self, traits: Traits) -> int:
        """Threads for this map. Inside an item of another one, waits for the GIL or a core look like those of I/O."""
        inside = nested_cores.get() is not None
        waits = bool(traits.blocking_calls) or self.task.demanded
        return self.task.machine.threads_left() if not inside or waits else 0

    def _earlier(self) -> Profile | None:
        """What earlier maps over items of this type have learned."""
        return self.task.state.profiles.get(type(self.task.sample_item))

    def _inherit(self) -> None:
        earlier, profile = self._earlier(), self.task.profile
        if earlier is not None and profile.gil_share is None and not earlier.gil_share_assumed:
            profile.gil_share, profile.gil_share_why = earlier.gil_share, earlier.gil_share_why

    def _measure_sizes(self) -> None:
        """Learn from the first item and its result what sending them would cost."""
        task, profile = self.task, self.task.profile
        if profile.pickles is not None:
            return
        size = task.machine.pickled_size
        there, back = size((task.sample_item, task.kwargs)), size(task.sample_result)
        profile.bytes_in, profile.bytes_out = there.bytes, back.bytes
        profile.pickles = there.bytes is not None and back.bytes is not None
        profile.why_not_pickles = there.why_not or back.why_not

    def _assume_from_calls(self) -> None:
        """Where the machine is too busy to tell, calls that are known to release the GIL count as most of the work."""
        releasing = self.task.traits().releasing_calls
        if releasing:
            profile = self.task.profile
            profile.gil_share, profile.gil_share_assumed = ASSUMED_SHARE, True
            profile.gil_share_why = f"assumed: it calls {releasing[0]}, and the machine is too busy to measure it"

    def _race(self) -> Iterator[Block]:
        """Run two chunks on two threads at once and read off how much of their CPU time they shared."""
        task = self.task
        size = max(1, int(DEFAULT_COSTS.race_chunk / max(task.profile.seconds_per_item, 1e-9)))
        job = task.job(max(1, task.cores // 2))
        chunks = []
        for _ in range(RACERS.workers):
            start = task.source.taken
            if items := task.source.take(size):
                chunks.append(Chunk(job, start, items))
        if not all(task.fits(list(chunk.items)) for chunk in chunks):
            task.forget_types()
            for chunk in chunks:
                yield task.block_of(chunk, run_chunk(chunk), task.loop)
            return
        pool = task.machine.open(RACERS)
        for warmed_up in [pool.submit(Chunk(job, 0, [])) for _ in chunks]:
            warmed_up.result()
        futures = [pool.submit(chunk) for chunk in chunks]
        outcomes = [future.result() for future in futures]
        starts = [getattr(future, "started", 0.0) for future in futures]
        ends = [start + outcome.wall for start, outcome in zip(starts, outcomes, strict=True)]
        together = max(ends, default=0.0) - min(starts, default=0.0)
        for chunk, outcome in zip(chunks, outcomes, strict=True):
            task.worked += outcome.cpu
            yield task.block_of(chunk, outcome, RACERS)
        computed = sum(outcome.cpu for outcome in outcomes)
        if len(outcomes) == RACERS.workers and computed > 0 and task.stop_at is None:
            hand_overs = together / sys.getswitchinterval()
            if together > computed / 2 and sum(outcome.waits for outcome in outcomes) < SEEN_HAND_OVERS * hand_overs:
                # They lost time, but hardly ever waited for each other: other programs had the cores.
                self._assume_from_calls()
                return
            share = gil_share_from_race(computed, together, RACERS.workers)
            task.profile.gil_share = share
            task.profile.gil_share_why = f"{computed * 1e3:.3g} ms of work took {together * 1e3:.3g} ms on two threads"
