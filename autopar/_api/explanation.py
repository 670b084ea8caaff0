"""The text of an explanation."""

from __future__ import annotations


class Explanation(str):
    """The text of an explanation; at a prompt its own echo stays short."""

    def __repr__(self) -> str:
        return f"<explanation of {len(self.splitlines())} lines>"
