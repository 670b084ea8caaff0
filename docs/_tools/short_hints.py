"""Lets the API's page point to the page of hints, where the docstring of ``parallel`` lists them all.

MkDocs' Griffe calls it for each function that it reads (https://mkdocstrings.github.io/griffe/guide/users/extending/).
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension

_HINTS = re.compile(r"(\*\*hints\n)(?:[ ]{4,}\w+ : .*?)(?=\n\n|\n[ ]*\n)", re.DOTALL)


class ShortHints(Extension):  # type: ignore[misc, unused-ignore] # where griffe is not installed its types are unknown
    """Shortens lists of hints."""

    def on_function_instance(self, *, func: Any, **_: Any) -> None:
        """Look at a function's docstring before it is parsed."""
        if func.docstring is not None:
            func.docstring.value = _HINTS.sub(r"\1    Any of the [hints](hints.md).", func.docstring.value)
