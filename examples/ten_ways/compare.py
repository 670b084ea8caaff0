"""Runs one way by hand and by autopar, and says what came of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autopar.errors import NotBuiltError, UnavailableError

DIFFERENT = "the results differ"


@dataclass(frozen=True)
class Way:
    """One of the ten ways.

    Attributes
    ----------
    name
        As people call it.
    hint
        What forces it, as it is written.
    chosen_in
        The benchmark case in which autopar picks it by itself, or why it never does.
    loop, by_hand, by_autopar
        Called with the items: the plain loop, the way as one writes it, and the same through ``@parallel``.
    items
        The work; ``few`` of it in a quick run.
    close
        Results may differ in their last digits, as the order of sums does by hand.
    """

    name: str
    hint: str
    chosen_in: str
    loop: Callable[[Sequence[Any]], list[Any]]
    by_hand: Callable[[Sequence[Any]], list[Any]]
    by_autopar: Callable[[Sequence[Any]], list[Any]]
    items: Sequence[Any]
    few: int = 4
    close: bool = False


@dataclass(frozen=True)
class Result:
    """What came of it: speedups over the plain loop, or why there is none."""

    way: Way
    works: str
    hand: float | None = None
    autopar: float | None = None


def run(way: Way, quick: bool = False) -> Result:
    """Time the three; the second of two runs of each counts, when workers and compiled code are there."""
    items = way.items[: way.few] if quick else way.items
    try:
        way.by_autopar(items)
    except (NotBuiltError, UnavailableError) as error:
        return Result(way, f"unavailable: {error}")
    try:
        way.by_hand(items)
    except ImportError as error:
        return Result(way, f"by hand it needs {error.name}")
    loop, right = _timed(way.loop, items)
    hand, other = _timed(way.by_hand, items)
    mine, ours = _timed(way.by_autopar, items)
    if not _same(ours, right) or not _same(other, right, close=way.close):
        return Result(way, DIFFERENT)
    return Result(way, "the results are equal", loop / hand, loop / mine)


def _timed(function: Callable[[Sequence[Any]], list[Any]], items: Sequence[Any]) -> tuple[float, list[Any]]:
    started = time.perf_counter()
    results = function(items)
    return time.perf_counter() - started, results


def _same(one: list[Any], other: list[Any], *, close: bool = False) -> bool:
    if len(one) != len(other):
        return False
    if close:
        import numpy

        return all(numpy.allclose(a, b) for a, b in zip(one, other, strict=True))
    return all(bool((a == b).all()) if hasattr(a, "all") else a == b for a, b in zip(one, other, strict=True))


def tell(way: Way, quick: bool = False) -> Result:
    """Run one way and print its line."""
    result = run(way, quick)
    print(f"{way.name}, forced by {way.hint}: {result.works}{_speedups(result)}")
    return result


def _speedups(result: Result) -> str:
    if result.hand is None or result.autopar is None:
        return ""
    return f"; by hand {result.hand:.2f} times as fast as the plain loop, by autopar {result.autopar:.2f} times"


def main(way: Way) -> None:
    """Run a way as a script; ``--quick`` for a fraction of the work, ``--row`` for its row of the table as JSON."""
    quick = "--quick" in sys.argv[1:]
    if "--row" in sys.argv[1:]:
        print(json.dumps(row(run(way, quick))))
    elif tell(way, quick).works == DIFFERENT:
        sys.exit(1)


HEADING = ("way", "works", "forced by", "by hand", "autopar", "chosen by itself in")


def row(result: Result) -> list[str]:
    """The cells of the table, and behind them why a way does not work."""
    works = result.hand is not None
    speedups = [f"{speedup:.2f}x" if speedup else "-" for speedup in (result.hand, result.autopar)]
    way = result.way
    return [way.name, "yes" if works else "no", way.hint, *speedups, way.chosen_in, "" if works else result.works]


def table(rows: Sequence[Sequence[str]]) -> str:
    """All rows for people, and why those that do not work do not."""
    shown = [HEADING, *(tuple(row[:-1]) for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(HEADING))]
    shown.insert(1, tuple("-" * width for width in widths))
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
    return "\n".join([*lines, *(f"{row[0]}: {row[-1]}" for row in rows if row[-1])])
