"""Timelines in the store: of the newest maps that used workers, beside their decisions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from autopar._model.decision import Decision
from autopar._model.timeline import Span, Timeline

if TYPE_CHECKING:
    from sqlite3 import Connection

# A timeline takes 2 to 8 kB: some 4 MB at most.
NEWEST = 500

SCHEMA = ("CREATE TABLE timelines (decision INTEGER PRIMARY KEY, json TEXT NOT NULL)",)
"""What version 3 of the store added."""

_KEEP = "INSERT OR REPLACE INTO timelines (decision, json) VALUES (?, ?)"
_PRUNE = (
    "DELETE FROM timelines WHERE decision <= (SELECT decision FROM timelines ORDER BY decision DESC LIMIT 1 OFFSET ?)"
)
_ORPHANS = "DELETE FROM timelines WHERE decision NOT IN (SELECT id FROM decisions)"
_READ = "SELECT decision, json FROM timelines"

_UNIT = 1e-6


def to_json(timeline: Timeline) -> str:
    """Write a timeline, its times in whole microseconds.

    Examples
    --------
    >>> to_json(Timeline(("thread 1",), (Span(0, 0.0, 0.5, 4, 1, 0.5),)))
    '{"workers":["thread 1"],"spans":[[0,0,500000,4,1,500000]]}'
    """
    spans = [
        [span.worker, _whole(span.start), _whole(span.end), span.items, span.chunks, _whole(span.busy)]
        for span in timeline.spans
    ]
    return json.dumps({"workers": timeline.workers, "spans": spans}, separators=(",", ":"))


def from_json(text: str) -> Timeline | None:
    """Read a timeline; None where the text is none.

    Examples
    --------
    >>> from_json('{"workers":["thread 1"],"spans":[[0,0,500000,4,1,500000]]}').spans
    (Span(worker=0, start=0.0, end=0.5, items=4, chunks=1, busy=0.5),)
    >>> from_json('{"workers":[],"spans":[[0,0,500000,4,1,500000]]}') is None
    True
    """
    try:
        row = json.loads(text)
        workers = tuple(map(str, row["workers"]))
        spans = tuple(
            Span(int(worker), start * _UNIT, end * _UNIT, int(items), int(chunks), busy * _UNIT)
            for worker, start, end, items, chunks, busy in row["spans"]
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    if not all(0 <= span.worker < len(workers) and 0 <= span.start <= span.end for span in spans):
        return None
    return Timeline(workers, spans)


def _whole(seconds: float) -> int:
    return round(seconds / _UNIT)


def write(connection: Connection, decisions: Iterable[tuple[int | None, Decision]]) -> None:
    """Keep the timelines of decisions that have just got their numbers."""
    rows = [
        (number, to_json(decision.timeline))
        for number, decision in decisions
        if decision.timeline is not None and decision.timeline.spans
    ]
    if rows:
        connection.executemany(_KEEP, rows)
        connection.execute(_PRUNE, (NEWEST,))


def put_in(connection: Connection, rows: list[tuple[int, Decision]]) -> list[tuple[int, Decision]]:
    """Give decisions their timelines, as far as these are kept and can be read."""
    wanted = {number for number, _ in rows}
    kept = {number: from_json(text) for number, text in connection.execute(_READ) if number in wanted}
    return [
        (number, replace(decision, timeline=kept[number]) if number in kept else decision) for number, decision in rows
    ]


def forget_orphans(connection: Connection) -> None:
    """Delete the timelines of decisions that are gone: their numbers may be given again."""
    connection.execute(_ORPHANS)
