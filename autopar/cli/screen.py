"""What commands put out: tables that fit a terminal, plain text into pipes, JSON for programs; complaints apart."""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import click

from autopar._record.explain import printable
from autopar.errors import StoreWarning

FOUND_NOTHING = 1
"""Exit status of a command that has nothing to show, or met a store that it cannot read. Click's own for a wrong use
is 2."""


def fail(message: str) -> NoReturn:
    """End the command with a complaint."""
    click.echo(f"autopar: {printable(message)}", err=True)
    raise SystemExit(FOUND_NOTHING)


def counted(count: int, what: str) -> str:
    """So many of something, whose plural ends in an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


@contextmanager
def store_trouble_ends_it() -> Iterator[None]:
    """Make what the store warns of the end of the command: here it is all that the user asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", StoreWarning)
        try:
            yield
        except StoreWarning as trouble:
            fail(str(trouble))


def put_json(value: object, *, err: bool = False) -> None:
    """Write one JSON document on a line of its own; what JSON has no number for is null."""
    click.echo(json.dumps(_finite(value), allow_nan=False, default=str), err=err)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def put_table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> None:
    """Write a table: drawn to fit in a terminal, as plain columns elsewhere.

    Parameters
    ----------
    headings
        One for each column.
    rows
        Cells as text; what is not printable in them is replaced.
    numbers
        Headings of columns that are aligned to the right.
    """
    cells = [tuple(map(printable, row)) for row in rows]
    if sys.stdout.isatty():
        from autopar.cli.drawn import draw

        draw(headings, cells, numbers)
    else:
        _plain(headings, cells, numbers)


def _plain(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str]) -> None:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, ["-" * width for width in widths], *rows):
        aligned = (
            cell.rjust(width) if heading in numbers else cell.ljust(width)
            for heading, cell, width in zip(headings, row, widths, strict=True)
        )
        click.echo("  ".join(aligned).rstrip())
