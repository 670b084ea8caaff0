"""What earlier maps have taught about one function, in this process and in others.

The store is read once, when a map first asks for more than how long the longest items are. Nothing is read at import.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autopar._engine.journal import decision_log
from autopar._engine.prices import host_prices
from autopar._model.learned import Learned, Lesson, ProfileKey, take_in
from autopar._model.observation import Profile
from autopar._observe.identity import code_digest
from autopar._record import Known, Teaching
from autopar.errors import StoreWarning

ANY_SIZE = 1 << 30
NEAR_SIZES = 1
"""Size classes next to one another, a factor of two each, may stand in for each other: lengths vary by a little."""

_KEYS_KEPT = 256


class Memory:
    """One function's memory, shared by its wrapper and its bound methods. Any thread may use it.

    Parameters
    ----------
    function
        The function.
    way
        What it is given, where that is made for each call and items only say which.

    Attributes
    ----------
    latest
        Type of the first item -> what the latest map over such items measured, however short it was.
    """

    def __init__(self, function: Callable[..., Any], way: str = "") -> None:
        self._function = function
        self._way = way
        self._lock = threading.RLock()  # a finalizer may run a map in the middle of this thread's own `note`
        self._known: dict[ProfileKey, Learned] = {}
        self._taught: set[ProfileKey] = set()
        self._loaded = False
        self._longest = 0.0
        self.latest: dict[type, Profile] = {}

    @functools.cached_property
    def code(self) -> str:
        """Digest of the function's code."""
        return code_digest(self._function, self._way)

    def longest_item(self) -> float:
        """Seconds of the longest kind of item that is known; 0 if nothing is. The store is not opened for that."""
        store = None if self._loaded else decision_log().store
        return self._longest if store is None else max(self._longest, store.longest_item(self.code))

    @property
    def has_compiled(self) -> bool:
        """An earlier map has run compiled code of this function; the store is not opened for that."""
        with self._lock:
            return any(key.compiled for key in self._known)

    def recall(self, key: ProfileKey, *, within: int = ANY_SIZE) -> Learned | None:
        """What is known of such items, or else of the most similar size.

        Parameters
        ----------
        key
            Code, argument types and size.
        within
            How many size classes away it may be.
        """
        self._load()
        with self._lock:
            exact = self._known.get(key)
            if exact is not None or not within:
                return exact
            near = [k for k in self._known if k.types == key.types and abs(k.size - key.size) <= within]
            return self._known[min(near, key=lambda k: abs(k.size - key.size))] if near else None

    def note(self, lesson: Lesson) -> None:
        """Learn from one map, and let the store know with the next writing of decisions."""
        with self._lock:
            lesson = replace(lesson, first=lesson.key not in self._taught)
            learned = take_in(self._known.get(lesson.key), lesson)
            if learned is None:
                return
            self._taught.add(lesson.key)
            self._known[lesson.key] = learned
            while len(self._known) > _KEYS_KEPT:
                del self._known[next(iter(self._known))]
            self._longest = max(self._longest, learned.facts.seconds)
        decision_log().teach(Teaching([lesson]))

    def forget(self, key: ProfileKey) -> None:
        """Drop what turned out to be about other code or other items; the store learns of it with the next lesson."""
        with self._lock:
            self._known.pop(key, None)

    def _load(self) -> None:
        """Read the store, once in the life of the function; a store that cannot be read has taught nothing."""
        if self._loaded:
            return
        known = read_store(self.code)
        with self._lock:
            if not self._loaded:
                self._loaded = True
                for place, learned in known.profiles.items():
                    key = ProfileKey(self.code, *place)
                    here = self._known.get(key)
                    if here is None or here.maps <= learned.maps:  # what was learned here since then is in the store
                        self._known[key] = learned
                self._longest = max((learned.facts.seconds for learned in self._known.values()), default=0.0)


def read_store(code: str) -> Known:
    """What the store knows of a function and of this host; the host's prices go where they belong."""
    log = decision_log()
    if log.store is None:
        return Known()
    try:
        known = log.store.read_known(code, log.host)
    except StoreWarning:
        # Where warnings are errors this one must not cost a map: it is planned as if there were no store.
        return Known()
    host_prices().start_from(known)
    return known
