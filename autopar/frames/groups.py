"""The groups of a frame or series by position, made by pandas: where a map runs, and not where it was asked for.

To make the groups of a frame takes a fraction of what it takes to send each of them (benchmarks/frames.py), so each
worker makes all of them once.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from typing import Any


class Groups:
    """What pandas' apply would call a function with.

    Parameters
    ----------
    groups
        What ``groupby`` gave.
    given
        Arguments of pandas' own method.
    """

    def __init__(self, groups: Any, given: Mapping[str, Any]) -> None:
        self._groups = groups
        self._given = dict(given)
        self._made: list[tuple[Any, Any]] | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> tuple[Any, dict[str, Any]]:
        return self._groups, self._given

    def __setstate__(self, state: tuple[Any, dict[str, Any]]) -> None:
        Groups.__init__(self, *state)

    def at(self, position: int) -> Any:
        """One group, new for each call, with its key as its name."""
        made = self._made
        if made is None:
            with self._lock:
                made = self._made = self._make() if self._made is None else self._made
        group, key = made[position]
        group = group.copy(deep=False)
        object.__setattr__(group, "name", key)
        return group

    def _make(self) -> list[tuple[Any, Any]]:
        made: list[tuple[Any, Any]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what pandas warns of here it warns of in the apply itself
            self._groups.apply(lambda group: made.append((group, group.name)), **self._given)
        return made
