"""Text whose every line stands for one line of the user's file.

An expression is written with marks in it: ``mark(12)`` says that what follows belongs to line 12. Since expressions are
written in parentheses, a line may be broken at any mark; it is, where the line of the file changes.
"""

from __future__ import annotations

import ast
import re
import sys

__all__ = ["Lines", "iterated_at", "mark"]

NOWHERE = 0
"""The line of what adds nothing to a traceback: raising an exception again."""

_MARK = re.compile("\x00(-?[0-9]+)\x00")


def mark(line: int) -> str:
    """What follows belongs to this line of the user's file."""
    return f"\x00{line}\x00"


def iterated_at(iterable: ast.expr, line: int) -> int:
    """The line that fails where this gives no iterator, or no next item, in a loop or comprehension of a line."""
    return iterable.lineno if sys.version_info >= (3, 13) else line


class Lines:
    """Lines of generated text.

    Attributes
    ----------
    text
        The lines.
    places
        For each, the line of the user's file.
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self.places: list[int] = []

    def add(self, depth: int, text: str, line: int) -> None:
        """Add a statement that belongs to a line, broken at its marks."""
        pieces = _MARK.split(text)
        current, room = line, ["    " * depth + pieces[0]]
        for place, piece in zip(map(int, pieces[1::2]), pieces[2::2], strict=True):
            if place != current and piece:
                self._end(room, current)
                current, room = place, ["    " * (depth + 1)]
            room.append(piece)
        self._end(room, current)

    def _end(self, room: list[str], line: int) -> None:
        self.text.append("".join(room))
        self.places.append(line)
