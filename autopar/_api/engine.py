"""The names of the engine, and of the checks before it, that the wrappers use; :mod:`autopar._api.later` loads them."""

from __future__ import annotations

from autopar._api.arguments import check_buffersize, check_iterables, split_keywords
from autopar._api.config import settings_for
from autopar._engine.calls import submit_call, take_sample, target_of
from autopar._engine.functions import bound_state, state_for, state_of
from autopar._engine.journal import all_decisions, decision_table, decisions_of, explanation
from autopar._engine.maps import map_iterator, map_list

loaded = True

__all__ = [
    "all_decisions",
    "bound_state",
    "check_buffersize",
    "check_iterables",
    "decision_table",
    "decisions_of",
    "explanation",
    "loaded",
    "map_iterator",
    "map_list",
    "settings_for",
    "split_keywords",
    "state_for",
    "state_of",
    "submit_call",
    "take_sample",
    "target_of",
]
