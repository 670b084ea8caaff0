"""Why a function stays in Python."""

from __future__ import annotations

__all__ = ["Refused"]


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The function, or the types it was called with, are outside the native fragment.

    Attributes
    ----------
    line : int
        Line of the source file.
    reason : str
        What is not taken, such as "dict is not in the native fragment".
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason
