"""``autopar explain NAME``: why a function ran as it did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from autopar._model.decision import Decision
from autopar._record import Store, duration
from autopar._record.explain import explain, moment, printable
from autopar._record.regret import regret
from autopar.cli.naming import FunctionName, near_names, patterns
from autopar.cli.screen import fail, put_json, put_table, store_trouble_ends_it


@click.command()
@click.argument("function", type=FunctionName())
@click.option(
    "-n", "--back", type=click.IntRange(min=1), default=1, show_default=True, help="The last decision, or one before."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(function: str, back: int, as_json: bool) -> None:
    """Say why FUNCTION ran as it did.

    Shows the evidence, every plan that was considered with what it was predicted to take and took, what ruled the
    others out, and the hint that would change it. FUNCTION is a name such as price or shop.price.
    """
    store = Store.from_environment()
    with store_trouble_ends_it():
        found: list[tuple[int, Decision]] = []
        for pattern in patterns(function):
            found = found or store.search(function=pattern, limit=back)
        if len(found) < back:
            _complain(store, function, len(found))
    decision = found[0][1]
    if as_json:
        put_json(_as_json(decision))
        return
    click.echo(moment(decision.started))
    click.echo(explain(replace(decision, trials=(), rejected=())))
    click.echo()
    put_table(("plan", "predicted", "actual", "why"), considered(decision), ("predicted", "actual"))
    known = regret(decision)
    if known is not None and known.better is not None:
        click.echo(
            f"\nThe best known of it is {known.better}: {printable(known.because)}. "
            f"This took {known.factor:.2f} times as long, {duration(known.seconds)} more."
        )
    if hints := dict.fromkeys(rival.hint for rival in decision.rejected if rival.hint):
        click.echo(f"\nHints that would change it: {printable(', '.join(hints))}")


def considered(decision: Decision) -> list[tuple[str, str, str, str]]:
    """Every plan of a decision: what it was predicted to take and took, and why it was taken or not."""
    rows = []
    tried = decision.trials or ()
    for trial in tried:
        last = trial is tried[-1]
        rows.append(
            (
                str(trial.plan),
                _time(trial.predicted),
                _time(trial.actual),
                f"chosen, ran {trial.items:,} items: {decision.why}" if last else f"tried with {trial.items:,} items",
            )
        )
    if not tried:
        rows.append((str(decision.plan), _time(decision.predicted), _time(decision.actual), decision.why or "chosen"))
    for rival in decision.rejected:
        name = str(rival.plan) if rival.plan.compiler == "python" else rival.plan.compiler
        hint = f" ({rival.hint} would allow it)" if rival.hint else ""
        rows.append((name, _time(rival.plan.predicted), "-", f"{rival.because}{hint}"))
    return rows


def _as_json(decision: Decision) -> dict[str, Any]:
    from autopar.cli.log import as_json

    row = as_json(decision)
    row["considered"] = [
        dict(zip(("plan", "predicted", "actual", "why"), cells, strict=True)) for cells in considered(decision)
    ]
    row["explanation"] = explain(decision)
    return row


def _complain(store: Store, function: str, number: int) -> None:
    if number:
        fail(f"only {number} of the decisions about {function} are kept")
    if store.path is None:
        fail("no store is kept: AUTOPAR_STORE says so")
    near = near_names(store, function)
    fail(
        f"nothing is known of {function}" + (f"; did you mean {', '.join(near)}?" if near else f" in {store.path}"),
    )


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
