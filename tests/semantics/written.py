"""Cases that are written as text: see the head of `language.txt`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.semantics.case import Case

PROMISED = " (promised)"


def read(file: str) -> tuple[Case, ...]:
    """The cases of a file beside this one."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    return tuple(_cases(text))


def _cases(text: str) -> Iterator[Case]:
    for chapter in re.split(r"^==== ", text, flags=re.M)[1:]:
        topic, _, entries = chapter.partition("\n")
        for entry in re.split(r"^---- ", entries, flags=re.M)[1:]:
            name, _, body = entry.partition("\n")
            lines = body.rstrip().split("\n")
            calls = [line for line in lines if line.startswith(("> ", "< "))]
            source = "\n".join(line for line in lines if line not in calls) + "\n"
            stays = tuple(line[2:] for line in calls if line.startswith("> "))
            leaves = tuple(line[2:] for line in calls if line.startswith("< "))
            yield Case(topic, name.removesuffix(PROMISED), source, stays, leaves, name.endswith(PROMISED))
