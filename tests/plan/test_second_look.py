"""Whether a second item in the loop should tell what the others take, before workers are started for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autopar._model.observation import Host
from autopar._plan import Situation, choose, second_look
from tests.plan.cases import situation

BIG = Host(cores=24, python="3.11.7")


def first(seconds: float, remaining: int | None, **more: Any) -> Situation:
    """A planning after one item of so many seconds."""
    case = situation(seconds, remaining, seen=1, **more)
    case.profile.items = case.profile.runs = 1
    case.profile.wall = case.profile.cpu = seconds
    return case


LOOKS: list[tuple[str, Situation, bool]] = [
    ("an import that all cores would be started for", first(7e-3, 300, host=BIG), True),
    ("the same before few others", first(7e-3, 30, host=BIG), False),
    ("four heavy items", first(60e-3, 3), False),
    ("eight heavy items on many cores", first(60e-3, 7, host=BIG), False),
    ("workers that are there already", first(7e-3, 300, host=BIG, warm={"processes": 24}), False),
    ("so much that workers repay themselves anyway", first(5.0, 200), False),
    ("what stays in the loop", first(1e-3, 20), False),
    ("what threads take without the GIL", first(7e-3, 300, host=BIG, facts={"gil_seconds": 0.0}), False),
    ("waits, which threads take in any case", first(20e-3, 100, cpu=0.0), False),
    ("a second one was seen", situation(7e-3, 300, host=BIG), False),
    ("one item left", first(1.0, 1), False),
    ("of unknown number", first(7e-3, None, host=BIG), False),
    ("demanded", first(7e-3, 300, host=BIG, backend="processes"), False),
    ("eager", first(7e-3, 300, host=BIG, eager=True), False),
]


@pytest.mark.parametrize(("case", "wanted"), [c[1:] for c in LOOKS], ids=[c[0] for c in LOOKS])
def test_a_second_item_is_looked_at_where_that_is_cheap_against_what_a_wrong_first_one_costs(
    case: Situation, wanted: bool
) -> None:
    """A start of workers is at stake, and the second item is a small part of what is left."""
    assert second_look(case, choose(case).plan) is wanted


def test_workers_that_can_be_forked_put_less_at_stake() -> None:
    """What is weighed are prices: of a cheap start less is lost."""
    case = first(20e-3, 400)
    assert [second_look(each, choose(each).plan) for each in (case, replace(case, forkable=True))] == [True, False]
