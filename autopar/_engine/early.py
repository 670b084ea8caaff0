"""The shortest way through a map: one that is known to end before a choice of plan could pay.

A function that was mapped before, over items of this type, has shown what they take. If all of them together take less
than the time before which nothing is planned, they run here at little more than the cost of their calls. Where that
turns out wrong the map goes on the ordinary way, from the item that was reached.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from autopar._backends.chunk import run_each
from autopar._backends.standing import standing_at
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record, record_briefly
from autopar._engine.notice import users_frame, users_line
from autopar._engine.task import note_item, pools_used
from autopar._model.decision import ENDED_EARLY
from autopar._model.hints import Settings
from autopar._model.observation import Sample
from autopar._model.plan import LOOP
from autopar._observe.meter import Meter
from autopar._plan import DEFAULT_COSTS

EARLY_TYPES = (list, tuple, range)
"""Inputs whose items are there already: taking one runs no code."""


class Early:
    """A map that is expected to end early.

    Attributes
    ----------
    results
        What has been done.
    iterator
        The rest of the input.
    nested
        Items have mapped in parallel themselves.
    """

    def __init__(self, items: Any) -> None:
        self.items = items
        self.results: list[Any] = []
        self.iterator: Iterator[Any] = iter(items)
        self.nested = False
        self._meter: Meter | None = None

    def run(self, state: FunctionState, kwargs: dict[str, Any], operation: str, *, star: bool) -> bool:
        """Run items until all are done, which is then written down, or until they took longer than they should."""
        results, iterator = self.results, self.iterator
        call = functools.partial(state.function, **kwargs) if kwargs else state.function
        stand = _stand()
        unix, count = time.time(), len(self.items)
        pools = pools_used.box[0]
        self._meter = Meter() if count > 1 else None
        started = time.perf_counter()
        elapsed = 0.0
        size = 2 if count == 1 else 1
        try:
            while run_each(stand, call, iterator, size, results, star) is True:
                elapsed = time.perf_counter() - started
                if elapsed >= DEFAULT_COSTS.look_seconds:
                    self.nested = pools_used.box[0] != pools
                    return False
                # Slices double, and one more than is left finds the end.
                size = min(2 * size, count - len(results) + 1) if len(results) < count else 1
        except BaseException as error:
            _write_failure(state, operation, unix, len(results), time.perf_counter() - started, error)
            raise
        record_briefly(state, operation, unix, len(results), time.perf_counter() - started)
        return True

    def sample(self) -> Sample | None:
        """What the items took that have run; None for what was a single item at first, which nobody measured."""
        return None if self._meter is None else self._meter.sample(len(self.results), alone=False)


def early(state: FunctionState, iterables: tuple[Any, ...], settings: Settings) -> Early | None:
    """A map that can be expected to end early, or None where that is not known."""
    if not (settings.plain and state.witnessed) or len(iterables) != 1 or type(iterables[0]) not in EARLY_TYPES:
        return None
    items = iterables[0]
    if len(items) > 1:
        known = state.memory.latest.get(type(items[0]))
        if known is None or len(items) * known.seconds_per_item >= DEFAULT_COSTS.look_seconds:
            return None
    return Early(items)


_stands: dict[tuple[CodeType, int], Callable[..., Any]] = {}
_STANDS_KEPT = 256


def _stand() -> Callable[..., Any]:
    """Calls from the line that asks for this map, made once for a line: that takes longer than many a call."""
    frame = users_frame()
    key = frame.f_code, frame.f_lineno
    known = _stands.get(key)
    if known is None or known.__globals__ is not frame.f_globals:
        known = standing_at(users_line())
        if len(_stands) >= _STANDS_KEPT:
            _stands.clear()
        _stands[key] = known
    return known


def _write_failure(
    state: FunctionState, operation: str, started: float, done: int, actual: float, error: BaseException
) -> None:
    decision = record(
        state,
        operation=operation,
        started=started,
        items=done,
        workload=None,
        plan=LOOP,
        why=ENDED_EARLY,
        actual=actual,
        tried=((LOOP, done),) if done else (),
        error=type(error).__qualname__,
    )
    note_item(error, done, state.name, operation, LOOP, decision.number)
