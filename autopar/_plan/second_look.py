"""Whether one more item in the loop should tell what the others take, before workers are started for them."""

from __future__ import annotations

import math
from dataclasses import replace

from autopar._model.plan import BACKENDS, Plan
from autopar._model.workload import Kind
from autopar._plan.model import Load, load
from autopar._plan.rivals import best_plan, with_cost
from autopar._plan.situation import Situation

LONGER_FIRST = 0.17
"""Chance that a first item takes more than four times what the others do, as one that imports or touches its memory
first: 7 of the 41 plain functions of benchmarks/regret whose items take more than 50 us, in a fresh process."""

SMALL_PART = 0.5
"""Share of the planner's margin that a second item may cost at most. With all of it maps of few items lost more than
they risked (tests/simulation)."""

MUCH_LONGER = ((10.0, 5 / 7), (100.0, 2 / 7))
"""How many times longer such a one takes, and how often: five of the 7 took 4 to 13 times as long, two above 100."""


def second_look(situation: Situation, plan: Plan) -> bool:
    """Tell whether the plan, which rests on one item alone, should wait for a second one.

    If the first item was like the others, the second one takes its time in the loop instead of beside others; if not,
    workers are started for items that may not need them. Both are weighed as regrets, in logarithms: what is taken
    over what the best would have taken. Threads are started for next to nothing, so they begin in any case, and what
    waits is known too badly; of a few items a second one is a large part.
    """
    settings, work = situation.settings, load(situation)
    free = settings.backend is None and not settings.timed and not settings.eager
    if not free or BACKENDS[plan.backend].same_process or situation.profile.items != 1:
        return False
    if situation.workload.kind is not Kind.CPU or work.items < 2 or work.each <= 0:
        return False
    now = with_cost(plan, situation, work).predicted
    if not now:
        return False
    one_less = replace(situation, remaining=work.items - 1)
    later = work.each + best_plan(plan.backend, one_less, replace(work, items=work.items - 1)).cost
    if later > now * (1.0 + SMALL_PART * situation.costs.margin):
        return False
    lost = math.log(max(1.0, later / now))
    wrong = sum(often * _regret(plan, situation, _shorter(work, times)) for times, often in MUCH_LONGER)
    return LONGER_FIRST * wrong > (1.0 - LONGER_FIRST) * lost


def _shorter(work: Load, times: float) -> Load:
    """The work of items that take so many times less."""
    return replace(work, each=work.each / times, busy=work.busy / times, gil=work.gil / times)


def _regret(plan: Plan, situation: Situation, work: Load) -> float:
    """Logarithm of what the plan takes over what the best way takes."""
    ways = [best_plan(name, situation, work) for name in BACKENDS]
    best = min(way.cost for way in ways if not way.against)
    taken = with_cost(plan, situation, work).predicted
    return math.log(max(1.0, taken / best)) if taken and best > 0 else 0.0
