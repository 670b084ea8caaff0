"""How long the items of each function take at most: a small file beside the store, read where that would not pay.

A map that is over in a millisecond should not wait twice as long to learn that nothing is known of it. The file says of
which functions the store knows, and how long their longest items take, a line each. It is a hint and no more: whoever
goes by it reads the store itself next. It is written inside of the store's transactions, so that no two processes write
it at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from autopar._private_file import RefusedError, read_private

ENDING = "-longest"

_MOST = 5_000
"""Functions that it names, the newest: as many as the store has profiles; a line takes 45 bytes."""


def read(store: Path) -> dict[str, float]:
    """Digest of a function's code -> seconds of its longest items; lines that say something else are left out.

    Examples
    --------
    >>> read(Path("nowhere"))
    {}
    """
    try:
        content = read_private(_beside(store))
    except RefusedError:
        return {}
    found = {}
    for line in (content or b"").decode("ascii", "replace").splitlines():
        code, _, text = line.partition(" ")
        with suppress(ValueError):
            found[code] = float(text)
    return found


def note(store: Path, seconds: Mapping[str, float]) -> None:
    """Add functions, or what has become known of them; called with the store's lock held, its folder checked."""
    known = read(store)
    if all(known.get(code, -1.0) == value for code, value in seconds.items()):
        return
    for code, value in seconds.items():
        known.pop(code, None)  # it is the newest now
        known[code] = value
    lines = [f"{code} {value:.3g}\n" for code, value in known.items()][-_MOST:]
    path = _beside(store)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    with suppress(OSError):  # without it the store is read a little later
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.writelines(lines)
        os.replace(unfinished, path)


def _beside(store: Path) -> Path:
    return store.with_name(store.name + ENDING)
