"""Items that show their value wherever they can; imported by worker processes."""

from __future__ import annotations

import os
import signal
from typing import Any

CANARY = "canary-4c1b"


class Secret:
    """Says its value in its text, and in the errors of pickling it."""

    def __init__(self, value: str = CANARY, how: str = "") -> None:
        self.value = value
        self.how = how

    def __repr__(self) -> str:
        return f"Secret({self.value})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        if self.how == "pickling":
            raise ValueError(f"{self.value} does not travel")
        if self.how == "loading":
            return _refuse, (self.value,)
        return Secret, (self.value, self.how)


def _refuse(value: str) -> None:
    raise ValueError(f"{value} is not loaded")


def uses(secret: Secret) -> int:
    """Do with a secret what it says."""
    if secret.how == "raises":
        raise ValueError(secret.value)
    return sum(range(6000)) + len(secret.value)


def gives(secret: Secret) -> Any:
    """Give back what does not travel."""
    sum(range(6000))
    return Secret(secret.value, "pickling") if secret.how == "result" else len(secret.value)


def ends(secret: Secret) -> int:
    """End the process over a secret."""
    if secret.how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return len(secret.value)
