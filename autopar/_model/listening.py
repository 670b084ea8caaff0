"""Who wants to hear what maps do: in most programs nobody, which costs a map the look at an empty tuple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

subscribers: tuple[Callable[[Any], None], ...] = ()
"""Each is told of every event; see :mod:`autopar.events`."""

deaf = False
"""This is a worker process: what happens in it is told, if at all, by the process whose map it serves."""


def stop() -> None:
    """Nobody listens in this process from now on."""
    global deaf, subscribers
    subscribers, deaf = (), True
