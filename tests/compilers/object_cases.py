"""What Cython by itself does in another way than CPython, or might: functions on objects, as `objects.txt` has them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ObjectCase:
    """A function and its calls.

    Attributes
    ----------
    topic, name
        What it shows.
    source
        A module that defines `f`.
    calls
        Expressions of argument tuples, or, where one begins with ``:``, a statement between two calls.
    refused
        A part of the reason why it is not compiled; empty if it is.
    line
        The line of the source that stands in the way; 0 where any will do.
    """

    topic: str
    name: str
    source: str
    calls: tuple[str, ...]
    refused: str = ""
    line: int = 0

    @property
    def calls_itself(self) -> bool:
        """The name `f` of its module stands for the compiled function."""
        return self.topic == "recursion"

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"


def _read() -> Iterator[ObjectCase]:
    text = Path(__file__).with_name("objects.txt").read_text(encoding="utf-8")
    for chapter in re.split(r"^==== ", text, flags=re.M)[1:]:
        topic, _, entries = chapter.partition("\n")
        for entry in re.split(r"^---- ", entries, flags=re.M)[1:]:
            name, *lines = entry.rstrip().split("\n")
            calls = tuple(line[2:] for line in lines if line.startswith("> "))
            refused = next((line[2:] for line in map(_here, lines) if line.startswith("! ")), "0 ")
            source = "\n".join(line for line in lines if not line.startswith((">", "!"))) + "\n"
            place, _, reason = refused.partition(" ")
            yield ObjectCase(topic, name, source, calls, reason, int(place))


def _here(line: str) -> str:
    """A refusal that begins with a version, as in `!3.14 1 why`, as one of this Python's, or nothing before that."""
    since = re.match(r"!(\d+)\.(\d+) ", line)
    if since is None:
        return line
    return f"! {line[since.end() :]}" if sys.version_info >= (int(since[1]), int(since[2])) else ""


CASES: tuple[ObjectCase, ...] = tuple(_read())
