"""What advice weighs besides the planner's prediction."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from autopar._model.observation import Host
from autopar._suggest.advice import Advice, Adviser, seconds_saved
from autopar._suggest.loading import START, measured_start
from autopar._suggest.program import Run


def paying(gain: float) -> Advice:
    return Advice("shop.py", 1, "for", "", "price", seconds=2.0, cpu_seconds=2.0, gain=gain, pays=True)


@pytest.mark.parametrize(
    ("gains", "start", "pays", "saved"),
    [([1.0], 0.3, True, 0.7), ([0.3, 0.4], 0.3, True, 0.4), ([0.3], 0.3, False, 0.0), ([], 0.3, False, 0.0)],
)
def test_the_library_has_to_be_repaid(gains: list[float], start: float, pays: bool, saved: float) -> None:
    """Maps are suggested where all of them together save enough after what loading the library takes, once."""
    run = Run(".", sampler=SimpleNamespace(stacks={}))
    adviser = Adviser(run, Host(cores=2), 0.2, lambda: start)
    advice = [paying(gain) for gain in gains]
    adviser._with_the_library(advice)
    assert [one.pays for one in advice] == [pays] * len(gains)
    assert seconds_saved(advice, adviser.start) == pytest.approx(saved)
    assert all("loading the library takes 0.3 s" in one.why for one in advice if not pays)


def test_loading_where_nothing_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without a name is taken to be like the one that was measured for the default."""
    monkeypatch.setattr(sys, "executable", "")
    assert measured_start() == START


@pytest.mark.slow
def test_loading_is_measured() -> None:
    """It takes some time, and less than a minute."""
    assert 0 < measured_start() < 60
