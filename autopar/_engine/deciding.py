"""Asks the deciders: gathers what a planning may look at, and measures what is still missing."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace

from autopar._backends.chunk import run_chunk
from autopar._classify import MULTITHREADED, classify
from autopar._engine import company
from autopar._engine.blocks import Block
from autopar._engine.candidates import seems_to_hold_the_gil
from autopar._engine.cluster import WORTH_LOOKING, configured, connected
from autopar._engine.lessons import SIDE_BY_SIDE, followed, gil_share_seen
from autopar._engine.machine import THIS_MACHINE, closed_ways, loading, warm_workers
from autopar._engine.memory import NEAR_SIZES
from autopar._engine.prices import costs_on
from autopar._engine.task import MapTask
from autopar._engine.together import Start, Together
from autopar._model.learned import Learned
from autopar._model.nesting import nested_cores
from autopar._model.observation import Profile, Sample, Traits
from autopar._model.plan import BACKENDS, Choice, Plan
from autopar._model.work import Chunk, Outcome
from autopar._model.workload import Kind
from autopar._observe.meter import Meter
from autopar._plan import (
    WORTH_A_CLUSTER,
    Race,
    Situation,
    best_race,
    choose,
    cold_start,
    second_look,
    worth_planning,
)
from autopar.errors import UnavailableError

ASSUMED_SHARE = 0.2
"""GIL share of a function that calls what releases it, where it cannot be measured. A guess; the next map measures."""

MOST_RACES = 2
"""Races before one planning: the first may show no more than that the items are shorter than those before."""

COMPILED_GIL_SECONDS = 0.1e-6
"""Seconds of the GIL that an item of a compiled block takes for its way in and out (benchmarks/native)."""

WORTH_TELLING = 1.1
"""Correction of a prediction from which a decision mentions it."""

FAR_OFF = 2.0
"""Factor by which the items before a race may have taken longer than those in it, and still count."""

CROWDED = 0.8
"""Share of all cores from which threads that items run by themselves are in each other's way. Unmeasured."""

FIRST_ANALYSIS = 12e-3
"""Seconds that the first analysis of a process takes, most of them for importing what analyses (``python -X
importtime``): computing on all cores must save more than that."""

_ANALYSIS = "autopar._effects.analysis"


class Deciding:
    """The plannings of one map.

    Attributes
    ----------
    choice
        The latest choice, or None while none was needed.
    excluded
        Backend -> what went wrong with it earlier in this map.
    relied_on
        What earlier maps learned, if a plan was made on that before the first item.
    """

    def __init__(self, task: MapTask) -> None:
        self.task = task
        self.choice: Choice | None = None
        self.excluded: dict[str, str] = {}
        self.relied_on: Learned | None = None
        self._looked_again = False

    def worth_it(self) -> bool:
        """Whether any plan could repay looking for it."""
        task, profile, source = self.task, self.task.profile, self.task.source
        # Where Linux counted no wait, what is missing on CPU time is what other programs took.
        computes = task.host.platform == "linux" and not profile.waits
        each = profile.cpu_per_item if computes else profile.seconds_per_item
        costs = costs_on(task.machine)
        if not worth_planning(each, source.remaining, source.taken, task.host, task.settings, costs):
            return False
        settings = task.settings
        asked = settings.backend or settings.compiler or settings.timed or settings.eager
        if asked or not computes or task.machine is not THIS_MACHINE:
            return True
        items = source.taken if source.remaining is None else source.remaining
        saved = items * each * (1.0 - 1.0 / task.cores) - costs.margin_seconds
        if _ANALYSIS not in sys.modules and saved <= FIRST_ANALYSIS:
            return False
        start = cold_start(costs, task.cores, task.cores, fork=True) + loading().get("processes", 0.0)
        return saved > start or not self._needs_workers()

    def _needs_workers(self) -> bool:
        """Nothing but worker processes that have to start could help, as far as can be told before an analysis.

        Of later maps more is known: what workers that were missing have cost.
        """
        task = self.task
        first = not task.state.memory.latest and task.compiling.form is None
        if not first or not task.host.gil or warm_workers().get("processes"):
            return False
        return seems_to_hold_the_gil(task.state.function)

    def choose(self, profile: Profile | None = None) -> Choice:
        """Make a choice from what is known now.

        ``profile`` tells of an item that still runs, so that one item more than those to come is under way.
        """
        if self.task.settings.backend == "dask":
            self.task.look_at_cluster()
        self.choice = self._chosen(profile)
        if self._cluster_may_pay(self.choice):
            try:
                self.task.look_at_cluster()
            except UnavailableError as error:
                self.excluded["dask"] = str(error)
            self.choice = self._chosen(profile)
        return self.choice

    def _cluster_may_pay(self, choice: Choice) -> bool:
        """A cluster is configured that nobody has looked at yet, and what is left is long against a look."""
        task, seconds = self.task, choice.plan.predicted
        if task.cluster is not None or "dask" in self.excluded or not configured(task.settings):
            return False
        if seconds is None or task.settings.eager:
            return task.settings.eager
        return seconds > (WORTH_LOOKING if connected(task.settings) else WORTH_A_CLUSTER)

    def _chosen(self, profile: Profile | None) -> Choice:
        situation = self._situation()
        if profile is not None:
            task, remaining = self.task, situation.remaining
            situation = replace(
                situation,
                profile=profile,
                workload=classify(situation.traits, profile, task.host),
                remaining=None if remaining is None else remaining + 1,
            )
        choice = choose(situation)
        if choice.plan.backend == "dask" and situation.cluster is not None:
            choice = replace(choice, notes=(*choice.notes, *situation.cluster.notes))
        return choice

    def choose_from_memory(self) -> Choice | None:
        """A choice before the first item, if what earlier maps learned of such items carries it; else None.

        Where the loop is the answer, or something is still to be measured, it is better found on the way.
        """
        task = self.task
        learned = self._learned_before()
        if learned is None or not self._still_holds(learned):
            return None
        task.profile = learned.facts.profile()
        situation = self._situation()
        choice = self.choose() if best_race(situation) is None else None
        blind = choice is not None and not BACKENDS[choice.plan.backend].same_process and learned.facts.pickles is None
        if choice is None or blind or choice.plan.backend == "serial":
            task.profile, self.choice = Profile(), None
            return None
        self.choice, self.relied_on = choice, learned
        return choice

    def _learned_before(self) -> Learned | None:
        """What is known of such items, if a plan could repay looking for it.

        Of an input that nobody knows the end of, and for a consumer who may stop, only what waits is begun on trust,
        and only if nothing of it is to be found outside: by a server that is asked in vain, or by the input's own code.
        """
        task, memory, source = self.task, self.task.state.memory, self.task.source
        remaining, whole = source.remaining, source.inert and not task.lazy
        items = 2 if remaining is None else remaining
        if items < 2 or task.profile.items or source.waits or (source.star and not whole):
            return None
        costs = costs_on(task.machine)
        if not worth_planning(memory.longest_item(), items, items, task.host, task.settings, costs):
            return None
        first = source.peek()
        if not first:
            return None
        if not (source.inert or source.goes_on_unchanged(first[0])):
            return None
        task.see(first[0])
        if not whole:
            task.sample_item = first[0]  # whose size is part of the key, where the others cannot be looked at
            if task.traits().outside_calls or task.traits().report.effects:
                return None
        learned = memory.recall(task.key, within=NEAR_SIZES)
        if learned is None or not learned.trusted or (learned.facts.computes and not whole):
            return None
        worth = worth_planning(learned.facts.seconds, items, items, task.host, task.settings, costs)
        return learned if worth else None

    def _still_holds(self, learned: Learned) -> bool:
        """The code below the function is what it was, and an item of it was watched for effects that nobody saw."""
        task, state = self.task, self.task.state
        task.traits()
        if not learned.followed or learned.followed != followed(task):
            return False
        if not (state.witnessed or task.settings.pure):
            state.witnessed = learned.clean
        return state.witnessed or task.settings.pure

    def look_closely(self) -> Iterator[Block]:
        """Measure what a planning wants to know: sizes, and the GIL share by running some items on two threads."""
        self._inherit()
        self.measure_sizes()
        held = ""
        for _ in range(MOST_RACES):
            if self.task.ended:
                break
            race = best_race(self._situation())
            if race is None:
                return  # after one that looked like the GIL, the first chunks on threads will tell
            yield from self._run(race)
            profile = self.task.profile
            if profile.gil_share == 1.0 and not held and self.task.traits().releasing_calls:
                # It calls what releases the GIL, and two threads that share a core for a moment look as if it did not.
                held, profile.gil_share = profile.gil_share_why, None
            elif profile.gil_share is not None:
                return
        if held:
            self.task.profile.gil_share, self.task.profile.gil_share_why = 1.0, held

    def looks_again(self, choice: Choice) -> bool:
        """Whether a second item is worth more than the time that the others wait for it.

        Not where an earlier map has seen items like the first one.
        """
        task, profile = self.task, self.task.profile
        if profile.items != 1 or self._looked_again:
            return False
        earlier = task.remembered
        if earlier is not None and profile.seconds_per_item < FAR_OFF * earlier.seconds_per_item:
            return False
        self._looked_again = second_look(self._situation(), choice.plan)
        return self._looked_again

    def exclude(self, backend: str, because: str, *, slow: bool = False) -> None:
        """Take a backend no more in this map; what is slow on one kind of worker process is so on all."""
        alike = [name for name, spec in BACKENDS.items() if not spec.same_process and name != "dask"]
        for name in alike if slow and backend in alike else ():
            self.excluded.setdefault(name, because)
        self.excluded[backend] = because

    def _situation(self) -> Situation:
        task = self.task
        traits = task.traits()
        form = task.compiling.form
        if form is not None and not form.holds_gil:
            traits = replace(traits, gil_seconds=COMPILED_GIL_SECONDS)
        profile = task.profile if task.profile.items else task.remembered or task.profile
        closed = closed_ways(task.settings.backend) if task.machine is THIS_MACHINE else {}
        return Situation(
            traits=traits,
            workload=classify(traits, profile, task.host),
            profile=profile,
            host=task.host,
            settings=task.settings,
            remaining=task.source.remaining,
            seen=max(task.source.taken, 1 if profile.items else 0),
            cores=task.cores,
            threads=self._threads(traits),
            warm=task.machine.warm_workers(),
            forkable=task.machine.forkable(),
            forks=task.machine is THIS_MACHINE and "multiprocessing" not in closed,
            excluded={**closed, **self.excluded, **task.compiling.excluded},
            compiler=task.loop.compiler,
            ordered=task.ordered,
            costs=costs_on(task.machine),
            corrections=self._corrections(),
            loading=loading() if task.machine is THIS_MACHINE else {},
            missed=task.machine.missed,
            cluster=task.cluster,
        )

    def correction(self, plan: Plan) -> float:
        """What a plan's prediction was multiplied by."""
        return self._corrections().get(plan.backend, 1.0) if plan.predicted is not None else 1.0

    def experience(self) -> tuple[str, ...]:
        """What earlier outcomes did to the predictions, in words."""
        known = self.task.state.memory.recall(self.task.key)
        ways = () if known is None else known.ways
        return tuple(
            f"{way.backend} took {math.exp(way.log_ratio):.2g} times what their prices say in {way.maps} earlier "
            f"map{'s' if way.maps > 1 else ''}: such a prediction is multiplied by {way.factor:.2g}"
            for way in ways
            if way.outcomes and not 1 / WORTH_TELLING < way.factor < WORTH_TELLING
        )

    def _corrections(self) -> dict[str, float]:
        known = self.task.state.memory.recall(self.task.key)
        return {} if known is None else known.corrections

    def _threads(self, traits: Traits) -> int:
        """Threads for this map. Inside an item of another one, waits for the GIL or a core look like those of I/O."""
        inside = nested_cores.get() is not None
        waits = bool(traits.blocking_calls) or self.task.demanded
        return self.task.machine.threads_left() if not inside or waits else 0

    def _inherit(self) -> None:
        earlier, profile = self.task.remembered, self.task.profile
        known = self.task.state.memory.recall(self.task.key)
        if known is not None and known.race_again:
            return
        if earlier is not None and profile.gil_share is None and not earlier.gil_share_assumed:
            profile.gil_share, profile.gil_share_why = earlier.gil_share, earlier.gil_share_why

    def measure_sizes(self) -> None:
        """Learn from the first item and its result what sending them would cost."""
        task, profile = self.task, self.task.profile
        if profile.pickles is not None:
            return
        size = task.machine.pickled_size
        there, back = size((task.sample_item,)), size(task.sample_result)
        named = size((task.kwargs,)) if task.kwargs else there
        profile.bytes_in, profile.bytes_out = there.bytes, back.bytes
        profile.objects = there.objects + back.objects
        profile.bytes_shared = task.machine.shared_size([*task.state.carried(), *task.kwargs.values()])
        profile.pickles = None not in (there.bytes, back.bytes)
        profile.why_not_pickles = there.why_not or back.why_not
        profile.job_pickles, profile.why_not_job_pickles = named.bytes is not None, named.why_not

    def _assume_from_calls(self) -> None:
        """Where the machine is too busy to tell, calls that are known to release the GIL count as most of the work."""
        releasing = self.task.traits().releasing_calls
        if releasing:
            profile = self.task.profile
            profile.gil_share, profile.gil_share_assumed = ASSUMED_SHARE, True
            profile.gil_share_why = f"assumed: it calls {releasing[0]}, and the machine is too busy to measure it"

    def _run(self, race: Race) -> Iterator[Block]:
        """Run chunks on several threads at once and read off how much of their CPU time they shared."""
        task, threads, size = self.task, race.threads, race.size
        racers = Plan(backend="threads", workers=threads)
        job = task.job(max(1, task.cores // threads))
        chunks = []
        for _ in range(threads):
            start = task.source.taken
            if items := task.source.take(size):
                chunks.append(Chunk(job, start, items))
        if not all(task.fits(list(chunk.items)) for chunk in chunks):
            for chunk in chunks:
                yield task.block_of(chunk, run_chunk(chunk), task.loop)
            return
        alone = company.alone(task)
        pool = task.machine.open(racers)
        for warmed_up in [pool.submit(Chunk(job, 0, [])) for _ in chunks]:
            warmed_up.result()
        together = Start(len(chunks))
        meter = Meter(task.machine.probe)
        futures = [pool.submit(replace(chunk, items=Together(chunk.items, together))) for chunk in chunks]
        outcomes = [future.result() for future in futures]
        meanwhile = meter.sample(1, alone=alone)
        # Before the blocks leave, for the list of all results may grow in one of theirs.
        count = sum(len(outcome.values) for outcome in outcomes)
        for chunk, outcome in zip(chunks, outcomes, strict=True):
            task.worked += outcome.cpu
            yield task.block_of(chunk, outcome, racers)
        starts = [getattr(future, "started", 0.0) for future in futures]
        ends = [start + outcome.wall for start, outcome in zip(starts, outcomes, strict=True)]
        if len(outcomes) > 1 and task.stop_at is None:
            others = None if meanwhile.process_cpu is None else meanwhile.process_cpu - meanwhile.cpu
            self._judge_race(outcomes, count, covered(starts, ends), others)

    def _judge_race(
        self, outcomes: list[Outcome], items: int, seconds: float, process_cpu: float | None = None
    ) -> None:
        """Learn from chunks that ran side by side, so many seconds in all, in which the process had so much CPU time.

        What the items took shows in any case, and whether they run threads of their own. Where these keep all cores
        busy, the items have lost time to one another that says nothing of the GIL.
        """
        ran = sum(outcome.wall for outcome in outcomes)
        cpu = sum(outcome.cpu for outcome in outcomes)
        profile = self.task.profile
        waits = items * self._wait_per_item()
        done = min(ran, cpu + waits)
        if done <= 0:
            return
        own_waits = items * profile.waits_per_item
        if items * profile.seconds_per_item > FAR_OFF * done:
            # The items before were no measure, like a first one that imports something.
            profile.forget_times()
        many, cores = process_cpu is not None and process_cpu > MULTITHREADED * cpu, self.task.host.cores
        threads_of_its_own = min(process_cpu or 0.0, cores * done) if many else None
        profile.add(Sample(items, done, cpu, threads_of_its_own, waits=round(own_waits)))
        crowded = many and (process_cpu or 0.0) > CROWDED * cores * seconds
        if crowded or ran < SIDE_BY_SIDE * seconds:
            return
        waited = sum(outcome.waits for outcome in outcomes) - own_waits
        share = gil_share_seen(ran, done, seconds, waited, items / len(outcomes))
        if share is None:
            self._assume_from_calls()
            return
        profile.gil_share = share
        profile.gil_share_why = f"{done * 1e3:.3g} ms of work took {seconds * 1e3:.3g} ms on {len(outcomes)} threads"

    def _wait_per_item(self) -> float:
        """Seconds of an item that are its own waits, and not those for a core or the GIL."""
        workload = classify(self.task.traits(), self.task.profile, self.task.host)
        return 0.0 if workload.kind is Kind.CPU else workload.wait_per_item


def covered(starts: list[float], ends: list[float]) -> float:
    """Length of the time in which at least one of several stretches is under way.

    Examples
    --------
    >>> covered([0.0, 1.0, 5.0], [2.0, 3.0, 6.0])
    4.0
    """
    total, until = 0.0, -math.inf
    for start, end in sorted(zip(starts, ends, strict=True)):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
