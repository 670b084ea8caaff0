"""The functions that the ten ways run."""

from __future__ import annotations

import time
import zlib
from typing import Any

WAIT = 0.02


def words(text: str) -> int:
    """Count the different words of a text, under the GIL."""
    seen: dict[str, int] = {}
    for word in text.split():
        seen[word] = seen.get(word, 0) + len(word)
    return len(seen)


def collatz(limit: int) -> int:
    """The longest Collatz chain below a limit: integers and loops."""
    longest = 0
    for start in range(1, limit):
        value, length = start, 1
        while value != 1:
            value = value // 2 if value % 2 == 0 else 3 * value + 1
            length += 1
        if length > longest:
            longest = length
    return longest


def fetch(number: int) -> int:
    """Wait, as for a server."""
    time.sleep(WAIT)
    return number


def packed(data: bytes) -> int:
    """Compress, which holds no GIL."""
    return len(zlib.compress(data, 9))


def spread(array: Any) -> float:
    """A figure of a large array."""
    return float(((array - array.mean()) ** 2).sum())


def texts(count: int, length: int = 60_000) -> list[str]:
    """Texts of many words."""
    return [" ".join(str(i * (n + 7) % 9_973) for i in range(length)) for n in range(count)]
