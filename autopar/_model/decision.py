"""A decision: what was chosen for one map, on what evidence, and how it turned out."""

from __future__ import annotations

from dataclasses import dataclass

from autopar._model.plan import Plan, Rejected
from autopar._model.workload import Workload


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
    fallbacks
        What went differently from the plan, in words.
    error
        Type name of the exception that ended the operation, or an empty string.
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

    @property
    def speedup(self) -> float | None:
        """Estimated time of the plain loop over the measured time, or None where no estimate exists."""
        if self.serial_estimate is None or self.actual <= 0:
            return None
        return self.serial_estimate / self.actual
