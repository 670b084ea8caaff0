"""``autopar log``: decisions of all programs, the newest last."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import click

from autopar._model.decision import Decision
from autopar._model.plan import BACKENDS, COMPILERS
from autopar._record import Store
from autopar._record.codec import to_json
from autopar._record.explain import HEADINGS, NUMBERS, cells, moment
from autopar._record.regret import regret
from autopar.cli.naming import FunctionName, Since, patterns
from autopar.cli.screen import fail, put_json, put_table, store_trouble_ends_it

_EVERY = 0.5
"""Seconds between two looks at the store with ``--follow``: what a reader does not feel, and a disk neither."""

_WENT_WRONG = "1.3"
"""Regret from which ``--regret`` lists a decision, without a figure: the worst that autopar allows itself."""


@click.command()
@click.argument("function", required=False, type=FunctionName())
@click.option("--since", type=Since(), help="Only from then on: 15m, 2h, 7d ago, or a date.")
@click.option("--backend", type=click.Choice(list(BACKENDS)), help="Only those that ended on this backend.")
@click.option("--compiler", type=click.Choice(list(COMPILERS)), help="Only those that ended with this compiler.")
@click.option("--failed", is_flag=True, help="Only those that ended with an exception.")
@click.option(
    "--regret",
    "least",
    type=click.FloatRange(min=1.0),
    is_flag=False,
    flag_value=_WENT_WRONG,
    help=f"Only those that took this many times as long as the best known of them [{_WENT_WRONG}].",
)
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new ones as they come; Ctrl-C ends it.")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON list; with --follow, one object a line.")
def command(
    function: str | None,
    since: float | None,
    backend: str | None,
    compiler: str | None,
    failed: bool,
    least: float | None,
    limit: int,
    follow: bool,
    json_wanted: bool,
) -> None:
    """List decisions of all programs, the newest last.

    FUNCTION is a name such as price or shop.price; * and ? stand for others.
    """
    store = Store.from_environment()

    def wanted(decision: Decision) -> bool:
        found = None if least is None else regret(decision)
        return least is None or (found is not None and found.factor >= least)

    def rows(after: int, most: int | None) -> list[tuple[int, Decision]]:
        for pattern in patterns(function) if function else (None,):
            found = store.search(
                function=pattern,
                backend=backend,
                compiler=compiler,
                since=since,
                failed=failed,
                after=after,
                limit=most,
                wanted=wanted,
            )
            if found:
                return found
        return []

    with store_trouble_ends_it():
        found = rows(0, limit)
        if follow:
            _follow(found, rows, json_wanted)
        elif json_wanted:
            put_json([as_json(decision) for _, decision in found])
        elif found:
            _put(found, with_regret=least is not None)
        elif store.path is None:
            fail("no store is kept: AUTOPAR_STORE says so")
        else:
            fail(f"no such decisions in {store.path}")


def _put(found: list[tuple[int, Decision]], *, with_regret: bool) -> None:
    headings = ["time", *HEADINGS]
    if with_regret:
        headings.insert(-1, "regret")
    rows = []
    for _, decision in found:
        row = [_when(decision), *cells(decision)]
        if with_regret:
            known = regret(decision)
            row.insert(-1, "-" if known is None else f"{known.factor:.2f}")
            row[-1] = "-" if known is None or known.better is None else f"better: {known.better}, {known.because}"
        rows.append(row)
    put_table(headings, rows, [*NUMBERS, "regret"])


def _follow(
    found: list[tuple[int, Decision]], more: Callable[[int, int | None], list[tuple[int, Decision]]], json_wanted: bool
) -> None:
    newest = 0
    try:
        while True:
            for _, decision in found:
                if json_wanted:
                    put_json(as_json(decision))
                else:
                    click.echo("  ".join((_when(decision), *cells(decision))))
            newest = found[-1][0] if found else newest
            time.sleep(_EVERY)
            found = more(newest, None)
    except KeyboardInterrupt:
        pass


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision for programs, with what is worked out of it."""
    known = regret(decision)
    row: dict[str, Any] = json.loads(to_json(decision))
    row["speedup"] = decision.speedup
    row["regret"] = None if known is None else known.factor
    return row


def _when(decision: Decision) -> str:
    return moment(decision.started).partition("-")[2] or "-"
