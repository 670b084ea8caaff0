"""What a decision is said to have cost."""

from __future__ import annotations

import pytest
from hypothesis import given

from autopar._model.decision import Decision, Trial
from autopar._model.plan import LOOP, Plan, Rejected
from autopar._record.regret import regret
from tests.record.strategies import decisions

THREADS = Plan(backend="threads", workers=2)
PROCESSES = Plan(backend="processes", workers=2)
PRICED = Plan(backend="processes", workers=2, predicted=2.0)
NATIVE = Plan(compiler="native", backend="threads", workers=2)


def decision(**changes: object) -> Decision:
    fields: dict[str, object] = {
        "number": 1,
        "function": "shop.price",
        "operation": "map",
        "started": 0.0,
        "items": 100,
        "workload": None,
        "plan": THREADS,
        "actual": 4.0,
        **changes,
    }
    return Decision(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "factor", "better"),
    [
        ({"serial_estimate": 2.0}, 2.0, LOOP),
        ({"serial_estimate": 8.0}, 1.0, None),
        ({"trials": (Trial(PROCESSES, 50, 0.5), Trial(THREADS, 50, 3.5))}, 4.0, PROCESSES),
        ({"trials": (Trial(PROCESSES, 1, 0.001), Trial(THREADS, 99, 3.9))}, 4.0 / (3.9 / 99 * 100), THREADS),
        ({"trials": (Trial(NATIVE, 50, 0.001),), "serial_estimate": 8.0}, 1.0, None),
        ({"rejected": (Rejected(PRICED, "predicted slower"),)}, 2.0, PRICED),
        ({"rejected": (Rejected(PRICED, "predicted faster, but not by enough"),)}, 2.0, PRICED),
        ({"rejected": (Rejected(PRICED, "it writes to a global", "pure=True"),), "serial_estimate": 8.0}, 1.0, None),
    ],
    ids=["loop", "loop-slower", "trial", "trial-too-short", "trial-compiled", "rival", "near-rival", "ruled-out"],
)
def test_regret_is_the_time_over_the_best_that_is_known(
    changes: dict[str, object], factor: float, better: Plan | None
) -> None:
    """Plans that were ruled out, and paces that could not be had earlier, do not count."""
    found = regret(decision(**changes))
    assert found is not None
    assert found.factor == pytest.approx(factor)
    assert found.better == better


def test_nothing_to_compare_with_is_no_regret() -> None:
    """Without an estimate, a trial or a price there is no figure."""
    assert regret(decision()) is None


@given(decisions)
def test_regret_is_at_least_one(some: Decision) -> None:
    """Nothing is better than the best that is known."""
    found = regret(some)
    assert found is None or (found.factor >= 1.0 and found.seconds >= 0.0)
