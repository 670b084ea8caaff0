"""Which ways keep the loop's answer: one table of effects, and what else rules a backend out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

from autopar._model.effects import Effect, EffectKind
from autopar._model.light_dataclass import dataclass
from autopar._model.plan import BACKENDS, COMPILERS, Spec
from autopar._plan.situation import Situation
from autopar.errors import DemandError, NotBuiltError, UnavailableError, UnsafeDemandError

THREAD_SAFE, SEED, PURE, DEMAND = "thread_safe", "seed", "pure", "backend"
HINT_ORDER = (THREAD_SAFE, SEED, PURE, DEMAND)
"""The mildest promise is offered first."""

Lifts = tuple[str, ...] | None
"""Hints, any of which lifts an exclusion; empty where none does; None where nothing is excluded."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of effect excludes.

    Attributes
    ----------
    because
        What would go wrong.
    overlap
        What allows several items at the same time in this process: threads, or tasks of an event loop.
    elsewhere
        What allows another process or interpreter.
    in_order
        One worker thread that runs the items one after the other still gives the loop's answer.
    """

    because: str
    overlap: Lifts
    elsewhere: Lifts
    in_order: bool = True


_WRITE = Rule(
    "in another process the change would be lost, and overlapping items would change it in another order",
    overlap=(THREAD_SAFE, PURE),
    elsewhere=(PURE,),
)

RULES: dict[EffectKind, Rule] = {
    EffectKind.WRITES_GLOBAL: _WRITE,
    EffectKind.WRITES_CLOSURE: _WRITE,
    EffectKind.WRITES_DEFAULT: _WRITE,
    EffectKind.WRITES_SELF: _WRITE,
    EffectKind.WRITES_ARGUMENT: _WRITE,
    EffectKind.WRITES_SHARED: _WRITE,
    EffectKind.READS_SHARED: Rule(
        "another process would not see the changes, and overlapping items would see them in another order",
        overlap=(THREAD_SAFE, PURE),
        elsewhere=(PURE,),
    ),
    EffectKind.RANDOM: Rule(
        "every item takes its numbers from the loop's one stream, in order; a process has one, whatever its threads",
        overlap=(PURE,),
        elsewhere=(SEED, PURE),
    ),
    # What is printed, logged or warned may be exempt: see REPLAYED.
    EffectKind.OUTPUT: Rule("the output would come in another order", overlap=(PURE,), elsewhere=(PURE,)),
    EffectKind.LOCK: Rule("a lock of this process means nothing in another", None, (PURE,)),
    EffectKind.THREAD_LOCAL: Rule(
        "a worker's thread does not have the caller's values", (PURE,), (PURE,), in_order=False
    ),
    EffectKind.CONTEXT: Rule("the change would be lost on a worker", (PURE,), (PURE,), in_order=False),
    EffectKind.PROCESS_STATE: Rule("items would see each other's changes, or none", (PURE,), (PURE,), in_order=False),
    EffectKind.NOT_THREAD_SAFE: Rule("it may fail where threads overlap", (THREAD_SAFE, PURE), None),
    EffectKind.THREAD_IDENTITY: Rule("it would see a worker's thread or process", (DEMAND,), (DEMAND,)),
    EffectKind.GENERATOR: Rule("a generator cannot be sent between processes", None, ()),
    EffectKind.UNKNOWN: Rule(
        "nothing shows that it keeps its effects to itself", (THREAD_SAFE, PURE, DEMAND), (PURE, DEMAND)
    ),
}

ON_ONE_THREAD = (EffectKind.THREAD_IDENTITY, EffectKind.THREAD_LOCAL, EffectKind.NOT_THREAD_SAFE)
MAY_DRAW = (EffectKind.RANDOM, EffectKind.UNKNOWN)
ONE_STREAM = "with seed= each item has the global random streams to itself, and all threads of a process share these"


PICKLE_ALIKE = ("joblib", "interpreters")
"""Backends that fail where processes failed: they pickle the same way, and are no faster."""

_LOGGING = tuple(f"{name}()" for name in "debug info warning warn error critical exception log".split())

_TEXT = frozenset({"print()", "sys.stdout", "sys.stderr", "pprint.pprint()", "pprint.pp()", "traceback.print_exc()"})

REPLAYED: dict[str, frozenset[str]] = {
    "threads": _TEXT,
    **dict.fromkeys(
        ("processes", "multiprocessing", "joblib", "interpreters", "dask"), _TEXT | frozenset({"warnings.warn()"})
    ),
}
"""Backend -> output that it keeps and puts out in input order, besides records of loggers. On threads a warning is
issued at once, since all threads share one memory of what was shown. Files, sockets and connections cannot be kept."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """One reason against a backend or compiler.

    Attributes
    ----------
    because
        The reason in words.
    lifts
        Hints, any of which takes the reason away.
    error
        Raised if the way is demanded all the same.
    in_order
        On threads or an event loop, one worker in order overcomes it.
    effect
        The effect behind it, if it is one.
    """

    because: str
    lifts: tuple[str, ...] = ()
    error: type[DemandError] = UnavailableError
    in_order: bool = False
    effect: Effect | None = None


def barriers(name: str, situation: Situation) -> tuple[Barrier, ...]:
    """What stands against a backend, after the hints that were given; an empty tuple means it may be used."""
    found = tuple(_all_barriers(name, situation))
    given = words_given(name, situation) if found else frozenset()
    return tuple(barrier for barrier in found if given.isdisjoint(barrier.lifts)) if given else found


def consented(name: str, situation: Situation) -> tuple[Barrier, ...]:
    """What was overcome by nothing but the demand for this backend: worth a note."""
    given = words_given(name, situation)
    lifted = [b for b in _all_barriers(name, situation) if given.intersection(b.lifts)]
    return tuple(b for b in lifted if given.intersection(b.lifts) == {DEMAND})


def words_given(name: str, situation: Situation) -> frozenset[str]:
    """The user's promises that hold for this backend, by name of hint."""
    settings = situation.settings
    words = []
    if settings.thread_safe:
        words.append(THREAD_SAFE)
    if settings.pure:
        words.append(PURE)
    if settings.seed is not None:
        words.append(SEED)
    if settings.backend == name:
        words.append(DEMAND)
    return frozenset(words)


def lifting_hint(name: str, found: tuple[Barrier, ...]) -> str:
    """The mildest hint that takes all of these away, as it is written in code; empty if there is none."""
    for word in HINT_ORDER:
        if found and all(word in barrier.lifts for barrier in found):
            return _written(word, name)
    return ""


def compiler_barrier(name: str, situation: Situation) -> Barrier | None:
    """What stands against a compiler, or None."""
    return next(_missing(COMPILERS[name], situation), None)


def _written(word: str, backend: str) -> str:
    return {THREAD_SAFE: "thread_safe=True", PURE: "pure=True", SEED: "seed=0", DEMAND: f'backend="{backend}"'}[word]


def _cannot_be_interrupted(situation: Situation) -> Iterator[Barrier]:
    for limit in ("timeout", "deadline"):
        seconds = getattr(situation.settings, limit)
        if seconds is not None:
            yield Barrier(f"a plain call cannot be interrupted after {limit}={seconds:g} s", (DEMAND,))


def _cannot_recycle(name: str, situation: Situation) -> Iterator[Barrier]:
    """Only workers that are processes of this one, each with a pipe of its own, can be replaced between two items."""
    if name in ("joblib", "dask", "interpreters"):
        for hint in ("max_tasks_per_worker", "worker_memory"):
            if getattr(situation.settings, hint) is not None:
                yield Barrier(f"it cannot replace single workers; leave {hint}= out")


def _all_barriers(name: str, situation: Situation) -> Iterator[Barrier]:
    spec = BACKENDS[name]
    yield from _missing(spec, situation)
    if spec.module is None:
        return
    yield from _wrong_colour(spec, situation)
    if name == "serial":
        yield from _cannot_be_interrupted(situation)
        return
    if name == "dask":
        yield from _no_cluster(situation)
    if name == "threads" and _threads_left(situation) < 1:
        yield Barrier("no thread is left in the budget", (DEMAND,))
    yield from _cannot_recycle(name, situation)
    if name == "joblib" and situation.settings.timeout is not None:
        yield Barrier("it does not tell when an item begins, and cannot stop one; leave timeout= out")
    if not spec.same_process:
        yield from _cannot_travel(spec, situation)
    if name == "dask":
        yield from _away_from_home(situation)
    yield from _may_run_twice(name, situation)
    for effect in situation.traits.report.effects:
        if name == "asyncio" and effect.kind in ON_ONE_THREAD:
            continue  # all items stay on one thread and one loop, as in a loop that awaits them
        if name == "threads" and situation.settings.seed is not None and effect.kind in MAY_DRAW:
            yield Barrier(f"{effect}; {ONE_STREAM}", error=UnsafeDemandError, in_order=True, effect=effect)
        elif not (situation.ordered and _replayed(effect, name)):
            yield from _effect(effect, spec)


def _threads_left(situation: Situation) -> int:
    return situation.threads + situation.warm.get("threads", 0)


def _missing(spec: Spec, situation: Situation) -> Iterator[Barrier]:
    if spec.module is None:
        yield Barrier("it is not part of this version of autopar", error=NotBuiltError)
    elif spec.name in situation.host.unavailable:
        yield Barrier(situation.host.unavailable[spec.name])
    elif _version(situation.host.python) < spec.minimum_python:
        yield Barrier(f"it needs Python {'.'.join(map(str, spec.minimum_python))}, this is {situation.host.python}")
    if spec.name in situation.excluded:
        yield Barrier(situation.excluded[spec.name])
    elif spec.inherits and not situation.forks:
        yield Barrier("this process cannot be forked at this moment")
    elif spec.name in PICKLE_ALIKE and "processes" in situation.excluded:
        yield Barrier(situation.excluded["processes"], (DEMAND,))


@functools.lru_cache(8)
def _version(text: str) -> tuple[int, int]:
    """``"3.13.0"`` -> (3, 13); a host that does not say counts as new."""
    parts = text.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else (99, 0)


def _wrong_colour(spec: Spec, situation: Situation) -> Iterator[Barrier]:
    if situation.traits.is_async and not spec.runs_async:
        yield Barrier('it runs plain functions and this is a coroutine function: use backend="asyncio"')
    elif not situation.traits.is_async and not spec.runs_sync:
        yield Barrier('it runs coroutine functions and this is a plain one: use backend="threads"')


def _cannot_travel(spec: Spec, situation: Situation) -> Iterator[Barrier]:
    profile = situation.profile
    if profile.pickles is False:
        why = profile.why_not_pickles
        yield Barrier(f"its items or results cannot be pickled{f': {why}' if why else ''}")
    elif profile.job_pickles is False and not spec.inherits:
        why = profile.why_not_job_pickles
        yield Barrier(f"its keyword arguments cannot be pickled{f': {why}' if why else ''}")
    if situation.traits.is_generator:
        yield Barrier(RULES[EffectKind.GENERATOR].because, error=UnsafeDemandError)


def _no_cluster(situation: Situation) -> Iterator[Barrier]:
    if situation.cluster is None and "dask" not in situation.excluded:
        yield Barrier(
            "no cluster is configured"
            if situation.settings.cluster is None
            else "too little is left to ask the cluster"
        )


def _away_from_home(situation: Situation) -> Iterator[Barrier]:
    """Files, devices and servers of this machine need not be there on another."""
    outside = situation.traits.outside_calls
    if outside and situation.cluster is not None and situation.cluster.elsewhere:
        because = f"it calls {outside[0]}, and what that finds on this machine need not be on the cluster's"
        yield Barrier(because, (DEMAND,), UnsafeDemandError)


def _may_run_twice(name: str, situation: Situation) -> Iterator[Barrier]:
    """That a module does not support interpreters may be found out in the middle of an item, which then runs again."""
    outside = situation.traits.outside_calls
    if name == "interpreters" and outside and not situation.settings.may_repeat:
        because = f"it calls {outside[0]}, and an item runs twice that needs a module which does not support them"
        yield Barrier(because, (DEMAND,))


def _replayed(effect: Effect, name: str) -> bool:
    """Output that waits for its turn on this backend."""
    if effect.kind is not EffectKind.OUTPUT or name not in REPLAYED:
        return False
    logs = effect.what.startswith("logging.") and effect.what.endswith(_LOGGING)
    return logs or effect.what in REPLAYED[name]


def shows_overtaking(effects: Iterable[Effect]) -> bool:
    """Whether an item that overtakes others in this process shows what on a worker process would wait for its turn."""
    return any(_replayed(effect, "processes") and not _replayed(effect, "threads") for effect in effects)


def _effect(effect: Effect, spec: Spec) -> Iterator[Barrier]:
    rule = RULES[effect.kind]
    lifts = rule.overlap if spec.same_process else rule.elsewhere
    if lifts is not None:
        yield Barrier(
            f"{effect}; {rule.because}",
            lifts,
            UnsafeDemandError,
            in_order=rule.in_order and spec.same_process,
            effect=effect,
        )


def demand_error(name: str, situation: Situation, found: tuple[Barrier, ...]) -> DemandError:
    """The error for a demanded backend that cannot be used: function, line, what, and the way out."""
    worst = found[0]
    function = situation.traits.name
    if worst.error is not UnsafeDemandError:
        return worst.error(f'backend="{name}" cannot run {function}: {worst.because}')
    hint = lifting_hint(name, found)
    way_out = f"say {hint} if that is all right" if hint else "leave the hint out to run it as the plain loop does"
    return worst.error(f'backend="{name}" would change what {function} does: {worst.because}; {way_out}')
