"""What the report shows, worked out of decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autopar._model.decision import Decision
from autopar._record.regret import Regret, regret


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over decisions.

    Attributes
    ----------
    decisions, functions, failed
        How many.
    actual
        Seconds that they took together.
    saved
        Seconds that plain loops would have taken longer, where that was estimated.
    """

    decisions: int
    functions: int
    failed: int
    actual: float
    saved: float


@dataclass(frozen=True, slots=True)
class FunctionHistory:
    """All decisions about one function, the oldest first, each with its regret."""

    name: str
    decisions: tuple[Decision, ...]
    regrets: tuple[Regret | None, ...]

    @property
    def latest(self) -> Decision:
        """The newest one that says how a plan was chosen, or else the newest."""
        return next((one for one in reversed(self.decisions) if one.rejected or one.trials), self.decisions[-1])

    @property
    def totals(self) -> Totals:
        """Sums over its decisions."""
        return totals(self.decisions)


@dataclass(frozen=True, slots=True)
class Route:
    """One way that was considered, with its times in seconds where they are known."""

    name: str
    predicted: float | None
    actual: float | None
    why: str
    taken: bool = False


def totals(decisions: Sequence[Decision]) -> Totals:
    """Add decisions up."""
    saved = sum(one.serial_estimate - one.actual for one in decisions if one.serial_estimate is not None)
    return Totals(
        decisions=len(decisions),
        functions=len({one.function for one in decisions}),
        failed=sum(bool(one.error) for one in decisions),
        actual=sum(one.actual for one in decisions),
        saved=saved,
    )


def histories(decisions: Iterable[Decision]) -> list[FunctionHistory]:
    """Group decisions by function; those that took the most time come first."""
    by_name: dict[str, list[Decision]] = {}
    for one in decisions:
        by_name.setdefault(one.function, []).append(one)
    found = [FunctionHistory(name, tuple(kept), tuple(map(regret, kept))) for name, kept in by_name.items()]
    return sorted(found, key=lambda history: -history.totals.actual)


def routes(decision: Decision) -> list[Route]:
    """Every way that was considered for one map: those that ran, with what they took, then the others."""
    found = [
        Route(
            str(trial.plan),
            trial.predicted,
            trial.actual,
            f"ran {trial.items:,} item{'' if trial.items == 1 else 's'}",
            taken=True,
        )
        for trial in decision.trials
    ] or [Route(str(decision.plan), decision.predicted, decision.actual, decision.why or "chosen", taken=True)]
    for rival in decision.rejected:
        name = str(rival.plan) if rival.plan.compiler == "python" else rival.plan.compiler
        hint = f" ({rival.hint} would allow it)" if rival.hint else ""
        found.append(Route(name, rival.plan.predicted, None, f"{rival.because}{hint}"))
    return found
