"""The page: an overview, a table of functions, and a section for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files

from autopar._model.decision import Decision
from autopar._model.timeline import Timeline
from autopar._record.explain import HEADINGS, NUMBERS, cells, duration, explain, moment
from autopar._record.regret import Regret
from autopar.report import timeline
from autopar.report.charts import Point, bars, over_time
from autopar.report.figures import FunctionHistory, Route, Totals, histories, routes, totals
from autopar.report.markup import Markup, joined, tag

MARK = "<!-- autopar report -->"
"""By which a file is known as a report."""

_MOST_ROWS = 50
_MOST_TIMELINES = 4
_WENT_WRONG = 1.3

_SAFETY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""Nothing is fetched from anywhere, whatever a name says."""


def report(decisions: Iterable[Decision], environment: Mapping[str, str], *, made: datetime | None = None) -> str:
    """Make the report.

    Parameters
    ----------
    decisions
        The oldest first.
    environment
        What it ran on, as ``{"Python": "3.13.0", ...}``.
    made
        When the report was made; now without it.

    Returns
    -------
    str
        One HTML document that needs no other file and no network. Names are shown as text, whatever they hold.

    Examples
    --------
    >>> page = report([], {"Python": "3.13.0"})
    >>> page.startswith("<!DOCTYPE html>"), "No decisions" in page
    (True, True)
    """
    known = list(decisions)
    grouped = histories(known)
    when = f"{made or datetime.now():%Y-%m-%d %H:%M}"
    body = [
        tag("a", "Skip to the functions", href="#functions", class_="skip"),
        tag("header", tag("h1", "autopar report"), tag("p", f"made {when}", class_="quiet")),
        tag("main", _overview(known, grouped), _functions(grouped), _environment(environment)),
        tag("script", Markup(_own("page.js"))),
    ]
    head = [
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_SAFETY}">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        tag("title", "autopar report"),
        tag("style", Markup(_own("page.css"))),
    ]
    return f"<!DOCTYPE html>\n{MARK}\n{tag('html', tag('head', head), tag('body', body), lang='en')}\n"


def _own(name: str) -> str:
    return files("autopar.report").joinpath(name).read_text(encoding="utf-8")


def _overview(decisions: Sequence[Decision], grouped: Sequence[FunctionHistory]) -> Markup:
    if not decisions:
        return tag("p", "No decisions are in the store yet: map something, and make the report again.")
    found = totals(decisions)
    wrong = [one for history in grouped for one in history.regrets if one is not None and one.factor >= _WENT_WRONG]
    facts = [
        ("saved, against plain loops" if found.saved >= 0 else "lost, against plain loops", duration(abs(found.saved))),
        ("decisions", f"{found.decisions:,}"),
        ("functions", f"{found.functions:,}"),
        ("went wrong", f"{len(wrong):,}"),
        ("ended with an exception", f"{found.failed:,}"),
    ]
    cards = [tag("div", tag("dt", name), tag("dd", value), class_="card") for name, value in facts]
    points = [
        _regret_point(one, known)
        for history in grouped
        for one, known in zip(history.decisions, history.regrets, strict=True)
        if known is not None
    ]
    chart = over_time(sorted(points, key=lambda point: point.time), "Regret over time", unit="x")
    shown = (
        tag("figure", tag("figcaption", "Regret: time taken, over the best that is known of it afterwards"), chart)
        if chart
        else ""
    )
    return tag("section", tag("h2", "Overview"), tag("dl", cards, class_="cards"), shown)


def _regret_point(decision: Decision, known: Regret) -> Point:
    words = f"{decision.function}: {known.factor:.2f} times the best known"
    return Point(decision.started, known.factor, words, loud=known.factor >= _WENT_WRONG)


def _functions(grouped: Sequence[FunctionHistory]) -> Markup:
    if not grouped:
        return Markup("")
    backends = sorted({one.plan.backend for history in grouped for one in history.decisions})
    chooser = [tag("option", "any backend", value=""), *(tag("option", name, value=name) for name in backends)]
    filters = tag(
        "form",
        tag("label", "Function ", Markup('<input type="search" id="by-name" autocomplete="off">')),
        tag("label", "Backend ", tag("select", chooser, id="by-backend")),
        tag("label", Markup('<input type="checkbox" id="only-wrong"> '), "went wrong"),
        tag("label", Markup('<input type="checkbox" id="only-failed"> '), "ended with an exception"),
        tag("output", f"{len(grouped)} shown", id="shown", aria_live="polite"),
        role="search",
    )
    sections = [_function(number, history) for number, history in enumerate(grouped)]
    return tag("section", tag("h2", "Functions"), filters, sections, id="functions")


def _function(number: int, history: FunctionHistory) -> Markup:
    found, latest = history.totals, history.latest
    wrong = any(known is not None and known.factor >= _WENT_WRONG for known in history.regrets)
    ways = routes(latest)
    plans = tag("figure", tag("figcaption", _legend()), bars(ways, f"Ways considered for {history.name}"))
    points = [
        Point(
            one.started,
            one.actual / one.items,
            f"{duration(one.actual / one.items)} an item on {one.plan}",
            bool(one.error),
        )
        for one in history.decisions
        if one.items and one.actual > 0
    ]
    times = over_time(points, f"Seconds an item of {history.name}, over time")
    return tag(
        "details",
        tag("summary", tag("h3", history.name), tag("span", _in_short(found, latest), class_="quiet")),
        tag("pre", explain(latest)),
        plans,
        _table(("way", "predicted", "actual", "why"), [_route_row(way) for way in ways], {"predicted", "actual"}),
        _timelines(history),
        tag("figure", tag("figcaption", "Time of an item, over its runs"), times) if times else "",
        _regret_figure(history),
        _history(history),
        class_="function",
        open=number == 0,
        data_name=history.name.lower(),
        data_backends=" ".join(sorted({one.plan.backend for one in history.decisions})),
        data_wrong="yes" if wrong else "no",
        data_failed="yes" if found.failed else "no",
    )


def _timelines(history: FunctionHistory) -> list[Markup]:
    """Who ran what, of the newest maps of which that is known: the last one drawn, others to be opened."""
    known = [(one, one.timeline) for one in history.decisions if one.timeline is not None and one.timeline.spans]
    drawn = [_timeline(one, spans) for one, spans in reversed(known[-_MOST_TIMELINES:])]
    earlier = tag(
        "details", tag("summary", "An earlier one" if len(drawn) == 2 else f"{len(drawn) - 1} earlier ones"), drawn[1:]
    )
    return [*drawn[:1], earlier] if len(drawn) > 1 else drawn


def _timeline(decision: Decision, spans: Timeline) -> Markup:
    found = timeline.shares(spans)
    caption = f"Workers of the map on {moment(decision.started)}, on {decision.plan}: {timeline.in_words(found)}"
    numbers = set(timeline.HEADINGS[1:])
    table = tag(
        "details",
        tag("summary", "The same in numbers"),
        _table(timeline.HEADINGS, timeline.rows(found), numbers),
    )
    return tag("figure", tag("figcaption", caption), timeline.drawing(decision, spans), table)


def _regret_figure(history: FunctionHistory) -> Markup:
    points = [
        _regret_point(one, known)
        for one, known in zip(history.decisions, history.regrets, strict=True)
        if known is not None
    ]
    chart = over_time(points, f"Regret of {history.name}, over time", unit="x")
    return tag("figure", tag("figcaption", "Regret, over its runs"), chart) if chart else Markup("")


def _legend() -> Markup:
    return joined(
        [tag("span", "predicted", class_="key predicted"), " and ", tag("span", "actual", class_="key actual"), " time"]
    )


def _in_short(found: Totals, latest: Decision) -> str:
    runs = "once" if found.decisions == 1 else f"{found.decisions:,} times"
    saved = f", saved {duration(found.saved)}" if found.saved > 0 else ""
    return f"mapped {runs}, {duration(found.actual)} in all{saved}; last on {latest.plan}"


def _route_row(way: Route) -> list[str]:
    times = (way.predicted, way.actual)
    return [way.name, *("-" if seconds is None else duration(seconds) for seconds in times), way.why]


def _history(history: FunctionHistory) -> Markup:
    rows = [[moment(one.started), *cells(one)[1:]] for one in reversed(history.decisions[-_MOST_ROWS:])]
    table = _table(("time", *HEADINGS[1:]), rows, NUMBERS)
    left_out = len(history.decisions) - len(rows)
    note = tag("p", f"{left_out:,} older ones are left out: autopar log", class_="quiet") if left_out else ""
    return tag("details", tag("summary", "Its run" if len(rows) == 1 else f"Its last {len(rows)} runs"), table, note)


def _environment(environment: Mapping[str, str]) -> Markup:
    rows = list(environment.items())
    return tag("section", tag("h2", "Environment"), _table(("what", "found"), rows, frozenset()))


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Iterable[str]) -> Markup:
    right = set(numbers)
    head = tag("tr", [tag("th", name, scope="col", class_="number" if name in right else None) for name in headings])
    body = [
        tag(
            "tr",
            [
                tag("td", cell, class_="number" if name in right else None)
                for name, cell in zip(headings, row, strict=True)
            ],
        )
        for row in rows
    ]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="scroll", tabindex=0)
