"""Choose a plan: of the ways that keep the answer, the one predicted to finish first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autopar._model.hints import Settings
from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Choice, Plan, Rejected
from autopar._model.workload import Kind
from autopar._plan.costs import DEFAULT_COSTS, Costs
from autopar._plan.eligibility import compiler_barrier, consented, demand_error, lifting_hint
from autopar._plan.memory import MEMORY_SHARE
from autopar._plan.model import Load, load
from autopar._plan.race import on_trial
from autopar._plan.rivals import Rival, best_plan, clearly_better, with_cost, workers_for_memory
from autopar._plan.situation import Situation

__all__ = [
    "WORTH_A_CLUSTER",
    "Situation",
    "choose",
    "worth_planning",
]

WORTH_A_CLUSTER = 1.0
"""Seconds of the loop below which nobody asks a cluster: connecting to one and measuring it takes 0.2 to 0.5 s
(distributed 2026.8 on one machine)."""

NEAR_TIE = 1.5
"""Factor within which threads are preferred for items that wait. Unmeasured: as far as GIL shares are guessed wrong."""


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
    rivals = {name: best_plan(name, situation, work) for name in BACKENDS}
    compiler, compilers = _compilers(situation)
    with_workers = _with_workers(rivals["processes"], situation, work)
    if situation.settings.backend is not None:
        taken, why, notes = _as_demanded(situation.settings.backend, rivals, situation)
    else:
        taken, why, notes = _freely(_with_credit(rivals, with_workers, situation), situation)
        if taken.backend == "processes" and taken != rivals["processes"].plan:
            taken = rivals["processes"].plan
            why = f"worker processes are worth their start: earlier maps have lost {_seconds(situation.missed)} without"
    plan = replace(taken, compiler=compiler)
    rejected = tuple(_rejected(rival, plan) for name, rival in rivals.items() if name != plan.backend)
    return Choice(
        plan=plan,
        workload=situation.workload,
        rejected=rejected + compilers,
        why=why,
        serial_seconds=rivals["serial"].plan.predicted,
        with_workers=with_workers,
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
    if settings.backend is not None or settings.must_compile or settings.timed:
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


def _memory_note(plan: Plan, situation: Situation, work: Load) -> Iterator[str]:
    """Says so where there was not memory for a worker on each core."""
    fitting = workers_for_memory(plan.backend, situation, work)
    if plan.workers == fitting < min(situation.cores, work.items):
        gigabytes = (situation.host.memory or 0) / 1e9
        yield f"{fitting} workers are what {MEMORY_SHARE:.0%} of the {gigabytes:.3g} GB of memory that are left hold"


def _as_demanded(name: str, rivals: dict[str, Rival], situation: Situation) -> tuple[Plan, str, list[str]]:
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


def _one_in_order(rival: Rival, situation: Situation) -> Plan:
    plan = replace(rival.plan, workers=1, adaptive=False)
    return with_cost(plan, situation, load(situation))


def _overlap_note(rival: Rival, plan: Plan) -> str:
    """Why one worker runs the items in order, and what would let them overlap."""
    note = f"{rival.against[0].because}; so one worker runs the items in order"
    hint = lifting_hint(rival.plan.backend, rival.against)
    if not hint:
        return note
    note += f"; hint {hint} would let them overlap"
    if rival.plan.predicted is None or plan.predicted is None:
        return note
    return f"{note}: predicted {_seconds(rival.plan.predicted)} instead of {_seconds(plan.predicted)}"


def _with_workers(rival: Rival, situation: Situation, work: Load) -> float | None:
    """What processes would take if their workers were there; None where they are, or where they cannot be used."""
    if rival.against or rival.plan.predicted is None or situation.items < 1:
        return None
    if situation.warm.get("processes", 0) >= rival.plan.workers:
        return None
    there = replace(situation, warm={**situation.warm, "processes": situation.cores}, loading={})
    return best_plan("processes", there, work).plan.predicted


def _with_credit(rivals: dict[str, Rival], with_workers: float | None, situation: Situation) -> dict[str, Rival]:
    """Take from the price of new workers what earlier maps have lost without them, as far as it is their start.

    So they are started once that is repaid, and all maps together take at most twice what the best in hindsight would
    have taken (ski rental: Karlin et al., Competitive snoopy caching, Algorithmica 3, 1988).
    """
    if with_workers is None or not situation.missed > 0.0:
        return rivals
    processes = rivals["processes"]
    price = max(with_workers, processes.cost - situation.missed)
    return {**rivals, "processes": replace(processes, plan=replace(processes.plan, predicted=price))}


def _freely(rivals: dict[str, Rival], situation: Situation) -> tuple[Plan, str, list[str]]:
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
    if clearly_better(best.plan, serial.cost, situation):
        return best.plan, f"predicted {_seconds(best.cost)} with {best.plan} against {against}", []
    return serial.plan, f"no way is predicted to beat {against} ({best.plan}: {_seconds(best.cost)})", []


def _not_serially(
    open_ways: list[Rival], rivals: dict[str, Rival], situation: Situation
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


def _rejected(rival: Rival, taken: Plan) -> Rejected:
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
        if clearly_better(rival.plan, taken.predicted, situation):
            gain = f"predicted {_seconds(cost)} instead of {_seconds(taken.predicted)}"
            yield f"hint {rival.hint} would allow {rival.plan.backend}: {gain}"


def _seconds(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
