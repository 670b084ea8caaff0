"""How long a map may wait for its workers before something else has to be done."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from autopar._engine.task import MapTask
from autopar._model.work import Pending

LOOK_FOR_STARTS = 0.05
"""Seconds after which a chunk that had not started yet is looked at again, when items have a time-out."""

POLL_FOR_CANCEL = 0.05
"""Seconds within which a map notices that its asynchronous caller was cancelled."""


def patience(task: MapTask, in_flight: Iterable[Pending], retry_due: float | None, now: float) -> float | None:
    """Seconds until something other than an outcome may have to be done; None if there is nothing."""
    polls = [] if task.cancel is None else [POLL_FOR_CANCEL]
    if task.watch is not None and (due := task.watch.patience) is not None:
        polls.append(due)
    polls += [due - now for due in (retry_due, task.deadline_at) if due is not None]
    timeout = task.settings.timeout
    if timeout is not None:
        starts = [getattr(future, "started", None) for future in in_flight]
        polls += [started + timeout - now for started in starts if started is not None]
        if None in starts:
            polls.append(LOOK_FOR_STARTS)
    return max(0.0, min(*polls, threading.TIMEOUT_MAX)) if polls else None
