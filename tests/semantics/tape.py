"""A string of random bytes read as choices: one draw of Hypothesis makes a program, and shrinks by its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Tape:
    """Choices in order. Past the end, and for a byte that shrank to nothing, it is the first of each."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, bound: int) -> int:
        """A number from 0 to `bound` (at most 256), exclusive."""
        byte = self._data[self._at] if self._at < len(self._data) else 0
        self._at += 1
        return byte % bound

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]

    def likely(self, percent: int) -> bool:
        """Whether to; not, where the tape has ended."""
        return self.below(100) >= 100 - percent

    @property
    def ended(self) -> bool:
        """Whether everything more would be the first choice."""
        return self._at >= len(self._data)
