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
from autopar._engine.naming import note_item
from autopar._engine.native import Forms, Ready, kind_of
from autopar._engine.notice import users_frame, users_line
from autopar._engine.task import COMPILED_LOOP, pools_used
from autopar._engine.tierup import CALL_SECONDS, compile_between_maps, note_map
from autopar._model.decision import ENDED_EARLY
from autopar._model.hints import Settings
from autopar._model.observation import Sample
from autopar._model.plan import LOOP, Plan
from autopar._observe.host import current_host
from autopar._observe.meter import Meter
from autopar._plan import DEFAULT_COSTS, worth_planning

if TYPE_CHECKING:
    from autopar._model.compiler import Compiled

EARLY_TYPES = (list, tuple, range)
"""Inputs whose items are there already: taking one runs no code."""

SLOWER = 2.0
"""Times of what was expected after which a map goes on the ordinary way. Unmeasured."""

ENOUGH_FOR_A_BLOCK = 256
"""Items from which compiled code takes them as a block: laying one out takes 25 us (benchmarks/native), about as long
as entering the code 200 times."""


class Early:
    """A map that is expected to end early.

    Parameters
    ----------
    items
        Its input.
    form
        The compiled function, if that is to run the items.
    most
        Seconds after which it has not ended early.
    learns
        What it costs in Python counts towards compiling the function.

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

    __slots__ = ("_learns", "_meter", "_most", "form", "items", "iterator", "nested", "results")

    def __init__(self, items: Any, form: Compiled | None = None, *, most: float, learns: bool = True) -> None:
        self.items = items
        self.form = form
        self._most = most
        self._learns = learns
        self.results: list[Any] = []
        self.iterator: Iterator[Any] = iter(items)
        self.nested = False
        self._meter: Meter | None = None

    def run(self, state: FunctionState, kwargs: dict[str, Any], operation: str, *, star: bool) -> bool:
        """Run items until all are done, which is then written down, or until they took longer than they should."""
        results, iterator, form = self.results, self.iterator, self.form
        function = state.function if form is None else form
        call = functools.partial(function, **kwargs) if kwargs else function
        stand = _stand()
        unix, count, most, size = time.time(), len(self.items), self._most, 2
        pools = pools_used.box[0]
        if count > 1:
            self._meter, size = Meter(), 1
        started = time.perf_counter()
        try:
            while (
                run_each(stand, call, iterator, size, results, star)
                if form is None
                else _run_compiled(stand, form, call, iterator, size, results, kwargs, star)
            ) is True:
                elapsed = time.perf_counter() - started
                if elapsed >= most:
                    self.nested = pools_used.box[0] != pools
                    return False
                # Slices double, and one more than is left finds the end.
                size = min(2 * size, count - len(results) + 1) if len(results) < count else 1
        except BaseException as error:
            elapsed = time.perf_counter() - started
            _write_failure(state, operation, unix, len(results), elapsed, _plan_of(form), error)
            raise
        elapsed = time.perf_counter() - started
        if form is not None:
            each = form.python_seconds
            in_python = None if each is None else each * len(results)
            plan = _plan_of(form)
            record_briefly(state, operation, unix, len(results), elapsed, plan, in_python)
            return True
        record_briefly(state, operation, unix, len(results), elapsed, LOOP)
        if self._learns and note_map(state, elapsed, len(results)) and count:
            self._have_compiled(state, kwargs, star=star)
        return True

    def _have_compiled(self, state: FunctionState, kwargs: dict[str, Any], *, star: bool) -> None:
        """The function has cost enough in Python for the next map to find it compiled."""
        first = self.items[0]
        if not star or type(first) in (tuple, list):
            compile_between_maps(state, tuple(first) if star else (first,), kwargs, kind_of(first, star=star))

    def sample(self) -> Sample | None:
        """What the items took that have run; None for what was a single item at first, which nobody measured."""
        return None if self._meter is None else self._meter.sample(len(self.results), alone=False)


def _run_compiled(
    stand: Callable[..., Any],
    form: Compiled,
    call: Callable[..., Any],
    iterator: Iterator[Any],
    size: int,
    results: list[Any],
    kwargs: dict[str, Any],
    star: bool,
) -> bool:
    """As :func:`run_each`, with a compiled function, for items that are taken before they run."""
    items = list(islice(iterator, size))
    block: Any = getattr(form, "__autopar_block__", None)
    if size < ENOUGH_FOR_A_BLOCK or block is None or not stand(block, items, star, kwargs, results):
        run_each(stand, call, iter(items), len(items), results, star)
    return len(items) == size


def _plan_of(form: Compiled | None) -> Plan:
    if form is None:
        return LOOP
    return COMPILED_LOOP if form.compiler == COMPILED_LOOP.compiler else Plan(compiler=form.compiler)


def early(state: FunctionState, iterables: tuple[Any, ...], settings: Settings, *, star: bool) -> Early | None:
    """A map that can be expected to end early, or None where that is not known."""
    if not settings.in_loop or len(iterables) != 1 or type(iterables[0]) not in EARLY_TYPES:
        return None
    items, compiler = iterables[0], settings.compiler
    if compiler is not None and compiler != "python":
        return _early_on_demand(state.demanded_forms(compiler), items, star=star)
    if not state.witnessed:
        return None
    look, learns = DEFAULT_COSTS.look_seconds, compiler is None
    if not items:
        return Early(items, most=look)
    ready = _ready(state.forms, items, star=star) if learns else None
    if len(items) == 1:
        return Early(items, None if ready is None else ready.form, most=look, learns=learns)
    known = state.memory.latest.get(type(items[0]))
    each = None if known is None else known.seconds_per_item
    form = None
    if ready is not None and (each is None or ready.seconds is None or ready.seconds + CALL_SECONDS < each):
        each, form = ready.seconds, ready.form
    if each is None:
        return None
    expected = len(items) * each
    if expected >= look and worth_planning(each, len(items), len(items), current_host(), settings):
        return None
    return Early(items, form, most=max(look, SLOWER * expected), learns=learns)


def _early_on_demand(forms: Forms, items: Any, *, star: bool) -> Early | None:
    """The same where compiled code is demanded: nothing but a form that is there will do."""
    ready = _ready(forms, items, star=star) if items else None
    look = DEFAULT_COSTS.look_seconds
    if ready is None or (len(items) > 1 and (ready.seconds is None or len(items) * ready.seconds >= look)):
        return None
    return Early(items, ready.form, most=look)


def _ready(forms: Forms, items: Any, *, star: bool) -> Ready | None:
    """The form for maps like this one, if there is one and it is in use."""
    ready = forms.ready.get(kind_of(items[0], star=star)) if forms.ready else None
    return None if ready is None or ready.form.withdrawn else ready


_stands: dict[tuple[int, int], tuple[CodeType, Callable[..., Any]]] = {}
"""Where in which code -> the code and what stands there. Hashing code takes as long as it is, and so does its line."""

_STANDS_KEPT = 256


def _stand() -> Callable[..., Any]:
    """Calls from the line that asks for this map, made once for a line: that takes longer than many a call."""
    frame = users_frame(4)  # this, Early.run, map_list, and the door to it
    code = frame.f_code
    key = id(code), frame.f_lasti
    known = _stands.get(key)
    if known is not None and known[0] is code and known[1].__globals__ is frame.f_globals:
        return known[1]
    stand = standing_at(users_line())
    if len(_stands) >= _STANDS_KEPT:
        _stands.clear()
    _stands[key] = code, stand
    return stand


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
