"""``autopar suggest SCRIPT``: where ``@parallel`` would pay in a program that does without, and the patch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from autopar._engine.calibrating import calibrate, known_calibration
from autopar._model.observation import Host
from autopar._observe.host import observe_host
from autopar._record import duration
from autopar._record.explain import printable
from autopar._suggest.advice import Advice, Adviser, seconds_saved
from autopar._suggest.loading import START, measured_start
from autopar._suggest.patch import rewritten, unified_diff
from autopar._suggest.program import INTERRUPTED, Run, file_encoding, run_program
from autopar.cli.screen import fail, put_json, put_table, store_trouble_ends_it

NOTHING, PROGRAM_FAILED = 1, 3
"""Exit statuses: nothing is to be gained; the program ended with an error."""

LEAST_GAIN = 0.2
"""Seconds from which a map is suggested: twice what a program pays once for the library."""


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is the name of a module.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the patch to a file.")
@click.option(
    "--least",
    type=click.FloatRange(min=0.0),
    default=LEAST_GAIN,
    show_default=True,
    help="Suggest from this gain, in s.",
)
@click.option("--cores", type=click.IntRange(min=1), help="Predict for so many cores, not for this machine's.")
@click.option("--calibrate/--no-calibrate", "measure", default=True, help="Measure first what this machine costs.")
@click.option("--json", "json_wanted", is_flag=True, help="As one JSON object, with the patch as a text.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    as_module: bool,
    output: Path | None,
    least: float,
    cores: int | None,
    measure: bool,
    json_wanted: bool,
    script: str,
    arguments: tuple[str, ...],
) -> None:
    """Run SCRIPT with its ARGUMENTS and say where @parallel would pay in it, and where not and why.

    The advice ends with a patch for git apply or patch -p1. What the program prints goes to standard error. The exit
    status is 0 where something is suggested, 1 where nothing is, and 3 where the program failed.
    """
    if not as_module and not os.path.isfile(script):
        fail(f"there is no file {script}")
    folder = os.getcwd() if as_module or _is_below(script, os.getcwd()) else os.path.dirname(os.path.abspath(script))
    try:
        run = run_program(script, arguments, as_module=as_module)
    except (OSError, SyntaxError) as error:
        fail(f"{script} cannot be run: {error}")
    with store_trouble_ends_it():
        if measure and known_calibration().value("second_process") is None:
            calibrate(1.0, first=("second_process", "second_thread"))
        adviser = Adviser(run, _host(cores), least, measured_start if measure else lambda: START)
        advice = adviser.advice()
    start = adviser.start
    patch = _patch(run, advice, folder)
    suggested = [one for one in advice if one.pays]
    if output is not None:
        output.write_text(patch, encoding="utf-8", newline="")
    if json_wanted:
        put_json(_as_json(run, advice, start, patch, folder))
    else:
        _put(run, advice, start, folder)
        if patch and output is None:
            click.echo(f"\nApply this in {folder} with git apply, or patch -p1:\n\n{patch}", nl=False)
    failed = run.status not in (0, INTERRUPTED)
    raise SystemExit(PROGRAM_FAILED if failed else 0 if suggested else NOTHING)


def _is_below(path: str, folder: str) -> bool:
    return not os.path.relpath(os.path.abspath(path), folder).startswith(os.pardir)


def _host(cores: int | None) -> Host:
    host = observe_host()
    return host if cores is None else replace(host, cores=cores, logical_cores=max(cores, host.logical_cores))


def _patch(run: Run, advice: Sequence[Advice], folder: str) -> str:
    """All rewritings that do not overlap, as one patch."""
    files = {}
    for path, syntax in run.modules.items():
        chosen = [one.rewriting for one in advice if one.path == path and one.rewriting is not None]
        if not chosen:
            continue
        encoding = file_encoding(path)
        if encoding != "utf-8":
            click.echo(f"autopar: {path} is not in the patch: it is written in {encoding}, not in UTF-8", err=True)
            continue
        with open(path, encoding=encoding, newline="") as file:
            before = file.read()
        if before.replace("\r\n", "\n") != syntax.source.replace("\r\n", "\n"):
            continue  # the program has changed its own file
        files[path] = (before, rewritten(syntax, chosen, before))
    return unified_diff(files, folder)


def _as_json(run: Run, advice: Sequence[Advice], start: float, patch: str, folder: str) -> dict[str, Any]:
    return {
        "seconds": run.seconds,
        "status": run.status,
        "samples": sum(spent.samples for spent in run.sampler.stacks.values()),
        "gain": seconds_saved(advice, start),
        "start": start,
        "loops": [_row(one, folder) for one in advice],
        "folder": folder,
        "patch": patch,
    }


def _row(one: Advice, folder: str) -> dict[str, Any]:
    names = (
        "line kind scope calls function executions items seconds cpu_seconds plan predicted gain pays why hint by_hand"
    )
    row: dict[str, Any] = {"file": os.path.relpath(one.path, folder)}
    row |= {name: getattr(one, name) for name in names.split()}
    row["after"] = one.rewriting.after if one.rewriting is not None else ""
    return row


def _put(run: Run, advice: Sequence[Advice], start: float, folder: str) -> None:
    suggested = [one for one in advice if one.pays]
    saved = seconds_saved(advice, start)
    click.echo(f"The program took {duration(run.seconds)}.", nl=False)
    if suggested:
        click.echo(f" With the maps below it is predicted to take {duration(max(0.0, run.seconds - saved))}.\n")
        put_table(
            ("loop", "calls", "items", "takes", "as a map", "plan"),
            [_cells(one, folder) for one in suggested],
            ("items", "takes", "as a map"),
        )
        click.echo(f"\nThe library itself takes {duration(start)} of it, once.")
        for one in suggested:
            if one.rewriting is None:
                click.echo(f"\n{printable(_by_hand(one, folder))}")
    else:
        click.echo(" Nothing in it is predicted to gain from a map.")
    if others := [one for one in advice if not one.pays]:
        click.echo("\nWhat would not pay:\n")
        put_table(
            ("loop", "calls", "takes", "why not"),
            [(_where(one, folder), one.calls or "-", duration(one.seconds), _why_not(one)) for one in others],
            ("takes",),
        )
    if run.threads:
        click.echo("\nThe program has threads of its own: only its main thread was looked at.")


def _cells(one: Advice, folder: str) -> tuple[str, ...]:
    predicted = "-" if one.predicted is None else duration(one.predicted)
    return _where(one, folder), one.calls, f"{one.items:,}", duration(one.seconds), predicted, one.plan


def _where(one: Advice, folder: str) -> str:
    inside = f" in {one.scope}" if one.scope else ""
    return f"{os.path.relpath(one.path, folder)}:{one.line}{inside}"


def _why_not(one: Advice) -> str:
    return f"{one.why} (the hint {one.hint} would allow it)" if one.hint else one.why


def _by_hand(one: Advice, folder: str) -> str:
    return (
        f"{_where(one, folder)} is not in the patch, since {one.by_hand}. If that does not matter, decorate "
        f"{one.calls} and map it over the items."
    )
