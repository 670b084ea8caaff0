"""Functions that native code takes, and some that it does not."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from autopar import parallel

CALLS = 0


def draw(seed: int, rounds: int = 300) -> int:
    """A linear congruential generator."""
    state = seed
    for _ in range(rounds):
        state = (state * 1103515245 + 12345) % 2147483648
    return state


def powers(base: int) -> int:
    """Beyond 64 bits from a base of 3 on."""
    total = 1
    for _ in range(60):
        total = total * base
    return total


def counts(x: int) -> dict[int, int]:
    """Makes what native code does not know."""
    found = {0: 0}
    for number in range(300):
        found[number % 7] = x
    return found


def remembers(x: int) -> int:
    """Changes a global."""
    global CALLS
    for _ in range(300):
        CALLS += 1
    return x


def raises_at_seven(x: int) -> int:
    """Raises for one item, after some work."""
    for _ in range(300):
        x = (x * 3) % 1000003
    if x == 911551:  # 7 * 3**300 % 1000003
        raise LookupError("seven")
    return x


def hashed(x: int) -> str:
    """Calls what has nothing to do with numbers."""
    return hashlib.sha256(str(x).encode() * 200).hexdigest()


def smooth(values: Any) -> Any:
    """Writes to its argument."""
    for place in range(1, len(values) - 1):
        values[place] = 0.25 * values[place - 1] + 0.5 * values[place] + 0.25 * values[place + 1]
    return None


@parallel
def drawn(seed: int, rounds: int = 300) -> int:
    """A decorated generator."""
    state = seed
    for _ in range(rounds):
        state = (state * 1103515245 + 12345) % 2147483648
    return state


def arrays(count: int) -> list[Any]:
    """Some arrays."""
    return [np.linspace(0.0, float(number), 50) for number in range(count)]
