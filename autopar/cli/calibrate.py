"""``autopar calibrate``: what this machine costs."""

from __future__ import annotations

from dataclasses import asdict

import click

from autopar._engine.calibrating import calibrate, known_calibration
from autopar._engine.journal import decision_log
from autopar._model.calibration import MEASURABLE, Calibration
from autopar._record.explain import printable
from autopar.cli.screen import fail, put_json, store_trouble_ends_it


@click.command()
@click.option("--show", is_flag=True, help="Only show what is known; measure nothing.")
@click.option(
    "--seconds", type=click.FloatRange(min=0.05), default=1.0, show_default=True, help="Begin no trial after so many."
)
@click.option("--json", "json_wanted", is_flag=True, help="As one JSON object.")
def command(show: bool, seconds: float, json_wanted: bool) -> None:
    """Measure what this machine costs, and keep it.

    Nobody has to: it is measured piece by piece after maps that were long. Worker processes, threads, pickling, memory
    and what a second core really adds are measured in under a second.
    """
    with store_trouble_ends_it():
        known = known_calibration() if show else calibrate(seconds)
        decision_log().flush()
    if not known.quantities:
        fail("nothing is known of this machine yet: run autopar calibrate")
    if json_wanted:
        put_json(_as_json(known))
    else:
        click.echo("\n".join(map(printable, str(known).splitlines())))


def _as_json(known: Calibration) -> dict[str, object]:
    return {
        "host": known.host,
        "conditions": known.conditions,
        "quantities": {
            name: {**asdict(quantity), "unit": MEASURABLE[name].unit, "what": MEASURABLE[name].what}
            for name, quantity in known.quantities.items()
        },
    }
