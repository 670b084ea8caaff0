"""A decision: what was chosen for one map, on what evidence, and how it turned out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from autopar._model.light_dataclass import dataclass
from autopar._model.plan import LOOP, Plan, Rejected
from autopar._model.timeline import Timeline
from autopar._model.workload import Workload

ENDED_EARLY = "the whole of it ran before planning could pay"
"""Why a map that asked for no choice ran as it did."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One plan that was tried.

    Attributes
    ----------
    plan
        The plan; its own prediction was for all items that were left then.
    items
        Items it did.
    actual
        Seconds it was in force.
    predicted
        Seconds that were predicted for so many items, or None.
    """

    plan: Plan
    items: int
    actual: float
    predicted: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One planning and its outcome, as kept in the decision log. It holds no argument values.

    Attributes
    ----------
    number
        Position in this process's log, from 1.
    function
        ``module.qualname`` of the decorated function.
    operation
        The method that was called: ``"map"``, ``"imap"``, ``"submit"`` ...
    started
        Unix time, in seconds.
    items
        How many items ran.
    workload, plan, rejected, why
        The planner's reasons; ``plan`` is what the map ended with.
    predicted, actual
        Seconds for the whole operation, predicted when the plan was made, and measured.
    serial_estimate
        Seconds the plain loop would have taken, estimated from the items that ran alone.
    tried
        Plans in the order in which they ran, with the items each one did.
    trials
        The plans that were chosen, with what was predicted and what came.
    learned
        What of earlier maps was relied on, in words; empty if nothing was.
    fallbacks
        What went differently from the plan, in words.
    error
        Type name of the exception that ended the operation, or an empty string.
    timeline
        Who ran which chunks and when, for one of the newest maps that used workers; None for others.
    """

    number: int
    function: str
    operation: str
    started: float
    items: int
    workload: Workload | None
    plan: Plan
    rejected: tuple[Rejected, ...] = ()
    why: str = ""
    predicted: float | None = None
    actual: float = 0.0
    serial_estimate: float | None = None
    tried: tuple[tuple[Plan, int], ...] = ()
    notes: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    error: str = ""
    trials: tuple[Trial, ...] = ()
    learned: str = ""
    timeline: Timeline | None = field(default=None, compare=False, repr=False)

    @property
    def speedup(self) -> float | None:
        """Estimated time of the plain loop over the measured time, or None where no estimate exists."""
        if self.serial_estimate is None or self.actual <= 0:
            return None
        return self.serial_estimate / self.actual

    def _repr_html_(self) -> str | None:
        return None if _in_html is None else _in_html(self)


_in_html: Callable[[Decision], str] | None = None


def show_in_notebooks(in_html: Callable[[Decision], str]) -> None:
    """Say how a decision looks as HTML: a matter of the doors, which are not known here."""
    global _in_html
    _in_html = in_html


@dataclass(slots=True)
class Brief:
    """A map that ended in the loop before a choice could pay, in as few words as it deserves.

    Attributes
    ----------
    plan
        The loop, over the function as it is or compiled.
    serial_estimate
        Seconds that compiled items would have taken in Python, where that is known.
    times
        Maps that it stands for; their items and seconds are added up.
    """

    number: int
    function: str
    operation: str
    started: float
    items: int
    actual: float
    plan: Plan = LOOP
    serial_estimate: float | None = None
    times: int = 1

    def whole(self) -> Decision:
        """The same as a decision like any other."""
        return Decision(
            number=self.number,
            function=self.function,
            operation=self.operation,
            started=self.started,
            items=self.items,
            workload=None,
            plan=self.plan,
            why=ENDED_EARLY,
            actual=self.actual,
            serial_estimate=self.actual if self.plan == LOOP else self.serial_estimate,
            tried=((self.plan, self.items),) if self.items else (),
            notes=(f"stands for {self.times} maps, the first of which is number {self.number}",)
            if self.times > 1
            else (),
        )
