"""From one map to its lesson: what its items took, and how each of its plans turned out against its prediction."""

from __future__ import annotations

import math
import sys
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autopar._model.decision import Trial
from autopar._model.learned import COMPILED_BY, SAME_WORK, ItemFacts, Learned, Lesson, ProfileKey, Run
from autopar._model.observation import Profile, Sample
from autopar._model.plan import BACKENDS, Choice, Plan
from autopar._model.work import Outcome
from autopar._observe.identity import codes_digest, size_class, type_names
from autopar._plan import LEAST_RACE, gil_share_from_race

if TYPE_CHECKING:
    from autopar._engine.task import MapTask

WORTH_NOTING = 5e-3
"""Seconds of a map below which its lesson is not worth what noting it takes (100 us): no plan pays for less either."""

OFF_BY = 3.0
"""Items that take so many times more or less than a stored profile says end the trust in it."""

TRIPS_KEPT = 64

FIRST_RESULTS, FIRST_SECONDS = 4, 5e-3
"""Items, and seconds of their work, after which a stored profile is checked."""


MANY_MORE = 8
"""Waiting items on a pool from which their mean says more than the first one that ran alone."""


BUSY_WORKERS = 0.6
"""Share of their time that worker processes spend on items from which nothing is lost around these."""

SEEN_HAND_OVERS = 0.3
"""Share of the GIL hand-overs to be expected of two threads that compete, one in each switch interval, below which
slow threads say nothing about the GIL. Two busy loops showed 0.9 to 1.1 on two cores."""

LOST_TO_NOISE = 0.15
"""Share of their time that threads lose to the clock's noise and other programs, and not to one another; as much as
:func:`~autopar._plan.gil_share_from_race` rounds away."""

CHUNKS_SEEN, HAND_OVERS_SEEN = 4, 4
"""Chunks of each thread from which those under way, of which nothing is known yet, weigh less than what a race rounds
away; and switch intervals in which threads that compete for the GIL meet often enough to be told from others."""

MOSTLY_HELD = 0.5
"""Share of the GIL that two stretches of time have to show of a function that calls what is known to release it. The
first one on new threads looked so (0.54 to 1.0) with ``numpy-sort`` of benchmarks/regret, of which threads are nearly
twice as fast as the loop. The limit is a guess."""

SIDE_BY_SIDE, TURN_BY_TURN = 1.2, 0.8
"""Mean number of threads at work below which nothing shows of the GIL, for the chunks ran one after another; and above
which several threads that did so waited for one another, and not for chunks: 0.95 to 0.99 with ``numpy-small`` of
benchmarks/regret."""


def gil_share_seen(ran: float, done: float, seconds: float, waited: float, in_a_row: float = math.inf) -> float | None:
    """GIL share out of what threads that computed side by side lost to one another; None where it does not show.

    Parameters
    ----------
    ran, done
        Seconds of the threads at their chunks, and of these what the items took by themselves.
    seconds
        From the first start to the last end.
    waited
        Voluntary context switches beyond those of the items.
    in_a_row
        Items that each thread ran one after another.
    """
    if done <= 0 or ran < SIDE_BY_SIDE * seconds:
        return None
    if ran - done > LOST_TO_NOISE * ran and waited < SEEN_HAND_OVERS * seconds / sys.getswitchinterval():
        return None  # They lost time, but hardly ever waited for each other: other programs had the cores.
    return gil_share_from_race(done, seconds, ran / seconds, in_a_row)


def guessed_share(task: MapTask, choice: Choice, plan: Plan) -> bool:
    """Whether a plan for threads rests on a guess at the share of the GIL."""
    guessed = choice.workload.gil_share is None or task.profile.gil_share_assumed
    return guessed and plan.backend == "threads" and not task.demanded


class SideBySide:
    """What the chunks of a map on several threads have lost to one another so far."""

    def __init__(self) -> None:
        self._again = False
        self._clear()

    def _clear(self) -> None:
        self._by: Counter[Hashable] = Counter()
        self._began, self._ended = math.inf, 0.0
        self._chunks = self._items = self._waits = 0
        self._ran = self._cpu = 0.0

    def add(self, started: float | None, outcome: Outcome, worker: Hashable = None) -> None:
        """Take in one chunk, and who ran it."""
        if started is None or not outcome.values:
            return
        wall = outcome.wall
        ended = started + wall
        if started < self._began:
            self._began = started
        if ended > self._ended:
            self._ended = ended
        self._by[worker] += 1
        self._chunks += 1
        self._items += len(outcome.values)
        self._waits += outcome.waits
        self._ran += wall
        self._cpu += outcome.cpu

    def gil_share(self, workers: int, waits_per_item: float, *, releases: bool = False) -> float | None:
        """Share of the GIL in what items that only compute have taken; None while too little is seen.

        Of what calls something that ``releases`` it a large share must show twice.
        """
        seconds = self._ended - self._began
        if self._chunks < CHUNKS_SEEN * workers or seconds < HAND_OVERS_SEEN * sys.getswitchinterval():
            return None
        waited = self._waits - self._items * waits_per_item
        if self._took_turns(seconds):
            return 1.0
        share = gil_share_seen(self._ran, self._cpu, seconds, waited, self._items / self._chunks)
        if releases and not self._again and share is not None and share > MOSTLY_HELD:
            self._again = True
            self._clear()
            return None
        return share

    def _took_turns(self, seconds: float) -> bool:
        """At each moment one of them had a chunk, and hardly ever two: a chunk is over before the GIL changes hands."""
        several = sum(chunks >= CHUNKS_SEEN for chunks in self._by.values()) > 1
        return several and TURN_BY_TURN * seconds < self._ran < SIDE_BY_SIDE * seconds

    def __str__(self) -> str:
        return f"{self._cpu * 1e3:.3g} ms of work took {(self._ended - self._began) * 1e3:.3g} ms"


def learn_gil_share(task: MapTask, workers: int, items: int, ran: float, done: float, seconds: float) -> None:
    """Note the share for the next map, if threads that computed side by side for long enough have shown it."""
    if items < 4 * workers or seconds < LEAST_RACE:
        return
    profile = task.profile
    waits = task.on_pool.waits - items * profile.waits_per_item
    profile.gil_share = gil_share_seen(ran, done, seconds, waits)
    if profile.gil_share is not None:
        profile.gil_share_why = f"{done:.3g} s of work took {seconds:.3g} s on {workers} threads"


def seconds_on_trust(task: MapTask) -> float:
    """Ten times an item's seconds by earlier maps: first chunks, a tenth of others, tell what they take now."""
    compiling, latest = task.compiling, list(task.state.memory.latest.values())
    known = [compiling.seconds] if compiling.form is not None else [each.seconds_per_item for each in latest]
    return 10 * max(known, default=0.0)


def slower_than_the_loop(task: MapTask, plan: Plan, items: int, ran: float, done: float, seconds: float) -> str:
    """What shows that items on a pool take longer than in the loop, or an empty string."""
    free = not task.demanded and task.settings.timeout is None and not task.settings.eager
    if not free or items < 4 * plan.workers or seconds <= 0.2:
        return ""
    if not BACKENDS[plan.backend].same_process and ran > BUSY_WORKERS * plan.workers * seconds:
        return ""  # All the time went into the items: they are as slow as the machine is busy, here as there.
    # What these items took of a core tells what the loop would have needed, on a machine as busy as it was.
    share = task.profile.cpu_share
    if share <= 0 or seconds < 1.25 * done / share + 0.1:
        return ""
    return f"slower than the loop: {items} items took {seconds:.3g} s for {done:.3g} s of work"


class OnPool:
    """What items took on pools, as far as their outcomes tell.

    Attributes
    ----------
    items, wall, cpu, waits
        Sums over outcomes.
    dispatches
        Seconds that the newest chunks were on their way.
    cold
        When pools without any worker were opened, with how many, and whether these could be forked.
    steady
        Workers, items and seconds of pools after their first result.
    """

    def __init__(self) -> None:
        self.items = 0
        self.wall = self.cpu = 0.0
        self.waits = 0
        self.dispatches: deque[float] = deque(maxlen=TRIPS_KEPT)
        self.cold: list[tuple[float, int, bool]] = []
        self.steady: list[tuple[int, int, float]] = []

    def add(self, outcome: Outcome) -> None:
        """Take in one chunk."""
        self.items += len(outcome.values)
        self.wall += outcome.wall
        self.cpu += outcome.cpu
        self.waits += outcome.waits
        if outcome.dispatch is not None:
            self.dispatches.append(outcome.dispatch)

    @property
    def enough(self) -> bool:
        """Whether a first judgement can be made."""
        return self.items >= FIRST_RESULTS or (self.items > 0 and self.wall >= FIRST_SECONDS)

    def scale(self, facts: ItemFacts) -> float:
        """Work of these items over what was assumed of them; 1 where that cannot be told.

        On a pool the CPU time of computing items is their own. The wall time of waiting ones grows with the number
        under way, so that only a shorter one says something about the items.
        """
        if not self.items:
            return 1.0
        if facts.computes:
            return self.cpu / self.items / facts.cpu
        return min(1.0, self.wall / self.items / facts.seconds) if facts.seconds > 0 else 1.0

    def better(self, facts: ItemFacts) -> ItemFacts:
        """What the first items showed, less what only they had to do, such as an import or a connection."""
        if self.items < MANY_MORE:
            return facts
        if facts.computes:
            # What computes takes longer beside others, and never less: the first items were no measure.
            least = min(1.0, self.cpu / self.items / facts.cpu)
            if least * OFF_BY > 1.0:
                return facts
            return replace(facts, cpu=least * facts.cpu, seconds=least * facts.seconds)
        return replace(
            facts, cpu=min(facts.cpu, self.cpu / self.items), seconds=min(facts.seconds, self.wall / self.items)
        )

    def profile(self, workers: int, earlier: Profile) -> Profile:
        """These items as a profile; what does not show in their times is as it was."""
        profile = ItemFacts.of(earlier).profile()
        profile.forget_times()
        profile.add(Sample(self.items, self.wall, self.cpu, None, self.waits, workers))
        return profile


class Trials:
    """The plans of a map as they follow one another, each with what was predicted and what came."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._done: list[tuple[Trial, float]] = []
        self._open: tuple[Plan, int, int, float, float] | None = None

    def begin(self, plan: Plan, done: int, left: int | None, correction: float = 1.0) -> None:
        """A plan comes into force, with so many items done and left; its prediction was multiplied by a correction."""
        if self._open is not None and self._open[0].backend == plan.backend == "serial":
            return  # the loop goes on
        self.end(done)
        self._open = plan, done, left or 0, self._now(), correction

    def end(self, done: int) -> None:
        """The plan in force ends."""
        if self._open is None:
            return
        plan, before, left, started, correction = self._open
        self._open = None
        items = done - before
        if items <= 0:
            return
        predicted = None if plan.predicted is None or not left else plan.predicted * items / left
        self._done.append((Trial(plan, items, self._now() - started, predicted), correction))

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Those that have ended."""
        return tuple(trial for trial, _ in self._done)

    def runs(self, scale: float) -> tuple[Run, ...]:
        """What they say of the prices: predictions as the prices alone would have made them for the work that came."""
        work = scale if not 1 / SAME_WORK < scale < SAME_WORK else 1.0
        return tuple(
            Run(
                trial.plan.backend,
                trial.plan.compiler,
                trial.plan.workers,
                trial.items,
                trial.actual,
                None if trial.predicted is None else trial.predicted / correction * work,
            )
            for trial, correction in self._done
        )


def key_of(task: MapTask) -> ProfileKey:
    """Under which name a map's items are remembered; once its first item is known."""
    types = task.types
    names = "" if types is None else type_names(types.positional, types.keyword)
    if task.loop.compiler != "python":
        names = f"{names}{COMPILED_BY.format(task.loop.compiler)}"
    items: list[Any] = task.source.some() or [task.sample_item]
    return ProfileKey(task.state.memory.code, names, size_class(items, star=task.source.star))


def lesson_of(task: MapTask, key: ProfileKey, trials: Trials, relied_on: Learned | None, *, comparable: bool) -> Lesson:
    """What a map teaches; of its plans only if they can be compared with what was predicted of them."""
    facts = task.on_pool.better(ItemFacts.of(task.profile))
    state = task.state
    # What was assumed when the plan was made: by memory, or from the items that ran alone just before.
    scale = task.on_pool.scale(facts if relied_on is None else relied_on.facts)
    runs = trials.runs(scale) if comparable else ()
    return Lesson(
        key=key,
        function=state.name,
        time=task.started_unix,
        facts=facts if relied_on is None else None,
        alone=task.settings.backend in (None, "serial") and not task.settings.timed,
        scale=1.0 if relied_on is None else scale,
        best_concurrency=task.profile.best_concurrency,
        runs=tuple(run for run in runs if run.backend != "serial"),
        followed=followed(task),
        clean=state.witnessed and not state.seen_effects,
    )


def followed(task: MapTask) -> str:
    """Digest of all code that the analysis of the function followed, or an empty text while it was not analysed."""
    codes = task.state.followed_codes()
    return "" if codes is None else codes_digest(codes)


def surprise(seen: OnPool, facts: ItemFacts, origin: str) -> str:
    """In which way the first results are not what a plan was made for, or an empty text; ``origin`` is who said so."""
    scale = seen.scale(facts)
    return "" if 1 / OFF_BY < scale < OFF_BY else f"items take {scale:.2g} times what {origin} had shown"
