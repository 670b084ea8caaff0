"""Functions that workers import by name."""

from __future__ import annotations

import os
import random
import signal
import warnings
from pathlib import Path
from typing import Any

from autopar import parallel

FACTOR = 3


@parallel
def tripled(x: int) -> int:
    return FACTOR * x


@parallel
def spends(x: int) -> int:
    """Take some milliseconds."""
    return x + 0 * sum(range(200_000))


@parallel
def counts_letters(x: int) -> int:
    """Take some milliseconds, at work that is not compiled."""
    return sum(len(f"{letter}") for letter in "ab" * 2000)


@parallel
def says(x: int) -> int:
    print(f"item {x}")
    if x % 2:
        warnings.warn(f"odd {x}", UserWarning, stacklevel=1)
    return x


@parallel
def draws(x: int) -> float:
    return x + random.random()


@parallel
def fails(x: int, bad: int = 5) -> int:
    if x == bad:
        raise LookupError(f"no {x}")
    return x


@parallel
def dies(x: int, bad: int = 5) -> int:
    if x == bad:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


@parallel
def leaves_a_mark(x: int, folder: str) -> int:
    """Make a file of the item's own each time that it runs, by a way that no analysis can see through."""
    spends(x)
    make: Any = getattr(Path(folder, f"{x}-{random.SystemRandom().getrandbits(64):x}"), "tou" + "ch")
    make()
    return x


@parallel
def where(x: int) -> int:
    return os.getpid()


@parallel
def total(block: Any) -> float:
    return float(block.sum())


@parallel
def read(name: str) -> str:
    return Path(name).read_text(encoding="utf-8")


@parallel
def sums_up(turns: int) -> int:
    """Compute in a loop that can be compiled."""
    total = 0
    for number in range(turns):
        total += number % 7
    return total


@parallel
def compiled_there(_: int) -> str:
    """What becomes of a compiled function on its way here."""
    from autopar._compilers.native.portable import compiled_here
    from autopar._kernel.types import type_of

    kind = type_of(1)
    assert kind is not None
    return type(compiled_here(sums_up.__wrapped__, (kind,))).__name__


@parallel
def maps_inside(count: int, backend_inside: str | None) -> list[int]:
    return tripled.map(range(count), backend=backend_inside)
