"""Choose a plan: of the ways that keep the answer, the one predicted to finish first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from autopar._model.hints import Settings
from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Choice, Plan, Rejected
from autopar._model.workload import Kind
from autopar._plan.costs import DEFAULT_COSTS, Costs
from autopar._plan.eligibility import Barrier, barriers, compiler_barrier, consented, demand_error, lifting_hint
from autopar._plan.memory import MEMORY_SHARE, NO_LIMIT, workers_that_fit
from autopar._plan.model import Load, load, predict, priced, seems_to_release
from autopar._plan.situation import Situation

__all__ = [
    "WORTH_A_CLUSTER",
    "Situation",
    "choose",
    "gil_share_from_race",
    "race_size",
    "wants_gil_race",
    "worth_planning",
]

SHARE_HEADROOM = 2
"""Concurrency offered to I/O, as a multiple of what CPU and GIL can keep up with; climbing finds the rest."""

FEWEST_USEFUL = 64
"""Least ceiling for I/O: the first items, on which it rests, also pay for imports and first connections. Unmeasured."""

RACERS = 8
"""Threads of a race, on as many cores: a share of a tenth hardly shows between two threads, but between eight."""

LEAST_RACE = 2e-3
"""Seconds of work below which a race shows the wake-up of its threads (thread start) and not the GIL."""

ALL_BY_CHANCE = 100
"""Items in a row of which the first hardly counts any more."""

UNLIMITED = 1 << 62

RELEASED, RELEASED_IF_KNOWN = 0.5, 0.9
"""Chance that work whose GIL share nobody has measured hardly holds it: of any library call, and of one that is known
to release it or runs on several cores at once. Guesses; a race costs what they are worth."""

WORTH_A_CLUSTER = 1.0
"""Seconds of the loop below which nobody asks a cluster: connecting to one and measuring it takes 0.2 to 0.5 s
(distributed 2026.8 on one machine)."""

NEAR_TIE = 1.5
"""Factor within which threads are preferred for items that wait. Unmeasured: as far as GIL shares are guessed wrong."""

PROCESSES_PER_CORE = 4
"""Most worker processes on a core, for items that wait and may not use threads: each costs memory. Unmeasured."""


@dataclass(frozen=True, slots=True)
class _Rival:
    """One backend with the plan it would take, and what stands against it."""

    plan: Plan
    against: tuple[Barrier, ...]

    @property
    def cost(self) -> float:
        return math.inf if self.plan.predicted is None else self.plan.predicted


def choose(situation: Situation) -> Choice:
    """Choose the way for the remaining items.

    Parameters
    ----------
    situation
        What is known; see :class:`Situation`.

    Returns
    -------
    Choice
        The plan; each other backend and compiler among ``rejected``, with its predicted seconds, or what rules it out
        and the hint that would lift it.

    Raises
    ------
    UnavailableError, NotBuiltError
        A demanded backend or compiler cannot be used.
    UnsafeDemandError
        It would change the answer.
    """
    work = load(situation)
    if on_trial(situation):
        work = replace(work, gil=0.0)
    rivals = {name: _rival(name, situation, work) for name in BACKENDS}
    compiler, compilers = _compilers(situation)
    if situation.settings.backend is not None:
        taken, why, notes = _as_demanded(situation.settings.backend, rivals, situation)
    else:
        taken, why, notes = _freely(rivals, situation)
    plan = replace(taken, compiler=compiler)
    rejected = tuple(_rejected(rival, plan) for name, rival in rivals.items() if name != plan.backend)
    return Choice(
        plan=plan,
        workload=situation.workload,
        rejected=rejected + compilers,
        why=why,
        serial_seconds=rivals["serial"].plan.predicted,
        notes=(*notes, *_memory_note(plan, situation, work), *_offers(rejected, plan, situation)),
    )


def worth_planning(
    seconds_per_item: float,
    remaining: int | None,
    seen: int,
    host: Host,
    settings: Settings,
    costs: Costs = DEFAULT_COSTS,
) -> bool:
    """Tell, in about a microsecond, whether any plan could repay looking for it.

    Parameters
    ----------
    seconds_per_item
        Mean wall time of the items that ran in the plain loop.
    remaining
        Items still to run; None if unknown, which counts as many as were seen.
    seen
        Items that ran.
    host, settings
        Cores, and demands: what is demanded is always worth a plan.
    costs
        Prices of the backends.

    Notes
    -----
    The best thinkable plan is either warm workers that divide the time by the cores, processes under a GIL, threads
    without one; or waits that overlap perfectly, which leaves one item. An item that takes less than a thread's
    dispatch is no wait. Nothing is planned before a millisecond was spent in the loop: first items are often slow.
    """
    if settings.backend is not None or settings.compiler is not None or settings.timeout is not None:
        return True
    items = max(1, seen) if remaining is None else remaining
    if items < 1:
        return False
    if settings.eager:
        return True
    if seen * seconds_per_item < costs.look_seconds:
        return False
    serial = items * seconds_per_item
    if settings.cluster is not None and serial > WORTH_A_CLUSTER:
        return True
    best = serial / max(1, host.cores) + items * (costs.process_item if host.gil else costs.thread_item)
    if seconds_per_item > costs.thread_dispatch:
        best = min(best, seconds_per_item + items * costs.thread_dispatch)
    return serial - best > costs.planning + costs.margin_seconds


def wants_gil_race(situation: Situation) -> bool:
    """Tell whether running the next items on two threads, to measure the GIL share, is worth its risk.

    It is when threads may be used, the share is unknown, and what threads could save at best outweighs what is lost
    if the GIL is held after all: the race then took as long as the plain loop, where processes would have gained.
    """
    workload, settings = situation.workload, situation.settings
    if workload.kind not in (Kind.CPU, Kind.MIXED) or workload.gil_share is not None or not situation.measured:
        return False
    if settings.backend is not None or settings.workers == 1 or on_trial(situation):
        return False
    if situation.cores < 2 or situation.threads < 2 or barriers("threads", situation):
        return False
    work = load(situation)
    threads, size = race_size(situation)
    race = threads * size * work.each
    if work.items < 4 or race < LEAST_RACE:
        return False
    held = {name: _rival(name, situation, work) for name in ("serial", "processes")}
    best = min(rival.cost for rival in held.values() if not rival.against or rival.plan.backend == "serial")
    free = _rival("threads", situation, replace(work, gil=0.0))
    lost = race * (1 - 1 / threads) if best < held["serial"].cost else 0.0
    if best < held["serial"].cost:
        # A race leaves threads behind, and a process with threads forks no workers.
        spawned = _rival("processes", replace(situation, forkable=False), work)
        lost += max(0.0, spawned.cost - best)
    known = seems_to_release(situation)
    if known and work.items <= 2 * threads * size:
        return False  # Hardly anything would be left to gain from it.
    chance = RELEASED_IF_KNOWN if known else RELEASED
    return _clearly_better(free.plan, best, situation) and chance * (best - free.cost) > (1.0 - chance) * lost


def on_trial(situation: Situation) -> bool:
    """Tell whether threads are tried on all that is left, because nobody knows the GIL share and no other way is open.

    If the GIL is held after all, they take what the loop would have taken: then a race beforehand gains nothing.
    """
    workload = situation.workload
    if workload.kind not in (Kind.CPU, Kind.MIXED) or workload.gil_share is not None or not situation.measured:
        return False
    return situation.settings.backend is None and bool(barriers("processes", situation))


def race_size(situation: Situation) -> tuple[int, int]:
    """Threads that race, and items for each: work for a switch interval, but never most of what is left."""
    work, costs = load(situation), situation.costs
    threads = max(2, min(RACERS, situation.cores, situation.threads, work.items // 2))
    size = int(costs.race_chunk / work.each) if work.each > 0 else 1
    return threads, max(1, min(size, work.items // (2 * threads)))


def gil_share_from_race(
    alone_seconds: float, together_seconds: float, workers: float, in_a_row: float = math.inf
) -> float:
    """GIL share out of the wall time of the same work, on one thread and on several at once.

    Parameters
    ----------
    alone_seconds, together_seconds
        Wall time on one thread, and divided over ``workers`` threads.
    workers
        Threads of the second; not a whole number where some of them ran for a part of the time only.
    in_a_row
        Items that each of them ran one after another.

    Returns
    -------
    float
        0 to 1. Within 15 % of the ideal gain counts as 0, within 5 % of no gain as 1: clock noise.

    Notes
    -----
    The inverse of :func:`autopar._plan.model.throughput_time`: with share ``g``, ``w`` threads take
    ``(1 + (w - 1) g**2) / w`` of the time alone, but never less than ``g`` of it. That holds for items that meet by
    chance. The first item of each thread starts together with the others, and meets them all: ``g`` in place of
    ``g**2``.

    Examples
    --------
    >>> gil_share_from_race(1.0, 0.5, 2), gil_share_from_race(1.0, 1.02, 2)
    (0.0, 1.0)
    """
    if alone_seconds <= 0 or workers <= 1:
        return 1.0
    ratio = together_seconds / alone_seconds
    if ratio <= 1.15 / workers:
        return 0.0
    if ratio >= max(0.95, 1.0 - 0.1 * (1.0 - 1.0 / workers)):
        return 1.0
    lost = (workers * ratio - 1.0) / (workers - 1)
    share = math.sqrt(lost)
    if in_a_row < ALL_BY_CHANCE:
        later = in_a_row - 1.0
        share = (math.sqrt(1.0 + 4.0 * later * in_a_row * lost) - 1.0) / (2.0 * later) if later > 0 else lost
    return round(min(1.0, ratio, share), 2)


def _rival(name: str, situation: Situation, work: Load) -> _Rival:
    """The best plan of one backend, also where a hint would have to open it; without a price where none could."""
    against = barriers(name, situation)
    if not all(barrier.lifts for barrier in against):
        return _Rival(Plan(backend=name), against)
    plans = [_with_cost(plan, situation, work) for plan in _plans(name, situation, work)]
    return _Rival(min(plans, key=lambda plan: math.inf if plan.predicted is None else plan.predicted), against)


def _with_cost(plan: Plan, situation: Situation, work: Load) -> Plan:
    if not situation.measured or not priced(plan.backend):
        return plan
    own = BACKENDS[plan.backend].same_process or plan.backend == "dask"
    alike = 1.0 if own else situation.corrections.get("processes", 1.0)  # what slows one kind of process slows all
    correction = situation.corrections.get(plan.backend, alike)
    return replace(plan, predicted=correction * predict(plan, work, situation))


def _plans(name: str, situation: Situation, work: Load) -> Iterator[Plan]:
    """Plans of one backend, differing in workers."""
    if name == "serial":
        yield Plan()
        return
    settings = situation.settings
    waits = _waits(situation)
    most, adaptive = _most_workers(name, situation, work, waits)
    fitting = _fitting(name, situation, work)
    most = max(1, min(most, fitting if settings.workers is None else settings.workers))
    chunksize = 1 if settings.timeout is not None else settings.chunksize
    if chunksize is None and name != "dask" and (waits or name == "asyncio"):
        chunksize = 1
    widths = {most}
    if name == "processes" and adaptive:
        widths.add(min(most, situation.cores))  # each process more costs its start
    if not adaptive and name != "asyncio":
        widths |= {2**k for k in range(1, most.bit_length()) if 2**k < most}
        if name == "processes" and settings.workers is None and most < work.items <= 2 * most:
            # A worker for each of a few items shares the cores evenly; one for each core would leave some idle at last.
            widths.add(min(work.items, fitting))
        widths |= {there for there in (situation.warm.get(name, 0),) if 1 < there < most}
    for workers in sorted(widths):
        yield Plan(backend=name, workers=workers, chunksize=chunksize, adaptive=adaptive and workers > 1)


def _fitting(name: str, situation: Situation, work: Load) -> int:
    """Workers of a backend for which there is memory."""
    spec = BACKENDS[name]
    if spec.same_process or name == "dask":
        return NO_LIMIT
    shared = 0.0 if spec.inherits else work.shared
    return workers_that_fit(situation.host.memory, shared, work.transport)


def _memory_note(plan: Plan, situation: Situation, work: Load) -> Iterator[str]:
    """Says so where there was not memory for a worker on each core."""
    fitting = _fitting(plan.backend, situation, work)
    if plan.workers == fitting < min(situation.cores, work.items):
        gigabytes = (situation.host.memory or 0) / 1e9
        yield f"{fitting} workers are what {MEMORY_SHARE:.0%} of the {gigabytes:.3g} GB of memory that are left hold"


def _waits(situation: Situation) -> bool:
    """Concurrency is to be found by climbing: the items wait, or a demand comes before anything is measured."""
    workload = situation.workload
    if workload.kind in (Kind.IO, Kind.MIXED):
        return True
    return not situation.measured and workload.gil_share is None


def _most_workers(name: str, situation: Situation, work: Load, waits: bool) -> tuple[int, bool]:
    """The most workers that could help, and whether concurrency climbs towards it."""
    costs = situation.costs
    cores = max(situation.cores, 2) if situation.settings.eager else situation.cores
    # Climbing costs nothing where few items come; where many do, a ceiling from those seen so far would be too low.
    to_come = work.items if situation.remaining is not None else UNLIMITED
    if name == "asyncio":
        # A loop holds many waiting tasks as cheaply as few, and gather(), the usual way, starts them all at once.
        return min(work.items, costs.async_ceiling), False
    if name == "dask":
        return min(to_come, 1 if situation.cluster is None else situation.cluster.cores), False
    if not BACKENDS[name].same_process:
        keep_up = cores * work.each / work.busy if waits and work.busy > 0 else cores
        useful = max(cores, math.ceil(min(keep_up, PROCESSES_PER_CORE * cores)))
        return (min(to_come, useful), True) if waits else (min(work.items, useful), False)
    budget = situation.threads + situation.warm.get("threads", 0)
    if not waits:
        return min(work.items, cores, budget), False
    keep_up = min(
        work.each / work.gil if work.gil > 0 else math.inf,
        situation.cores * work.each / work.busy if work.busy > 0 else math.inf,
    )
    useful = costs.io_ceiling if math.isinf(keep_up) else max(FEWEST_USEFUL, math.ceil(SHARE_HEADROOM * keep_up))
    return min(to_come, budget, costs.io_ceiling, useful), True


def _as_demanded(name: str, rivals: dict[str, _Rival], situation: Situation) -> tuple[Plan, str, list[str]]:
    rival = rivals[name]
    notes = [f"{barrier.because}; backend={name!r} is taken as consent" for barrier in consented(name, situation)]
    if not rival.against:
        return rival.plan, f"backend={name!r} is demanded", notes
    if not all(barrier.in_order for barrier in rival.against):
        fatal = tuple(b for b in rival.against if not b.in_order)
        raise demand_error(name, situation, fatal)
    plan = _one_in_order(rival, situation)
    notes.append(_overlap_note(rival, plan))
    return plan, f"backend={name!r} is demanded, and one worker keeps the order", notes


def _one_in_order(rival: _Rival, situation: Situation) -> Plan:
    plan = replace(rival.plan, workers=1, adaptive=False)
    return _with_cost(plan, situation, load(situation))


def _overlap_note(rival: _Rival, plan: Plan) -> str:
    """Why one worker runs the items in order, and what would let them overlap."""
    note = f"{rival.against[0].because}; so one worker runs the items in order"
    hint = lifting_hint(rival.plan.backend, rival.against)
    if not hint:
        return note
    note += f"; hint {hint} would let them overlap"
    if rival.plan.predicted is None or plan.predicted is None:
        return note
    return f"{note}: predicted {_seconds(rival.plan.predicted)} instead of {_seconds(plan.predicted)}"


def _freely(rivals: dict[str, _Rival], situation: Situation) -> tuple[Plan, str, list[str]]:
    serial = rivals["serial"]
    open_ways = [rival for name, rival in rivals.items() if name != "serial" and not rival.against]
    if situation.items < 1 and not serial.against:
        return serial.plan, "no item is left", []
    if serial.against:
        return _not_serially(open_ways, rivals, situation)
    if not open_ways:
        return serial.plan, "only the plain loop keeps the answer", []
    best = min(open_ways, key=lambda rival: (rival.cost, _preference(rival.plan.backend, situation)))
    threads = rivals["threads"]
    tie = 1.0 if "threads" in situation.corrections else NEAR_TIE
    if situation.workload.kind is Kind.IO and not threads.against and threads.cost <= tie * best.cost:
        # Whether waiting items would really queue for the GIL nobody has measured; a new process costs for certain.
        best = threads
    if situation.settings.eager:
        return best.plan, f"eager: {best.plan} is the cheapest parallel way", []
    if not situation.measured:
        if situation.traits.is_async and best.plan.backend == "asyncio":
            return best.plan, "a coroutine function is written to wait, and waits overlap on an event loop", []
        return serial.plan, "nothing is measured yet", []
    against = f"{_seconds(serial.cost)} in the plain loop"
    if _clearly_better(best.plan, serial.cost, situation):
        return best.plan, f"predicted {_seconds(best.cost)} with {best.plan} against {against}", []
    return serial.plan, f"no way is predicted to beat {against} ({best.plan}: {_seconds(best.cost)})", []


def _not_serially(
    open_ways: list[_Rival], rivals: dict[str, _Rival], situation: Situation
) -> tuple[Plan, str, list[str]]:
    """What to do with a timeout: the plain loop could not keep it."""
    because = rivals["serial"].against[0].because
    if open_ways:
        best = min(open_ways, key=lambda rival: (rival.cost, _preference(rival.plan.backend, situation)))
        return best.plan, f"{because}; {best.plan} is the cheapest way that can", []
    name = "asyncio" if situation.traits.is_async else "threads"
    rival = rivals[name]
    if all(barrier.in_order for barrier in rival.against):
        plan = _one_in_order(rival, situation)
        return plan, f"{because}; one worker can, and keeps the order", [_overlap_note(rival, plan)]
    against = next(barrier.because for barrier in rival.against if not barrier.in_order)
    note = f"{because}, and nothing else keeps the answer ({against}): it is checked as each item returns"
    return rivals["serial"].plan, "only the plain loop keeps the answer", [note]


def _clearly_better(plan: Plan, serial: float, situation: Situation) -> bool:
    """Better by a share, and by what may come between: less where no worker has to be started."""
    costs, cost = situation.costs, math.inf if plan.predicted is None else plan.predicted
    there = situation.warm.get(plan.backend, 0) >= plan.workers
    return cost < serial * (1.0 - costs.margin) and cost < serial - (
        costs.warm_margin_seconds if there else costs.margin_seconds
    )


def _preference(name: str, situation: Situation) -> int:
    """Order of ways while none has a price: no new process first, unless the GIL is known to be held."""
    order = ["asyncio", "threads", "processes"]
    if situation.workload.kind is Kind.CPU and situation.workload.gil_share == 1.0:
        order = ["processes", "asyncio", "threads"]
    return order.index(name) if name in order else len(order)


def _compilers(situation: Situation) -> tuple[str, tuple[Rejected, ...]]:
    """The compiler to use, and the others with what rules them out."""
    taken = situation.settings.compiler or situation.compiler
    found = {name: compiler_barrier(name, situation) for name in COMPILERS}
    blocked = found[taken]
    if blocked is not None:
        raise blocked.error(f'compiler="{taken}" cannot compile {situation.traits.name}: {blocked.because}')
    rejected = []
    for name, barrier in found.items():
        if name == taken or (name == "python" and situation.settings.compiler is None):
            continue
        if barrier is not None:
            because, hint = barrier.because, ""
        elif situation.settings.compiler is not None:
            because, hint = f'compiler="{taken}" is demanded', f'compiler="{name}"'
        else:
            because, hint = "not tried", ""
        rejected.append(Rejected(Plan(compiler=name), because, hint))
    return taken, tuple(rejected)


def _rejected(rival: _Rival, taken: Plan) -> Rejected:
    if rival.against:
        return Rejected(rival.plan, rival.against[0].because, lifting_hint(rival.plan.backend, rival.against))
    if rival.plan.predicted is None:
        return Rejected(rival.plan, f"{taken} was taken before anything was measured")
    if taken.predicted is not None and rival.plan.predicted < taken.predicted:
        return Rejected(rival.plan, "predicted faster, but not by enough")
    return Rejected(rival.plan, "predicted slower")


def _offers(rejected: tuple[Rejected, ...], taken: Plan, situation: Situation) -> Iterator[str]:
    """Hints that would make it clearly faster."""
    for rival in rejected:
        cost = rival.plan.predicted
        if not rival.hint or cost is None or taken.predicted is None:
            continue
        if _clearly_better(rival.plan, taken.predicted, situation):
            gain = f"predicted {_seconds(cost)} instead of {_seconds(taken.predicted)}"
            yield f"hint {rival.hint} would allow {rival.plan.backend}: {gain}"


def _seconds(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
