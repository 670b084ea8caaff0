"""Names of test cases that are the same in every process that collects them."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def named(value: object) -> str:
    """A value as a text, without addresses, and a set in order."""
    text = f"{{{', '.join(sorted(map(str, value)))}}}" if isinstance(value, (set, frozenset)) else repr(value)
    return _ADDRESS.sub("", text)
