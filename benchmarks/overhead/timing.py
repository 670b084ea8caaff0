"""Time small things against one another."""

from __future__ import annotations

import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

REPETITIONS = 9


@dataclass(frozen=True, slots=True)
class Row:
    """One rival: its figure, and how it stands to the first of its group."""

    name: str
    value: float
    over_first: float
    unit: str

    def as_list(self) -> list[object]:
        """For JSON."""
        return [self.name, self.value, self.over_first, self.unit]

    @classmethod
    def from_list(cls, row: Sequence[object]) -> Row:
        """From JSON."""
        name, value, over, unit = row
        return cls(str(name), float(str(value)), float(str(over)), str(unit))


def compare(rivals: Mapping[str, Callable[[int], object]], number: int, unit: str) -> list[Row]:
    """Time functions that each do something so many times; the least of several rounds in turn.

    Parameters
    ----------
    rivals
        Name -> function that gets the number of times. The first is what the others are compared with.
    number
        Times in one round.
    unit
        ``"ns"``, ``"us"`` or ``"ms"``, for one time.
    """
    scale = {"ns": 1e9, "us": 1e6, "ms": 1e3}[unit]
    best = dict.fromkeys(rivals, float("inf"))
    for _ in range(REPETITIONS):
        for name, work in rivals.items():
            best[name] = min(best[name], timeit.timeit(lambda work=work: work(number), number=1) / number)  # type: ignore[misc]
    first = next(iter(best.values()))
    return [Row(name, seconds * scale, (seconds - first) * scale, unit) for name, seconds in best.items()]


def table(rows: Sequence[Row], title: str, unit: str) -> str:
    """Figures, differences from the first row, and ratios, as text."""
    width = max(len(row.name) for row in rows)
    first = rows[0].value
    lines = [f"{title}, {unit}" if unit else title, f"{'':{width}}  {'each':>10}  {'over first':>10}  {'ratio':>6}"]
    lines += [
        f"{row.name:{width}}  {row.value:10.1f}  {row.over_first:10.1f}  {row.value / first:6.2f}" for row in rows
    ]
    return "\n".join(lines)
