"""Plan: from what is known of the work and the host to the way that finishes first and keeps the answer.

``situation`` what a planning knows; ``eligibility`` which ways keep the answer; ``costs`` and ``model`` what each would
take; ``rivals`` the best plan of each; ``race`` what is measured beforehand; ``second_look`` whether one item is enough
to plan on; ``planner`` the choice; ``chunks`` how many items travel together, ``rounds`` where they wait; ``climb``
how many may wait at once; ``memory`` how many workers and items fit into it.
Everything here is a function from data to data: no thread, no clock, no import of a backend.
"""

from __future__ import annotations

from autopar._plan.chunks import next_chunksize
from autopar._plan.climb import Climb
from autopar._plan.costs import DEFAULT_COSTS, Costs
from autopar._plan.eligibility import shows_overtaking
from autopar._plan.memory import items_that_fit
from autopar._plan.model import climb_start, cold_start
from autopar._plan.planner import WORTH_A_CLUSTER, choose, worth_planning
from autopar._plan.race import LEAST_RACE, RACERS, Race, best_race, gil_share_from_race
from autopar._plan.rounds import Rounds
from autopar._plan.second_look import second_look
from autopar._plan.situation import Situation

__all__ = [
    "DEFAULT_COSTS",
    "LEAST_RACE",
    "RACERS",
    "WORTH_A_CLUSTER",
    "Climb",
    "Costs",
    "Race",
    "Rounds",
    "Situation",
    "best_race",
    "choose",
    "climb_start",
    "cold_start",
    "gil_share_from_race",
    "items_that_fit",
    "next_chunksize",
    "second_look",
    "shows_overtaking",
    "worth_planning",
]
