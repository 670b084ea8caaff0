"""What sort of work a function is."""

from __future__ import annotations

import enum

from autopar._model.light_dataclass import dataclass


class Kind(enum.Enum):
    """The sort of work, by what an item spends its time on."""

    TINY = "tiny"
    CPU = "cpu"
    IO = "io"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Workload:
    """The classifier's verdict.

    Attributes
    ----------
    kind
        Tiny, CPU-bound, I/O-bound or mixed.
    seconds_per_item, cpu_per_item
        Wall and CPU seconds of one item run alone.
    gil_share
        Share of an item's CPU time during which it holds the GIL, 0 to 1; None where it is not known.
    cores_per_item
        Cores one item uses by itself.
    confidence
        0 to 1: how far the evidence supports the verdict.
    evidence
        The facts behind it, each a short sentence.
    """

    kind: Kind
    seconds_per_item: float
    cpu_per_item: float
    gil_share: float | None = None
    cores_per_item: float = 1.0
    confidence: float = 0.5
    evidence: tuple[str, ...] = ()

    @property
    def wait_per_item(self) -> float:
        """Seconds of an item that are neither CPU nor anything else this process could use."""
        return max(0.0, self.seconds_per_item - self.cpu_per_item)
