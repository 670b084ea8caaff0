"""What earlier maps have taught about a function: what its items take, and how each way of running them turned out.

Everything is an exponentially weighted mean over maps, so that it follows a change and forgets what was long ago. A
:class:`Lesson` is what one map adds; :meth:`Learned.after` takes it in, so that several processes can teach one record.
"""

from __future__ import annotations

import math
from dataclasses import replace

from autopar._model.light_dataclass import dataclass
from autopar._model.observation import Profile

NEW_SHARE = 0.3
"""Weight of the newest map: after two more, half of the figure is new. Unmeasured: a convention between following a
change and being thrown by one busy moment."""

SAME_WORK = 2.0
"""Items on a pool whose work differs by less than this factor from what was assumed count as the same items: shared
caches and cores alone stretch CPU time by up to that."""

FADING = 0.9
"""What a map leaves of the correction of each way that it did not take: after seven of them, half. So a way that did
badly at a busy moment gets another chance."""

FURTHEST_FACTOR = 4.0
"""Most by which earlier outcomes correct a prediction."""

SHORTEST_OUTCOME = 5e-3
"""Seconds of a run below which it says nothing about the prediction: the size of hick-ups on a busy machine."""

HELD = 0.5
"""GIL share from which two threads gain less than a third."""

MAPS_ON_TRUST = 16
"""Maps that may rely on what earlier ones learned before one measures its items alone again. Unmeasured."""

_WEIGHT, _RUNS = 100, 4
"""Items and runs that facts stand for when they become a profile: believed, yet soon outweighed by new ones."""


COMPILED_BY = " as {} code"
"""What follows the names of the argument types where compiled code ran the items."""


@dataclass(frozen=True, slots=True)
class ProfileKey:
    """What a record is about.

    Attributes
    ----------
    code
        Digest of the function's name and code.
    types
        Names of the argument types.
    size
        Logarithm, to base 2, of a typical item's size or magnitude.
    """

    code: str
    types: str
    size: int

    @property
    def compiled(self) -> bool:
        """The items ran as compiled code."""
        return self.types.endswith(COMPILED_BY.rpartition("}")[2])


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What an item takes, in seconds and bytes a piece; the fields mean what they mean in a :class:`Profile`."""

    seconds: float
    cpu: float
    spread: float = 0.0
    slowest: float = 0.0
    waits: float = 0.0
    cores: float | None = None
    bytes_in: float | None = None
    bytes_out: float | None = None
    pickles: bool | None = None
    why_not_pickles: str = ""
    gil_share: float | None = None
    gil_share_why: str = ""
    gil_share_assumed: bool = False
    best_concurrency: int | None = None
    bytes_shared: float | None = None
    objects: float | None = None

    @classmethod
    def of(cls, profile: Profile) -> ItemFacts:
        """The means of a profile that has items."""
        inside = profile.cores_per_item if profile.process_wall else None
        return cls(
            seconds=profile.seconds_per_item,
            cpu=profile.cpu_per_item,
            spread=profile.spread,
            slowest=profile.slowest,
            waits=profile.waits_per_item,
            cores=inside,
            bytes_in=profile.bytes_in,
            bytes_out=profile.bytes_out,
            bytes_shared=profile.bytes_shared,
            objects=profile.objects,
            pickles=profile.pickles,
            why_not_pickles=profile.why_not_pickles,
            gil_share=profile.gil_share,
            gil_share_why=profile.gil_share_why,
            gil_share_assumed=profile.gil_share_assumed,
            best_concurrency=profile.best_concurrency,
        )

    def profile(self) -> Profile:
        """A new profile with these means."""
        profile = Profile(
            items=_WEIGHT,
            runs=_RUNS,
            wall=self.seconds * _WEIGHT,
            cpu=self.cpu * _WEIGHT,
            waits=round(self.waits * _WEIGHT),
            slowest=self.slowest,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            bytes_shared=self.bytes_shared,
            objects=self.objects,
            pickles=self.pickles,
            why_not_pickles=self.why_not_pickles,
            gil_share=self.gil_share,
            gil_share_why=self.gil_share_why,
            gil_share_assumed=self.gil_share_assumed,
            best_concurrency=self.best_concurrency,
            _mean=self.seconds,
            _m2=self.spread**2 * (_RUNS - 1),
        )
        if self.cores is not None:
            profile.process_wall = self.seconds * _WEIGHT
            profile.process_cpu = self.cores * profile.process_wall
        return profile

    @property
    def computes(self) -> bool:
        """More than half of an item's time is CPU time."""
        return self.cpu > self.seconds / 2

    def scaled(self, factor: float) -> ItemFacts:
        """The same for items with so much more work."""
        return replace(
            self,
            seconds=self.seconds * factor,
            cpu=self.cpu * factor,
            spread=self.spread * factor,
            slowest=self.slowest * factor,
        )

    def after(self, new: ItemFacts) -> ItemFacts:
        """Blend in what a newer map measured; what it did not measure stays."""

        def blend(before: float, now: float) -> float:
            return before + NEW_SHARE * (now - before)

        better_share = new.gil_share is not None and (not new.gil_share_assumed or self.gil_share is None)
        share = new if better_share else self
        sizes = new if new.pickles is not None else self
        return ItemFacts(
            seconds=blend(self.seconds, new.seconds),
            cpu=blend(self.cpu, new.cpu),
            spread=blend(self.spread, new.spread),
            slowest=max(blend(self.slowest, new.slowest), new.slowest),
            waits=blend(self.waits, new.waits),
            cores=self.cores if new.cores is None else new.cores,
            bytes_in=sizes.bytes_in,
            bytes_out=sizes.bytes_out,
            bytes_shared=sizes.bytes_shared,
            objects=sizes.objects,
            pickles=sizes.pickles,
            why_not_pickles=sizes.why_not_pickles,
            gil_share=share.gil_share,
            gil_share_why=share.gil_share_why,
            gil_share_assumed=share.gil_share_assumed,
            best_concurrency=new.best_concurrency or self.best_concurrency,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """How one plan of a map turned out.

    Attributes
    ----------
    backend, compiler, workers
        The plan.
    items
        Items it did.
    seconds
        Wall time it took for them.
    predicted
        Seconds expected for that many, by prices alone, or None where nothing was known.
    """

    backend: str
    compiler: str
    workers: int
    items: int
    seconds: float
    predicted: float | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How one way, a backend and a compiler, turned out in earlier maps.

    Attributes
    ----------
    backend, compiler
        The way.
    workers
        Of the latest plan.
    maps
        Maps that it ran in, all of them.
    seconds_per_item
        Wall seconds of a map over its items: the inverse of throughput.
    predicted_per_item
        What was predicted of that, by prices alone.
    outcomes
        Maps whose outcome could be compared with a prediction.
    log_ratio
        Mean natural logarithm of outcome over prediction.
    """

    backend: str
    compiler: str
    workers: int
    maps: int
    seconds_per_item: float
    predicted_per_item: float | None = None
    outcomes: int = 0
    log_ratio: float = 0.0

    @property
    def factor(self) -> float:
        """What to multiply a prediction by: the mean ratio, drawn towards 1 while few outcomes stand behind it.

        Examples
        --------
        >>> Way("threads", "python", 2, 3, 0.1, 0.05, outcomes=3, log_ratio=math.log(2)).factor.__round__(2)
        1.68
        """
        believed = self.log_ratio * self.outcomes / (self.outcomes + 1)
        return min(FURTHEST_FACTOR, max(1 / FURTHEST_FACTOR, math.exp(believed)))

    def after(self, run: Run) -> Way:
        """Take in how it turned out once more."""
        each = run.seconds / run.items
        expected = None if run.predicted is None else run.predicted / run.items
        way = replace(
            self,
            workers=run.workers,
            maps=self.maps + 1,
            seconds_per_item=self.seconds_per_item + NEW_SHARE * (each - self.seconds_per_item),
        )
        if expected is None:
            return way
        before = expected if self.predicted_per_item is None else self.predicted_per_item
        way = replace(way, predicted_per_item=before + NEW_SHARE * (expected - before))
        ratio = log_ratio(run)
        if ratio is None:
            return way
        step = ratio - self.log_ratio
        mean = self.log_ratio + (step if not self.outcomes else NEW_SHARE * step)
        return replace(way, outcomes=self.outcomes + 1, log_ratio=mean)


def log_ratio(run: Run) -> float | None:
    """Natural logarithm of outcome over prediction, within limits; None where the run is too short to tell."""
    if run.predicted is None or min(run.predicted, run.seconds) < SHORTEST_OUTCOME:
        return None
    most = math.log(2 * FURTHEST_FACTOR)
    return min(most, max(-most, math.log(run.seconds / run.predicted)))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one map teaches.

    Attributes
    ----------
    key
        The record it belongs to.
    function
        ``module.qualname``, to search by.
    time
        Unix time, in seconds.
    facts
        What its items took, or None if that is known only in relation to what was assumed.
    alone
        They ran in the loop; else on a pool that was demanded, where they may have kept one another waiting.
    scale
        Work of its items over what was assumed of them; used where ``facts`` is None.
    best_concurrency
        Where adaptive concurrency ended.
    runs
        Its plans.
    followed
        Digest of all the code that the analysis of the function followed.
    clean
        An item was watched in this code's life, and no effect was seen that the analysis had missed.
    first
        The first lesson of its process under this key.
    """

    key: ProfileKey
    function: str
    time: float
    facts: ItemFacts | None
    alone: bool = True
    scale: float = 1.0
    best_concurrency: int | None = None
    runs: tuple[Run, ...] = ()
    followed: str = ""
    clean: bool = False
    first: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """All that is known under one key.

    Attributes
    ----------
    facts
        What an item takes.
    ways
        How each way turned out that was tried.
    maps, processes
        How many maps of how many processes stand behind it.
    alone
        The facts are of items that ran alone.
    on_trust
        Maps in a row that relied on it without measuring an item alone.
    updated
        Unix time, in seconds, of the latest lesson.
    followed, clean
        As in the latest :class:`Lesson`.
    """

    facts: ItemFacts
    ways: tuple[Way, ...] = ()
    maps: int = 1
    processes: int = 1
    alone: bool = True
    on_trust: int = 0
    updated: float = 0.0
    followed: str = ""
    clean: bool = False

    def after(self, lesson: Lesson) -> Learned:
        """Take in one map."""
        better = lesson.alone and not self.alone
        if lesson.facts is not None and better:
            facts = lesson.facts
        elif lesson.facts is not None and lesson.alone == self.alone:
            facts = self.facts.after(lesson.facts)
        else:
            step = 1.0 + NEW_SHARE * (lesson.scale - 1.0)
            facts = self.facts if _same(lesson.scale) else self.facts.scaled(step)
            facts = replace(facts, best_concurrency=lesson.best_concurrency or facts.best_concurrency)
        return Learned(
            facts=facts,
            ways=_with_runs(self.ways, lesson.runs),
            maps=self.maps + 1,
            processes=self.processes + lesson.first,
            alone=self.alone or (lesson.alone and lesson.facts is not None),
            on_trust=0 if lesson.alone and lesson.facts is not None else self.on_trust + 1,
            updated=max(self.updated, lesson.time),
            followed=lesson.followed or self.followed,
            clean=lesson.clean,
        )

    @property
    def trusted(self) -> bool:
        """Whether a map may be planned on it before its first item; now and then one measures anew."""
        return self.alone and self.on_trust < MAPS_ON_TRUST

    @property
    def race_again(self) -> bool:
        """A GIL share that keeps items off threads is measured anew after 1, 2, 4, 8 maps, and so on.

        What says so may have been a busy moment, and without another race nothing would ever show it.
        """
        held = self.facts.gil_share is not None and self.facts.gil_share > HELD
        return held and self.maps & (self.maps - 1) == 0

    @property
    def corrections(self) -> dict[str, float]:
        """Backend -> what to multiply its prediction by, for plain Python."""
        return {way.backend: way.factor for way in self.ways if way.compiler == "python" and way.outcomes}

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        maps = "1 earlier map" if self.maps == 1 else f"{self.maps} earlier maps"
        return f"{maps}, {'1 process' if self.processes == 1 else f'{self.processes} processes'}"


def begin(lesson: Lesson) -> Learned | None:
    """The record that a first lesson makes, or None if it measured no item."""
    if lesson.facts is None:
        return None
    ways = _with_runs((), lesson.runs)
    return Learned(
        lesson.facts, ways, alone=lesson.alone, updated=lesson.time, followed=lesson.followed, clean=lesson.clean
    )


def take_in(known: Learned | None, lesson: Lesson) -> Learned | None:
    """What is known after a lesson; code that has changed somewhere below the function starts anew."""
    if known is None or (known.followed and lesson.followed and known.followed != lesson.followed):
        return begin(lesson)
    return known.after(lesson)


def _faded(way: Way) -> Way:
    return replace(way, log_ratio=way.log_ratio * FADING)


def _same(scale: float) -> bool:
    return 1 / SAME_WORK < scale < SAME_WORK


def _with_runs(ways: tuple[Way, ...], runs: tuple[Run, ...]) -> tuple[Way, ...]:
    taken = {(run.backend, run.compiler) for run in runs}
    found = {name: way if name in taken else _faded(way) for way in ways if (name := (way.backend, way.compiler))}
    for run in runs:
        if run.items <= 0:
            continue
        name = run.backend, run.compiler
        known = found.get(name)
        if known is None:
            expected = None if run.predicted is None else run.predicted / run.items
            known = Way(*name, run.workers, 0, run.seconds / run.items, expected)
        found[name] = known.after(run)
    return tuple(found.values())
