"""Why something could not be compiled, loaded or kept: said once, in words, and never an error of the user's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A function that is not compiled.

    Attributes
    ----------
    reason
        In words.
    line
        Line of the function's file that stands in the way, or None where no line does.

    Examples
    --------
    >>> str(Refusal("dict is not in the native fragment", 12))
    'line 12: dict is not in the native fragment'
    """

    reason: str
    line: int | None = None

    def __str__(self) -> str:
        return self.reason if self.line is None else f"line {self.line}: {self.reason}"


class NotCompiled(Exception):  # noqa: N818 - it is no error: the function then runs in Python
    """Raised within this room where something cannot be compiled; ``str()`` of it is the reason."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, line)
