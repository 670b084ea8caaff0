"""What a decision may have cost: the time that a map took, over the best that is known of it afterwards."""

from __future__ import annotations

import math

from autopar._model.decision import Decision
from autopar._model.light_dataclass import dataclass
from autopar._model.plan import LOOP, Plan

LEAST_SHARE = 0.02
"""Part of a map's items that a plan must have run for its pace to speak for all of them."""


@dataclass(frozen=True, slots=True)
class Regret:
    """How far a map was from the best that is known of it.

    Attributes
    ----------
    factor
        Measured seconds over those of the best; 1.0 where nothing better is known.
    seconds
        Measured seconds less those of the best.
    better
        The plan that would have been better, or None.
    because
        How that is known, in words.
    """

    factor: float
    seconds: float
    better: Plan | None = None
    because: str = ""


def regret(decision: Decision) -> Regret | None:
    """Compare what a map took with the plain loop's estimate, with the plans it tried, and with those it passed over.

    Parameters
    ----------
    decision
        A map that is over.

    Returns
    -------
    Regret or None
        None where there is nothing to compare with. Plans that would not have kept the answer do not count.

    Examples
    --------
    >>> threads = Plan(backend="threads", workers=2)
    >>> found = regret(Decision(1, "shop.price", "map", 0.0, 9, None, threads, actual=3.0, serial_estimate=2.0))
    >>> found.factor, str(found.better), found.because
    (1.5, 'serial', 'the plain loop was estimated')
    """
    if not decision.actual > 0:
        return None
    known: list[tuple[float, Plan, str]] = []
    if decision.serial_estimate is not None:
        known.append((decision.serial_estimate, LOOP, "the plain loop was estimated"))
    for trial in decision.trials:
        if trial.plan.compiler != "python":
            continue  # its pace could not be had before the compiler was done
        if trial.items >= LEAST_SHARE * decision.items > 0 and trial.actual > 0:
            pace = trial.actual / trial.items * decision.items
            known.append((pace, trial.plan, f"it ran {trial.items:,} of the items at that pace"))
    # What was ruled out for another reason may have a price too, but it was never a choice.
    passed_over = [rival.plan for rival in decision.rejected if rival.because.startswith("predicted")]
    known += [(plan.predicted, plan, "so it was predicted") for plan in passed_over if plan.predicted]
    known = [row for row in known if 0 < row[0] < math.inf]
    if not known:
        return None
    best, plan, because = min(known, key=lambda row: row[0])
    if best >= decision.actual:
        return Regret(1.0, 0.0)
    return Regret(decision.actual / best, decision.actual - best, plan, because)
