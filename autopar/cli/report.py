"""``autopar report``: decisions of all programs as one HTML file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from autopar._model.decision import Decision
from autopar._observe.host import observe_host
from autopar._record import Store
from autopar.cli.doctor import machine_findings
from autopar.cli.naming import FunctionName, Since, patterns
from autopar.cli.screen import counted, fail, put_json, store_trouble_ends_it
from autopar.report.page import MARK, report


@click.command()
@click.argument("function", required=False, type=FunctionName())
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("autopar-report.html"),
    show_default=True,
    help="The file to write; - for standard output.",
)
@click.option("--since", type=Since(), help="Only decisions from then on: 15m, 2h, 7d ago, or a date.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=2000, show_default=True, help="At most so many.")
@click.option("--force", is_flag=True, help="Write over a file that is no report.")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@click.option("--json", "json_wanted", is_flag=True, help="Say what was written as one JSON object.")
def command(
    function: str | None, output: Path, since: float | None, limit: int, force: bool, open_it: bool, json_wanted: bool
) -> None:
    """Make a report of decisions: one HTML file that needs nothing else.

    FUNCTION is a name such as price or shop.price; * and ? stand for others.
    """
    store = Store.from_environment()
    with store_trouble_ends_it():
        rows: list[Decision] = []
        for pattern in patterns(function) if function else (None,):
            found = store.search(function=pattern, since=since, limit=limit, with_timelines=True)
            rows = rows or [one for _, one in found]
    host = observe_host()
    environment = {one.what: one.state for one in machine_findings(host)}
    page = report(rows, environment)
    if str(output) == "-":
        if json_wanted:
            raise click.UsageError("-o - writes the report itself to standard output: give --json a file beside it")
        click.echo(page, nl=False)
        return
    try:
        if output.is_symlink():
            fail(f"{output} is a link; name the file that it leads to")
        if not force and output.exists() and MARK not in output.read_text(encoding="utf-8", errors="replace")[:200]:
            fail(f"{output} is there and is no report; name another file, or give --force")
        _write(output, page)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}")
    if json_wanted:
        put_json({"file": str(output.resolve()), "decisions": len(rows), "bytes": output.stat().st_size})
    else:
        click.echo(f"{output}: {counted(len(rows), 'decision')}, {len(page) / 1e3:,.0f} kB")
    if open_it:
        click.launch(str(output))


def _write(path: Path, page: str) -> None:
    """Put a whole file in the place of another, beside which it is written; no link is followed on the way."""
    unfinished = path.with_name(f".{path.name}.{os.urandom(6).hex()}.unfinished")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(os.open(unfinished, flags, 0o666), "w", encoding="utf-8") as file:
            file.write(page)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
