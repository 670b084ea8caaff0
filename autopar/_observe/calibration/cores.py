"""What a second worker adds: a core may be worth half, where it is a hyper-thread, shared or throttled."""

from __future__ import annotations

import threading
from collections.abc import Callable

from autopar._observe.calibration.clock import seconds_of

_BLOCK = 256 << 10
_ROUNDS = 3
BUSY_SECONDS = 10e-3
"""Work of one trial: twice the switch interval, so that a start more or less hardly counts."""


def what_a_second_adds(alone: Callable[[], float], together: Callable[[], float], rounds: int = _ROUNDS) -> float:
    """Cores that a second worker adds, out of the best of several trials: what is missing there, no luck brings back.

    Parameters
    ----------
    alone
        Seconds of one worker for some work.
    together
        Seconds of two at once for as much each.
    rounds
        Pairs of trials.

    Returns
    -------
    float
        0 where two take as long as one after the other, 1 where they take as long as one alone.

    Examples
    --------
    >>> what_a_second_adds(lambda: 1.0, lambda: 1.25)
    0.6
    """
    pairs = [(alone(), together()) for _ in range(rounds)]
    ratio = min(one for one, _ in pairs) / max(min(two for _, two in pairs), 1e-9)
    return round(min(1.0, max(0.0, 2 * ratio - 1)), 3)


def hash_some(times: int) -> None:
    """Keep a core busy, without the GIL, and without reading more memory than its caches hold."""
    import hashlib

    block = bytes(_BLOCK)
    for _ in range(times):
        hashlib.sha256(block).digest()


def times_of_a_trial() -> int:
    """What to hand to :func:`hash_some` for a trial's work."""
    hash_some(1)
    return max(1, round(BUSY_SECONDS / max(seconds_of(lambda: hash_some(1)), 1e-6)))


def second_thread() -> float:
    """Cores that a second thread adds while both hash, which holds no GIL."""
    times = times_of_a_trial()

    def both() -> float:
        other = threading.Thread(target=hash_some, args=(times,), daemon=True)

        def overlap() -> None:
            other.start()
            hash_some(times)
            other.join()

        return seconds_of(overlap)

    return what_a_second_adds(lambda: seconds_of(lambda: hash_some(times)), both)
