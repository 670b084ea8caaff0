"""The table of effects in docs/same-answer.md is the table that the planner uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autopar._model.effects import EffectKind
from autopar._plan.eligibility import RULES, Lifts

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "same-answer.md").read_text(encoding="utf-8")
ROWS = {cells[0]: cells[1:3] for cells in re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", TEXT, re.M)}


def cell(lifts: Lifts) -> str:
    """What the table says of one column of a rule."""
    if lifts is None:
        return "free"
    return ", ".join(f"`{hint}`" for hint in lifts) if lifts else "never"


@pytest.mark.parametrize("kind", EffectKind, ids=lambda kind: kind.name)
def test_the_documented_effect_is_the_rule(kind: EffectKind) -> None:
    """Each effect has its row, with the hints that lift what it excludes."""
    rule = RULES[kind]
    assert ROWS[kind.value] == (cell(rule.overlap), cell(rule.elsewhere))
