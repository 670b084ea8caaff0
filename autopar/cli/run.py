"""``autopar run SCRIPT``: runs a program, and says at its end what autopar did in it."""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Sequence

import click

from autopar._engine.journal import all_decisions
from autopar._model.decision import Decision
from autopar._record import duration
from autopar._record.explain import printable, table
from autopar.cli.screen import counted, fail, put_json


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is the name of a module.")
@click.option("--json", "json_wanted", is_flag=True, help="Say it as one JSON object, the last line of standard error.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(as_module: bool, json_wanted: bool, script: str, arguments: tuple[str, ...]) -> None:
    """Run SCRIPT with its ARGUMENTS, and say at its end what autopar did in it and what that gained.

    What it says goes to standard error. The exit status is the program's own.
    """
    if not as_module and not os.path.isfile(script):
        fail(f"there is no file {script}")
    sys.argv[:] = [script, *arguments]
    sys.path.insert(0, os.getcwd() if as_module else os.path.dirname(os.path.abspath(script)))
    began = time.perf_counter()
    try:
        if as_module:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script, run_name="__main__")
    finally:
        decisions, seconds = all_decisions(), time.perf_counter() - began
        if json_wanted:
            put_json(_as_json(decisions, seconds), err=True)
        else:
            click.echo(summary(decisions, seconds), err=True)


def summary(decisions: Sequence[Decision], seconds: float) -> str:
    """What autopar did in a program, in words.

    Parameters
    ----------
    decisions
        All of the program's.
    seconds
        What the program took.
    """
    if not decisions:
        return f"autopar: the program took {duration(seconds)} and called no function that autopar was asked to map"
    estimated = [decision for decision in decisions if decision.serial_estimate is not None]
    gained = sum((decision.serial_estimate or 0.0) - decision.actual for decision in estimated)
    functions = len({decision.function for decision in decisions})
    lines = [
        f"autopar: {counted(len(decisions), 'decision')} about {counted(functions, 'function')} in {duration(seconds)}",
        table(_together(decisions)),
    ]
    if estimated:
        said = f"saved {duration(gained)}" if gained >= 0 else f"lost {duration(-gained)}"
        lines.append(f"Against plain loops that {said}, by estimate: {duration(seconds + gained)} without autopar.")
    lines.append(f"More: autopar explain {printable(max(decisions, key=lambda one: one.actual).function)}")
    return "\n".join(lines)


def _as_json(decisions: Sequence[Decision], seconds: float) -> dict[str, object]:
    from autopar.cli.log import as_json

    gains = [one.serial_estimate - one.actual for one in decisions if one.serial_estimate is not None]
    return {"seconds": seconds, "gained": sum(gains), "decisions": [as_json(one) for one in decisions]}


def _together(decisions: Sequence[Decision], most: int = 20) -> list[Decision]:
    """The longest of each function, in the order of time."""
    longest: dict[str, Decision] = {}
    for decision in decisions:
        known = longest.get(decision.function)
        if known is None or decision.actual > known.actual:
            longest[decision.function] = decision
    chosen = sorted(longest.values(), key=lambda one: -one.actual)[:most]
    return sorted(chosen, key=lambda one: one.number)
