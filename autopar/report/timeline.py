"""The workers of one map over its time: a drawing, and the same in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autopar._model.decision import Decision
from autopar._model.timeline import ALL_OTHERS, CALLER, Span, Timeline
from autopar._record.explain import duration
from autopar.report.charts import shortened, svg
from autopar.report.markup import Markup, tag

_WIDTH = 860
_NAME = 150
_END = 12
_TALL, _LOW = 20, 6
_MANY = 24
_AXIS = 22
_STRAGGLES = 2.0
"""Times the mean of the other chunks from which the last one is called a straggler."""


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What one worker did of a map, times in seconds since the map began."""

    name: str
    items: int
    chunks: int
    busy: float
    first: float
    last: float
    idle: float


@dataclass(frozen=True, slots=True)
class Shares:
    """What the workers of a map did.

    Attributes
    ----------
    workers
        In the order in which they began.
    team
        How many of these were there for the map alone: neither the caller's thread nor those put together.
    began
        Seconds after which the first of the team began.
    occupied
        Share of the team's time, from its first chunk to its last, that went into items.
    tail
        Seconds at the end during which at least one of the team had nothing left to do.
    straggler
        The span that ended last, if the others waited for it and its chunks took far longer than theirs; or None.
    """

    workers: tuple[WorkerShare, ...]
    team: int
    began: float
    occupied: float
    tail: float
    straggler: Span | None


def shares(timeline: Timeline) -> Shares:
    """Add the spans up.

    Examples
    --------
    >>> found = shares(Timeline(("thread 1", "thread 2"), (Span(0, 0.0, 1.0, 9, 1, 1.0), Span(1, 0.0, 4.0, 1, 1, 4.0))))
    >>> found.tail, found.occupied, found.straggler
    (3.0, 0.625, Span(worker=1, start=0.0, end=4.0, items=1, chunks=1, busy=4.0))
    """
    spans = timeline.spans
    extent = max(span.end for span in spans) - min(span.start for span in spans)
    workers = tuple(
        _share(name, [span for span in spans if span.worker == number], extent)
        for number, name in enumerate(timeline.workers)
    )
    team = [worker for worker in workers if worker.name not in (CALLER, ALL_OTHERS)] or list(workers)
    began, ended = min(worker.first for worker in team), max(worker.last for worker in team)
    possible = len(team) * (ended - began)
    occupied = min(1.0, sum(worker.busy for worker in team) / possible) if possible > 0 else 1.0
    tail = ended - min(worker.last for worker in team)
    last = max(spans, key=lambda span: span.end)
    straggles = tail > 0.1 * (ended - began) and last.busy / last.chunks > _STRAGGLES * _mean_of_others(spans, last)
    return Shares(workers, len(team), began, occupied, tail, last if straggles else None)


def _mean_of_others(spans: Sequence[Span], one: Span) -> float:
    """Seconds of a chunk in all spans but one."""
    chunks = sum(span.chunks for span in spans) - one.chunks
    return (sum(span.busy for span in spans) - one.busy) / max(1, chunks)


def _share(name: str, spans: Sequence[Span], extent: float) -> WorkerShare:
    busy = sum(span.busy for span in spans)
    return WorkerShare(
        name,
        sum(span.items for span in spans),
        sum(span.chunks for span in spans),
        busy,
        min(span.start for span in spans),
        max(span.end for span in spans),
        max(0.0, extent - busy),
    )


def drawing(decision: Decision, timeline: Timeline) -> Markup:
    """Draw a row for each worker, with a mark for each chunk, or for neighbours that were put together."""
    found = shares(timeline)
    end = max(decision.actual, *(span.end for span in timeline.spans))
    if end <= 0:
        return Markup("")
    row = _TALL if len(timeline.workers) <= _MANY else _LOW
    high = len(timeline.workers) * row
    scale = (_WIDTH - _NAME - _END) / end
    marks = list(_axis(end, scale, high))
    for number, name in enumerate(timeline.workers):
        if row == _TALL or number % 8 == 0:
            words = tag("text", shortened(name, 24), x=_NAME - 8, y=number * row + row * 0.5 + 4, class_="name")
            marks.append(words)
        marks.append(
            tag("rect", x=_NAME, y=number * row + 1, width=f"{end * scale:.1f}", height=row - 2, class_="lane")
        )
    for span in timeline.spans:
        kind = "span loud" if span is found.straggler else "span here" if _here(timeline, span) else "span"
        share = span.busy / (span.end - span.start) if span.end > span.start else 1.0
        marks.append(
            tag(
                "rect",
                tag("title", words_of(timeline.workers[span.worker], span)),
                x=f"{_NAME + span.start * scale:.2f}",
                y=span.worker * row + 1,
                width=f"{max(0.75, (span.end - span.start) * scale - 0.4):.2f}",
                height=row - 2,
                class_=kind,
                fill_opacity=None if span.chunks == 1 else f"{0.25 + 0.75 * min(1.0, share):.2f}",
            )
        )
    title = f"Who ran which part of a map of {decision.function}, and when: {in_words(found)}"
    return svg(_WIDTH, high + _AXIS, title, marks, class_="wide")


def _here(timeline: Timeline, span: Span) -> bool:
    return timeline.workers[span.worker] == CALLER


def _axis(end: float, scale: float, high: int) -> list[Markup]:
    marks = []
    for part in range(5):
        seconds = end * part / 4
        x = _NAME + seconds * scale
        anchor = "start" if part == 0 else "end" if part == 4 else "middle"
        marks.append(tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=high + 4, class_="grid"))
        said = duration(seconds) if part else "0"
        marks.append(tag("text", said, x=f"{x:.1f}", y=high + 17, class_="value", text_anchor=anchor))
    return marks


def words_of(worker: str, span: Span) -> str:
    """Say what a mark stands for.

    Examples
    --------
    >>> words_of("thread 1", Span(0, 0.0, 0.5, 40, 2, 0.4))
    'thread 1, from 0 s to 500 ms: 2 chunks of 40 items, at work for 400 ms'
    """
    what = f"{span.items:,} item{'' if span.items == 1 else 's'}"
    if span.chunks > 1:
        what = f"{span.chunks:,} chunks of {what}, at work for {duration(span.busy)}"
    return f"{worker}, from {duration(span.start) if span.start else '0 s'} to {duration(span.end)}: {what}"


def in_words(found: Shares) -> str:
    """Say in a sentence how well the workers were used."""
    said = f"{found.team} workers were" if found.team > 1 else "one worker was"
    said += f" at work {found.occupied:.0%} of the time"
    if found.began > 0:
        said += f" from the first chunk, at {duration(found.began)}, to the last"
    if found.team > 1 and found.tail > 0:
        said += f"; for the last {duration(found.tail)} not all had something to do"
    if found.straggler is not None:
        worker = found.workers[found.straggler.worker].name
        said += f", for a chunk of {found.straggler.items:,} on {worker} took far longer than the others"
    return said


def rows(found: Shares) -> list[list[str]]:
    """The drawing as a table, a row for each worker."""
    return [
        [
            worker.name,
            f"{worker.chunks:,}",
            f"{worker.items:,}",
            duration(worker.busy),
            duration(worker.idle),
            duration(worker.first),
            duration(worker.last),
        ]
        for worker in found.workers
    ]


HEADINGS = ("worker", "chunks", "items", "at work", "idle", "began at", "ended at")
