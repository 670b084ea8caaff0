"""Whether one more item in the loop should tell what the others take, before workers are started for them."""

from __future__ import annotations

import math
from dataclasses import replace

from autopar._model.plan import BACKENDS, Plan
from autopar._plan.model import Load, load
from autopar._plan.rivals import best_plan, with_cost
from autopar._plan.situation import Situation

LONGER_FIRST = 0.25
"""Chance that a first item takes more than four times what the others do, as one that imports, connects or touches its
memory first: 12 of the 48 plain functions of benchmarks/regret in a fresh process."""

MUCH_LONGER = ((10.0, 5 / 6), (100.0, 1 / 6))
"""How many times longer such a one takes, and how often: the 12 had a geometric mean of 11, and two were above 100."""


def second_look(situation: Situation, plan: Plan) -> bool:
    """Tell whether the plan, which rests on one item alone, should wait for a second one.

    If the first item was like the others, the second one takes its time in the loop instead of beside others; if not,
    workers are started for items that may not need them. Both are weighed as regrets, in logarithms: what is taken
    over what the best would have taken. Threads are started for next to nothing, so they begin in any case; and of a
    few items a second one is a large part.
    """
    settings, work = situation.settings, load(situation)
    free = settings.backend is None and not settings.timed and not settings.eager
    if not free or BACKENDS[plan.backend].same_process or situation.profile.items != 1:
        return False
    if work.items < 2 or work.each <= 0:
        return False
    now = with_cost(plan, situation, work).predicted
    if not now:
        return False
    one_less = replace(situation, remaining=work.items - 1)
    later = work.each + best_plan(plan.backend, one_less, replace(work, items=work.items - 1)).cost
    if later > now * (1.0 + situation.costs.margin):
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
