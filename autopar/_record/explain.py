"""A decision in words, and many of them in a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from autopar._model.decision import Decision, Trial
from autopar._model.plan import Plan, Rejected
from autopar._model.workload import Kind

_KINDS = {
    Kind.TINY: "tiny items",
    Kind.CPU: "CPU-bound work",
    Kind.IO: "I/O-bound work",
    Kind.MIXED: "work that both computes and waits",
}
_UNITS = ((1e9, "ns"), (1e6, "µs"), (1e3, "ms"))
_WIDEST_FUNCTION = 40
_WIDEST_WHY = 60
HEADINGS = ("function", "items", "kind", "plan", "predicted", "actual", "speedup", "why")
NUMBERS = frozenset({"items", "predicted", "actual", "speedup"})
"""Headings of a table of decisions, and those whose columns are aligned to the right."""


def explain(decision: Decision) -> str:
    """Say what was chosen, why, what was not, and how it turned out.

    Parameters
    ----------
    decision
        One decision, of this process or out of the store.

    Returns
    -------
    str
        A few lines of text, without a newline at the end. Names are shown with control characters replaced.

    Examples
    --------
    >>> from autopar._model.workload import Workload
    >>> work = Workload(Kind.CPU, 0.005, 0.005, 1.0, confidence=0.9, evidence=("CPU time is 99% of the wall time",))
    >>> rival = Rejected(Plan(backend="threads", workers=2, predicted=1.0), "items hold the GIL")
    >>> print(explain(Decision(
    ...     1, "shop.price", "map", 0.0, 200, work, Plan(backend="processes", workers=2), (rival,),
    ...     why="two processes run Python at the same time", predicted=0.55, actual=0.5, serial_estimate=1.0,
    ... )))
    shop.price: map over 200 items ran on 2 processes in 500 ms, 2 times as fast as the plain loop's estimated 1 s.
    Why: two processes run Python at the same time.
    It was predicted to take 550 ms.
    It is CPU-bound work of 5 ms an item that holds the GIL for all of its CPU time (confidence 90%):
      - CPU time is 99% of the wall time
    Not chosen:
      - 2 threads, predicted 1 s: items hold the GIL
    """
    lines = [_outcome(decision)]
    if decision.why:
        lines.append(_sentence(f"Why: {decision.why}"))
    if decision.predicted is not None:
        lines.append(f"It was predicted to take {duration(decision.predicted)}.")
    lines += _work(decision)
    if decision.learned:
        lines.append(_sentence(f"It was planned on what was learned from {decision.learned}"))
    if any(trial.predicted is not None for trial in decision.trials):
        lines += _listed("Predicted and actual:", [_trial(trial) for trial in decision.trials])
    if len(decision.tried) > 1:
        lines += _listed("It ran in parts:", [f"{_count(items)} {_place(plan)}" for plan, items in decision.tried])
    lines += _listed("Not chosen:", _rivals(decision.rejected))
    lines += _listed("What went differently:", decision.fallbacks)
    lines += _listed("Notes:", decision.notes)
    return "\n".join(map(printable, lines))


def table(decisions: Iterable[Decision]) -> str:
    """Lay decisions out as a text table, one a line.

    Parameters
    ----------
    decisions
        In the order of the lines.

    Returns
    -------
    str
        Columns parted by two spaces: function, items, kind, plan, predicted and actual time, speed-up over the plain
        loop's estimate, and why. Long names and reasons are shortened.

    Examples
    --------
    >>> print(table([Decision(1, "shop.price", "map", 0.0, 3, None, Plan(), why="few items", actual=2e-6)]))
    function    items  kind  plan    predicted  actual  speedup  why
    ----------  -----  ----  ------  ---------  ------  -------  ---------
    shop.price      3  -     serial          -    2 µs        -  few items
    """
    rows = [tuple(map(printable, cells(decision))) for decision in decisions]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    rules = tuple("-" * width for width in widths)
    return "\n".join(_line(row, widths) for row in (HEADINGS, rules, *rows))


def duration(seconds: float) -> str:
    """Write a time with the unit that suits it, to three digits.

    Examples
    --------
    >>> [duration(seconds) for seconds in (2.5e-7, 0.000012, 0.0315, 2, 75, 4000)]
    ['250 ns', '12 µs', '31.5 ms', '2 s', '75 s', '1 h 6 min']
    """
    for factor, unit in _UNITS:
        if abs(seconds) * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    if abs(seconds) < 99.5 or not abs(seconds) < 1e9:  # the latter: infinite, or not a number
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(seconds: float) -> str:
    """Write a Unix time as local date and time; a hyphen for one that no calendar has.

    Examples
    --------
    >>> moment(float("nan"))
    '-'
    """
    try:
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "-"


def _outcome(decision: Decision) -> str:
    what = f"{decision.function}: {decision.operation} over {_count(decision.items)}"
    if decision.error:
        return f"{what} ended with {decision.error} after {duration(decision.actual)} on {_plan(decision.plan)}."
    ran = f"{what} ran {_place(decision.plan)} in {duration(decision.actual)}"
    if _serial(decision.plan) or decision.speedup is None or decision.serial_estimate is None:
        return f"{ran}."
    loop = f"the plain loop's estimated {duration(decision.serial_estimate)}"
    if decision.speedup < 1:
        return f"{ran}, slower than {loop}."
    return f"{ran}, {decision.speedup:.3g} times as fast as {loop}."


def _trial(trial: Trial) -> str:
    place, took = f"{_count(trial.items)} {_place(trial.plan)}", duration(trial.actual)
    if trial.predicted is None:
        return f"{place} took {took}"
    return f"{place}: predicted {duration(trial.predicted)}, took {took}"


def _work(decision: Decision) -> list[str]:
    work = decision.workload
    if work is None:
        return []
    said = f"It is {_KINDS[work.kind]} of {duration(work.seconds_per_item)} an item"
    if work.kind is Kind.TINY:
        said = f"Its items are tiny, {duration(work.seconds_per_item)} each"
    elif work.gil_share is not None and work.kind is not Kind.IO:
        said += f" that holds the GIL for {_share(work.gil_share)} of its CPU time"
    said += f" (confidence {work.confidence:.0%})"
    return _listed(f"{said}:", work.evidence) or [f"{said}."]


def _share(share: float) -> str:
    return "all" if share >= 0.995 else "none" if share < 0.005 else f"{share:.0%}"


def _rivals(rejected: Sequence[Rejected]) -> list[str]:
    """One point for each reason; rivals without a price that share one stand together."""
    together: dict[tuple[str, str], list[str]] = {}
    for rival in rejected:
        cost = "" if rival.plan.predicted is None else f", predicted {duration(rival.plan.predicted)}"
        name = _plan(rival.plan) if rival.plan.compiler == "python" else rival.plan.compiler
        way_in = f" ({rival.hint} would allow it)" if rival.hint else ""
        together.setdefault((cost, f"{rival.because}{way_in}"), []).append(name)
    return [f"{', '.join(names)}{cost}: {reason}" for (cost, reason), names in together.items()]


def _serial(plan: Plan) -> bool:
    return (plan.backend, plan.compiler) == ("serial", "python")


def _plan(plan: Plan) -> str:
    return "the plain loop" if _serial(plan) else str(plan)


def _place(plan: Plan) -> str:
    if plan.compiler != "python":
        code = f"as {plan.compiler} code"
        return code if plan.backend == "serial" else f"{code} on {replace(plan, compiler='python')}"
    return "in the plain loop" if _serial(plan) else f"on {plan}"


def _count(items: int) -> str:
    return "1 item" if items == 1 else f"{items:,} items"


def _listed(heading: str, points: Sequence[str]) -> list[str]:
    return [heading, *(f"  - {point}" for point in points)] if points else []


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def printable(text: str) -> str:
    r"""Replace what would break a line or command a terminal: names come from anywhere.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a\ufffd[31mb'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def cells(decision: Decision) -> tuple[str, ...]:
    """A decision's row in a table, under :data:`HEADINGS`."""

    def seconds(value: float | None) -> str:
        return "-" if value is None else duration(value)

    return (
        _shortened_left(decision.function, _WIDEST_FUNCTION),
        f"{decision.items:,}",
        "-" if decision.workload is None else decision.workload.kind.value,
        str(decision.plan),
        seconds(decision.predicted),
        seconds(decision.actual),
        "-" if decision.speedup is None else f"{decision.speedup:.2f}x",
        _shortened_right(f"{decision.error}: {decision.why}" if decision.error else decision.why, _WIDEST_WHY),
    )


def _shortened_left(text: str, width: int) -> str:
    return text if len(text) <= width else f"…{text[len(text) - width + 1 :]}"


def _shortened_right(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if heading in NUMBERS else cell.ljust(width)
        for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
    )
    return "  ".join(aligned).rstrip()
