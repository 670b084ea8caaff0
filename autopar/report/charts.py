"""Charts as inline SVG: every mark has its words, so that a screen reader and a pointer get them too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autopar._record.explain import duration, moment
from autopar.report.figures import Route
from autopar.report.markup import Markup, tag

_WIDTH = 640
_NAME = 190
_ROW = 30
_BAR = 11
_HEIGHT = 150
_LEFT = 60
_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class Point:
    """One mark of a chart over time: Unix time, value, what it is in words, and whether it stands out."""

    time: float
    value: float
    words: str
    loud: bool = False


def bars(routes: Sequence[Route], title: str) -> Markup:
    """Draw predicted and actual seconds of each way, one row each, on one scale."""
    priced = [route for route in routes if route.predicted is not None or route.actual is not None]
    most = max((value for route in priced for value in (route.predicted, route.actual) if value), default=0.0)
    if not priced or most <= 0:
        return Markup("")
    scale = (_WIDTH - _NAME - 90) / most
    rows: list[Markup] = []
    for number, route in enumerate(priced):
        top = number * _ROW + 4
        rows.append(tag("text", shortened(route.name, 26), x=_NAME - 8, y=top + 15, class_="name"))
        marks = (("predicted", route.predicted), ("actual", route.actual))
        for place, (kind, value) in enumerate(marks):
            if value is None:
                continue
            y, width = top + place * (_BAR + 1), max(1.0, value * scale)
            said = f"{route.name}: {kind} {duration(value)}"
            rows.append(
                tag("rect", tag("title", said), x=_NAME, y=y, width=f"{width:.1f}", height=_BAR, class_=f"bar {kind}")
            )
            rows.append(tag("text", duration(value), x=f"{_NAME + width + 6:.1f}", y=y + _BAR - 1, class_="value"))
    return svg(_WIDTH, len(priced) * _ROW + 6, title, rows)


def over_time(points: Sequence[Point], title: str, unit: str = "s") -> Markup:
    """Draw values over time on a logarithmic scale, the newest to the right."""
    shown = [point for point in points if point.value > 0 and math.isfinite(point.value + point.time)][-_MOST_POINTS:]
    if len(shown) < 2:
        return Markup("")
    low, high = min(point.value for point in shown), max(point.value for point in shown)
    bottom, top = math.log10(low) - 0.1, math.log10(high) + 0.1
    first, last = shown[0].time, shown[-1].time
    marks = [
        tag("line", x1=_LEFT, x2=_WIDTH - 8, y1=y, y2=y, class_="grid")
        + tag("text", _with_unit(value, unit), x=_LEFT - 6, y=y + 4, class_="name")
        for value, y in ((high, _y(high, bottom, top)), (low, _y(low, bottom, top)))
    ]
    marks += [
        tag("text", moment(time), x=x, y=_HEIGHT + 12, class_="value", text_anchor=anchor)
        for time, x, anchor in ((first, _LEFT, "start"), (last, _WIDTH - 8, "end"))
    ]
    for point in shown:
        share = (point.time - first) / (last - first) if last > first else 0.5
        marks.append(
            tag(
                "circle",
                tag("title", f"{moment(point.time)}: {point.words}"),
                cx=f"{_LEFT + 8 + share * (_WIDTH - _LEFT - 24):.1f}",
                cy=f"{_y(point.value, bottom, top):.1f}",
                r=3.5,
                class_="dot loud" if point.loud else "dot",
            )
        )
    return svg(_WIDTH, _HEIGHT + 18, title, [Markup(mark) for mark in marks])


def _y(value: float, bottom: float, top: float) -> float:
    return 12 + (_HEIGHT - 24) * (top - math.log10(value)) / (top - bottom)


def _with_unit(value: float, unit: str) -> str:
    return duration(value) if unit == "s" else f"{value:.3g}{unit}"


def svg(width: int, height: int, title: str, content: Sequence[Markup], *, class_: str | None = None) -> Markup:
    """Make a drawing that says in its title what it shows."""
    box = f"0 0 {width} {height}"
    return tag("svg", tag("title", title), list(content), viewBox=box, role="img", aria_label=title, class_=class_)


def shortened(name: str, most: int) -> str:
    """Cut a name to so many characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
