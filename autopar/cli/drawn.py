"""Tables for a terminal: no wider than it is, the headings bold, and what is too long on several lines.

rich would draw the same and takes 60 ms to import, more than everything else that ``autopar log`` does
(``python -X importtime``); how wide characters are, its ``rich.cells`` knows in two.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from shutil import get_terminal_size

import click
from rich.cells import cell_len, chop_cells

_GAP, _INDENT = "  ", "    "
_LEAST_LAST, _LEAST = 20, 6
"""Cells that the last column has to get beside the others, else it stands below them; and those that each one keeps."""


def draw(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str]) -> None:
    """Write a table to the terminal that is standard output.

    Parameters
    ----------
    headings, rows
        Printable texts.
    numbers
        Headings of columns that are aligned to the right.
    """
    right = [heading in numbers for heading in headings]
    columns = list(zip(headings, *rows, strict=True))
    longest = [max(map(cell_len, column)) for column in columns]
    words = [max(cell_len(word) for cell in column for word in cell.split(" ")) for column in columns]
    total = get_terminal_size().columns
    below = sum(longest[:-1]) + len(_GAP) * (len(longest) - 1) + min(longest[-1], _LEAST_LAST) > total
    beside = len(longest) - 1 if below and len(longest) > 1 else len(longest)
    widths = fitting(longest[:beside], words[:beside], total)
    styled = os.environ.get("TERM") != "dumb"

    def put(row: Sequence[str], *, bold: bool = False) -> None:
        found = list(lines(row[:beside], widths, right))
        for cell in filter(None, row[beside:]):
            found += [_INDENT + part for part in _wrapped(cell, max(_LEAST_LAST, total - len(_INDENT)))]
        for line in found:
            click.echo(click.style(line, bold=True) if bold else line)

    put(headings, bold=styled)
    rule = "─" if (sys.stdout.encoding or "").lower().startswith("utf") else "-"
    click.echo(rule * (total if below else sum(widths) + len(_GAP) * (len(widths) - 1)))
    for row in rows:
        put(row)


def fitting(widths: Sequence[int], words: Sequence[int], total: int) -> list[int]:
    """Widths of columns that fit into a terminal, if it is not all too narrow.

    Columns that can be wrapped between their ``words`` give way first, by what they can, then the widest.

    Examples
    --------
    >>> fitting([10, 30, 60], [10, 30, 9], 80)
    [10, 30, 36]
    >>> fitting([14, 30, 20], [8, 30, 20], 60)
    [8, 28, 20]
    """
    found, room = list(widths), total - len(_GAP) * (len(widths) - 1)
    while sum(found) > room and max(found) > _LEAST:
        slack = [width - max(word, _LEAST) for width, word in zip(found, words, strict=True)]
        found[slack.index(max(slack)) if max(slack) > 0 else found.index(max(found))] -= 1
    return found


def lines(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    """A row, on as many lines as its tallest cell takes."""
    wrapped = [list(_wrapped(text, width)) for text, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*wrapped, fillvalue=""):
        yield _GAP.join(map(_placed, parts, widths, right)).rstrip()


def _placed(text: str, width: int, to_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if to_right else text + space


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and cell_len(line) + 1 + cell_len(word) > width:
            yield line
            line = ""
        pieces = chop_cells(word, width) or [""]
        yield from pieces[:-1]
        line = f"{line} {pieces[-1]}" if line else pieces[-1]
    yield line
