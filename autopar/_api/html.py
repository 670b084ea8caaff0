"""Decisions and decorated functions as a notebook shows them: small, escaped, in the notebook's own colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autopar._model.decision import Decision
from autopar._record.explain import HEADINGS, NUMBERS, cells, duration, explain
from autopar.report.markup import Markup, joined, tag

_STYLE = Markup(
    ".autopar{font-size:.9em;line-height:1.4;color:inherit}"
    ".autopar pre{margin:.3em 0 0;white-space:pre-wrap;color:inherit;background:none}"
    ".autopar summary{cursor:pointer}"
    ".autopar table{border-collapse:collapse}"
    ".autopar th,.autopar td{padding:.1em .6em;text-align:left;border-bottom:1px solid;border-color:#8886}"
    ".autopar .n{text-align:right;font-variant-numeric:tabular-nums}"
    ".autopar .q{opacity:.7}"
)
"""No colour is named but a translucent grey, so that light and dark pages both suit it."""

_MOST_ROWS = 20


def decision_html(decision: Decision) -> str:
    """One decision: its outcome, and the whole explanation to be opened.

    Examples
    --------
    >>> from autopar._model.plan import Plan
    >>> shown = decision_html(Decision(1, "shop.<lambda>", "map", 0.0, 3, None, Plan(), actual=0.1))
    >>> "shop.&lt;lambda&gt;" in shown, "<lambda>" in shown
    (True, False)
    """
    return _framed(_decision(decision))


def decisions_html(decisions: Sequence[Decision], said: str = "") -> str:
    """Many decisions: a table of the newest, and a sentence below it."""
    if not decisions:
        return _framed(tag("span", "No decisions.", class_="q"))
    shown = decisions[-_MOST_ROWS:]
    head = [tag("th", name, class_="n" if name in NUMBERS else None, scope="col") for name in HEADINGS]
    rows = [
        tag("tr", [tag("td", cell, class_="n" if name in NUMBERS else None) for name, cell in _named(decision)])
        for decision in shown
    ]
    left_out = len(decisions) - len(shown)
    more = tag("p", f"and {left_out:,} earlier", class_="q") if left_out else ""
    below = tag("p", said) if said else ""
    return _framed(tag("table", tag("thead", tag("tr", head)), tag("tbody", rows)), more, below)


def function_html(name: str, hints: Mapping[str, Any], decisions: Sequence[Decision]) -> str:
    """A decorated function: its hints and its latest decision."""
    given = ", ".join(f"{hint}={_brief(value)}" for hint, value in hints.items())
    title = tag("div", tag("code", f"@parallel{f'({given})' if given else ''} {name}"))
    latest = _decision(decisions[-1]) if decisions else tag("span", "Not mapped yet.", class_="q")
    return _framed(title, latest)


def _decision(decision: Decision) -> Markup:
    outcome, *rest = explain(decision).split("\n")
    return tag("details", tag("summary", outcome), tag("pre", "\n".join(rest))) if rest else tag("div", outcome)


def _named(decision: Decision) -> list[tuple[str, str]]:
    return list(zip(HEADINGS, cells(decision), strict=True))


def _brief(value: Any) -> str:
    """A hint's value, whose own code is not run for that."""
    plain = value is None or type(value) in (bool, int, float, str)
    return repr(value) if plain else f"<{type(value).__name__}>"


def _framed(*content: object) -> str:
    return str(tag("div", tag("style", _STYLE), joined(content), class_="autopar"))


def gain(decisions: Sequence[Decision]) -> str:
    """What some decisions saved against plain loops, in a sentence; empty where nobody knows."""
    estimated = [decision for decision in decisions if decision.serial_estimate is not None]
    if not estimated:
        return ""
    seconds = sum((decision.serial_estimate or 0.0) - decision.actual for decision in estimated)
    said = f"saved {duration(seconds)}" if seconds >= 0 else f"lost {duration(-seconds)}"
    return f"Against plain loops that {said}, by estimate."
