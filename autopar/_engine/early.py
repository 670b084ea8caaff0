"""The shortest way through a map: one that is known to end before a choice of plan could pay.

A function that was mapped before, over items of this type, has shown what they take. If all of them together take less
than the time before which nothing is planned, they run here at little more than the cost of their calls: compiled, if
the function is and that pays. Where that turns out wrong the map goes on the ordinary way, from the item that was
reached.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from itertools import islice
from types import CodeType
from typing import TYPE_CHECKING, Any

from autopar._backends.chunk import run_each
from autopar._backends.standing import standing_at
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record, record_briefly
from autopar._engine.native import kind_of
from autopar._engine.notice import users_frame, users_line
from autopar._engine.task import COMPILED_LOOP, note_item, pools_used
from autopar._engine.tierup import CALL_SECONDS, compile_between_maps, due, note_map
from autopar._model.decision import ENDED_EARLY
from autopar._model.hints import Settings
from autopar._model.observation import Sample
from autopar._model.plan import LOOP, Plan
from autopar._observe.meter import Meter
from autopar._plan import DEFAULT_COSTS

if TYPE_CHECKING:
    from autopar._model.compiler import Compiled

EARLY_TYPES = (list, tuple, range)
"""Inputs whose items are there already: taking one runs no code."""

ENOUGH_FOR_A_BLOCK = 256
"""Items from which compiled code takes them as a block: laying one out takes 25 us (benchmarks/native), about as long
as entering the code 200 times."""


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
    form
        The compiled function, if that runs the items.
    """

    def __init__(self, items: Any, form: Compiled | None = None) -> None:
        self.items = items
        self.form = form
        self.results: list[Any] = []
        self.iterator: Iterator[Any] = iter(items)
        self.nested = False
        self._meter: Meter | None = None

    def run(self, state: FunctionState, kwargs: dict[str, Any], operation: str, *, star: bool) -> bool:
        """Run items until all are done, which is then written down, or until they took longer than they should."""
        results, run_slice = self.results, self._runner(state, kwargs, star)
        unix, count = time.time(), len(self.items)
        pools = pools_used.box[0]
        self._meter = Meter() if count > 1 else None
        started = time.perf_counter()
        elapsed = 0.0
        size = 2 if count == 1 else 1
        try:
            while run_slice(size) is True:
                elapsed = time.perf_counter() - started
                if elapsed >= DEFAULT_COSTS.look_seconds:
                    self.nested = pools_used.box[0] != pools
                    return False
                # Slices double, and one more than is left finds the end.
                size = min(2 * size, count - len(results) + 1) if len(results) < count else 1
        except BaseException as error:
            _write_failure(state, operation, unix, len(results), time.perf_counter() - started, self._plan, error)
            raise
        elapsed = time.perf_counter() - started
        record_briefly(state, operation, unix, len(results), elapsed, self._plan)
        if self.form is None and count:
            self._settle(state, kwargs, elapsed, star=star)
        return True

    @property
    def _plan(self) -> Plan:
        return LOOP if self.form is None else COMPILED_LOOP

    def _runner(self, state: FunctionState, kwargs: dict[str, Any], star: bool) -> Callable[[int], object]:
        """What runs so many items more; it gives True if there may be others."""
        results, iterator, stand, form = self.results, self.iterator, _stand(), self.form
        function = state.function if form is None else form
        call = functools.partial(function, **kwargs) if kwargs else function
        if form is None:
            return lambda size: run_each(stand, call, iterator, size, results, star)
        block: Any = getattr(form, "__autopar_block__", None)

        def run_compiled(size: int) -> bool:
            items = list(islice(iterator, size))
            if size < ENOUGH_FOR_A_BLOCK or block is None or not stand(block, items, star, kwargs, results):
                run_each(stand, call, iter(items), len(items), results, star)
            return len(items) == size

        return run_compiled

    def _settle(self, state: FunctionState, kwargs: dict[str, Any], seconds: float, *, star: bool) -> None:
        """Note what this has cost in Python; from a certain sum on the function is compiled for the maps to come."""
        note_map(state, seconds, len(self.results))
        if due(state) and (not star or type(self.items[0]) in (tuple, list)):
            first = self.items[0]
            compile_between_maps(state, tuple(first) if star else (first,), kwargs, kind_of(first, star=star))

    def sample(self) -> Sample | None:
        """What the items took that have run; None for what was a single item at first, which nobody measured."""
        return None if self._meter is None else self._meter.sample(len(self.results), alone=False)


def early(state: FunctionState, iterables: tuple[Any, ...], settings: Settings, *, star: bool) -> Early | None:
    """A map that can be expected to end early, or None where that is not known."""
    if not (settings.plain and state.witnessed) or len(iterables) != 1 or type(iterables[0]) not in EARLY_TYPES:
        return None
    items = iterables[0]
    if not items:
        return Early(items)
    forms = state.forms
    ready = forms.ready.get(kind_of(items[0], star=star)) if forms.ready else None
    if ready is not None and ready.form.withdrawn:
        ready = None
    if len(items) == 1:
        return Early(items, None if ready is None else ready.form)
    known = state.memory.latest.get(type(items[0]))
    each = None if known is None else known.seconds_per_item
    form = None
    if ready is not None and (each is None or ready.seconds is None or ready.seconds + CALL_SECONDS < each):
        each, form = ready.seconds, ready.form
    if each is None or len(items) * each >= DEFAULT_COSTS.look_seconds:
        return None
    return Early(items, form)


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
    state: FunctionState,
    operation: str,
    started: float,
    done: int,
    actual: float,
    plan: Plan,
    error: BaseException,
) -> None:
    decision = record(
        state,
        operation=operation,
        started=started,
        items=done,
        workload=None,
        plan=plan,
        why=ENDED_EARLY,
        actual=actual,
        tried=((plan, done),) if done else (),
        error=type(error).__qualname__,
    )
    note_item(error, done, state.name, operation, plan, decision.number)
