"""Writes docs/hints.md from the hints that the program knows, and the docstring of ``parallel``.

``python docs/_tools/hints_page.py`` writes it; a test sees that it is up to date.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

import autopar
from autopar._model.hints import HINTS, Hint

PAGE = Path(__file__).resolve().parents[1] / "hints.md"

HEAD = """\
# Hints

<!-- Written by docs/_tools/hints_page.py from the program: change it there. -->

A hint pins what autopar would otherwise decide, or says what it cannot know. Nobody needs one to begin with;
`explain()` names the hint that would open a way that is closed.

| where | for | wins over |
| --- | --- | --- |
| `f.map(items, workers=2)` | this call | all below |
| `f.options(workers=2)` | the function that it returns | all below |
| `@parallel(workers=2)` | the function | all below |
| `with autopar.config(workers=2):` | a block, and what it starts | the environment |
| `AUTOPAR_WORKERS=2` | a program | the default |

Where a parameter of the function has a hint's name, a call's keyword is the function's. A wrong name, type or value is
an error that says what would be right: nothing is passed over.

"""


def documented() -> dict[str, tuple[str, str]]:
    """Hint -> type and meaning, as the docstring of ``parallel`` has them."""
    text = inspect.getdoc(autopar.parallel) or ""
    block = textwrap.dedent(text[text.index("**hints\n") + len("**hints\n") : text.index("\nReturns\n")])
    found = re.findall(r"^(\w+) : ([^\n]+)\n((?:    [^\n]*\n?)+)", block, re.MULTILINE)
    return {name: (kind, " ".join(meaning.split())) for name, kind, meaning in found}


def entry(hint: Hint) -> str:
    """A hint's part of the page."""
    kind, meaning = documented()[hint.name]
    default = "not set" if hint.default is None else f"`{hint.default!r}`"
    facts = [f"Type: {kind}", f"default: {default}"]
    if hint.decorator_only:
        facts.append("for the decorator only")
    else:
        facts.append(f"environment: `AUTOPAR_{hint.name.upper()}`")
    meaning = re.sub(r"``([^`]+)``", r"`\1`", re.sub(r"; default [^;]+\.$", ".", meaning))
    return f"## {hint.name}\n\n{meaning[0].upper()}{meaning[1:]}\n\n{'; '.join(facts)}.\n"


def page() -> str:
    """The whole page, in lines of at most 120 characters."""
    text = HEAD + "\n".join(map(entry, HINTS.values()))
    lines = (
        line if line.startswith(("|", "#", "<!--")) else textwrap.fill(line, 120, break_long_words=False)
        for line in text.split("\n")
    )
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
