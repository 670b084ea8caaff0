"""What the analysis finds in small functions of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from autopar._effects import analyse
from autopar._model.effects import EffectKind, EffectReport
from tests.effects.cases import CASES
from tests.effects.table import Case


def report_of(case: Case) -> EffectReport:
    return analyse(case.function, argument_types=case.types)


def kinds_of(report: EffectReport) -> set[EffectKind]:
    return {effect.kind for effect in report.effects}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_analysis_finds_these_effects_and_no_other(case: Case) -> None:
    """Each small function has the kinds of effect that its table names."""
    report = report_of(case)
    assert kinds_of(report) == case.kinds, f"{case.because}: {[str(e) for e in report.effects]}"
    assert report.complete


def test_nothing_is_missed_and_little_is_suspected_wrongly(record_property: Any) -> None:
    """Of the impure functions no effect is missed; of the pure ones at least nine in ten are free of effects."""
    missed = [str(case) for case in CASES if case.kinds - kinds_of(report_of(case))]
    pure = [case for case in CASES if not case.kinds]
    alarms = [str(case) for case in pure if kinds_of(report_of(case))]
    record_property("missed", missed)
    record_property("false alarms", alarms)
    print(f"missed: {len(missed)} of {len(CASES) - len(pure)}; false alarms: {len(alarms)} of {len(pure)}")
    assert len(pure) >= 50
    assert len(CASES) - len(pure) >= 60
    assert missed == []
    assert len(alarms) <= len(pure) / 10
