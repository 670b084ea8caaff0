"""What a stream says of itself."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class Facts(NamedTuple):
    """What code that writes to a stream may ask it."""

    exists: bool
    encoding: str | None
    errors: str | None
    isatty: bool
    has_buffer: bool


def facts_of(stream: Any) -> Facts:
    """What a stream says of itself, or its absence."""
    if stream is None:
        return Facts(False, None, None, False, False)
    encoding, errors = getattr(stream, "encoding", None), getattr(stream, "errors", None)
    try:
        isatty = bool(stream.isatty())
    except (AttributeError, ValueError):  # It has none, or it is closed.
        isatty = False
    return Facts(True, encoding, errors, isatty, hasattr(stream, "buffer"))


def facts() -> tuple[Facts, Facts]:
    """What the caller's standard output and error say of themselves."""
    return facts_of(sys.stdout), facts_of(sys.stderr)
