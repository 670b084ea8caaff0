"""Which calls are compared with Python: the first few, then a share, and none that would cost more than its share."""

from __future__ import annotations

import math

FIRST = 3
"""Calls that are compared before the others are trusted, as far as the time allows. Unmeasured: a convention."""

SHARE = 0.01
"""Share of the time of all calls that comparing may take."""

GRACE = 10e-3
"""Seconds of comparing that are free: a tenth of what the compiler took (benchmarks/native)."""

GUESSED_RATIO = 100.0
"""Python's time over the kernel's before it is known: 30 to 450 on numeric loops (benchmarks/native)."""

SHORTEST_DISTANCE = 1000
"""Calls between two comparisons at least, once the first are done: a comparison costs some microseconds itself."""

LONGEST_DISTANCE = 1 << 40


class Sampling:
    """The budget of comparisons, and the distance to the next one.

    Attributes
    ----------
    compared
        Comparisons so far.
    ratio
        Python's time over the kernel's, as far as known.

    Examples
    --------
    >>> sampling = Sampling()
    >>> for _ in range(3):
    ...     sampling.ran(1, 1e-6)
    ...     assert sampling.distance(1e-6) == 0
    ...     sampling.compare(python=50e-6, ours=1e-6)
    >>> sampling.distance(1e-6)
    19997
    """

    __slots__ = ("_calls", "_ours", "_python", "_since", "compared", "grace", "ratio", "share")

    def __init__(self, *, share: float = SHARE, grace: float = GRACE) -> None:
        self.share = share
        self.grace = grace
        self.compared = 0
        self.ratio = GUESSED_RATIO
        self._calls = 0
        self._ours = 0.0
        self._python = 0.0
        self._since = 0

    @property
    def seconds_per_call(self) -> float:
        """Mean of the compiled calls; 0 if there were none."""
        return self._ours / self._calls if self._calls else 0.0

    @property
    def python_seconds(self) -> float:
        """What the calls have taken that Python made for comparison."""
        return self._python

    def ran(self, calls: int, seconds: float) -> None:
        """Note compiled calls and what they took together."""
        self._calls += calls
        self._ours += seconds
        self._since += calls

    def distance(self, ours: float) -> int:
        """Calls of this length to wait before one of them may be compared; 0 for now."""
        free = self.grace if self.compared < FIRST else 0.0
        missing = self._python + self.ratio * ours - free - self.share * self._ours
        if self.compared >= FIRST and self._since < SHORTEST_DISTANCE:
            missing = max(missing, (SHORTEST_DISTANCE - self._since) * ours * self.share)
        if missing <= 0:
            return 0
        a_call_adds = self.share * max(ours, 1e-9)
        return math.ceil(min(missing / a_call_adds, LONGEST_DISTANCE)) if a_call_adds > 0 else LONGEST_DISTANCE

    def compare(self, *, python: float, ours: float) -> None:
        """Note a comparison: seconds of the call in Python, and compiled."""
        self.compared += 1
        self._since = 0
        self._python += python
        self.ratio = python / max(ours, 1e-9)
