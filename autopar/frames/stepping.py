"""The function that pandas calls: the user's own at first, and then the results of a map over the rest.

A short apply is over before anything of this house has begun. Only where the rest may be worth it, by the same measure
as in a map, the function is analysed and the rest goes to the map engine; pandas goes on asking for one result after
the other, and makes of them what it makes of any.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from autopar._engine.deciding import FIRST_ANALYSIS
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record, record_briefly
from autopar._engine.machine import THIS_MACHINE, cores_here
from autopar._engine.notice import asked_for, users_line
from autopar._engine.prices import costs_on
from autopar._model.decision import ENDED_EARLY
from autopar._model.hints import Settings
from autopar._model.plan import LOOP
from autopar._native_api import thread_probe
from autopar._observe.host import current_host
from autopar._plan import worth_planning
from autopar.frames.calls import RowKeptError
from autopar.frames.works import OPERATION, Work

_ANALYSIS = "autopar._effects.analysis"
_NEVER = -1
_END = object()

KEEPS_ROW = "the function keeps its row, which pandas turns into the next one"


class Step:
    """Stands for a function in one `apply`.

    Parameters
    ----------
    function
        The user's.
    work
        What is to be called.

    Attributes
    ----------
    mapped
        Some of it has gone to the map engine, which has written down a decision.
    """

    def __init__(self, function: Callable[..., Any], work: Work) -> None:
        self._function = function
        self._work = work
        self._line = users_line()
        self._results: Iterator[Any] | None = None
        self._done = 0
        self._own = 0.0
        self._asked = not work.settings.plain
        self._look = 0 if self._asked else 1
        self._unix = time.time()
        self._wall, self._cpu, _, self._waits, _ = thread_probe()
        self._why = ENDED_EARLY
        self.mapped = False
        if hasattr(function, "__name__"):
            self.__name__ = function.__name__  # pandas treats an empty input by it

    def __call__(self, item: Any, *args: Any, **kwargs: Any) -> Any:
        """One call of pandas'."""
        if self._done == self._look:
            self._consider()
        if self._results is not None:
            result = next(self._results, _END)
            if result is not _END:
                return result
            self._results, self._look = None, _NEVER
        self._done += 1
        if not self._work.made_twice:
            return self._function(item, *args, **kwargs)
        began = time.perf_counter()
        result = self._function(item, *args, **kwargs)
        self._own += time.perf_counter() - began
        return result

    def _consider(self) -> None:
        """See whether the rest is worth a plan, and whether any but pandas' own loop would give its answer."""
        work = self._work
        if not self._asked and not self._worth_it():
            self._look = 2 * max(1, self._done)
            return
        self._look = _NEVER
        if work.count <= self._done:
            return
        if not _demanded(work.settings) and (why := work.obstacle()):
            self._why = why
            return
        self.mapped = True
        token = asked_for.set(self._line)
        try:
            self._results = work.results(self._done)
        except RowKeptError:
            self.mapped, self._why = False, KEEPS_ROW
        finally:
            asked_for.reset(token)

    def _worth_it(self) -> bool:
        left = self._work.count - self._done
        if left <= 0 or self._done == 0:
            return False
        wall, cpu, _, waits, _ = thread_probe()
        # Where nothing was waited for, what is missing on CPU time is what other programs took.
        spent = (cpu - self._cpu if waits == self._waits else wall - self._wall) / 1e9
        host, costs = current_host(), costs_on(THIS_MACHINE)
        gained = 1.0 - 1.0 / cores_here(host)
        if self._work.made_twice and self._own * gained < spent - self._own:
            return False
        each = spent / self._done
        if not worth_planning(each, left, self._done, host, self._work.settings, costs):
            return False
        return _ANALYSIS in sys.modules or left * each * gained > FIRST_ANALYSIS + costs.margin_seconds

    def write_down(self, state: FunctionState, error: BaseException | None) -> None:
        """Note how it went, unless the map engine has."""
        if self.mapped:
            return
        seconds = (thread_probe()[0] - self._wall) / 1e9
        if error is None and self._why is ENDED_EARLY:
            record_briefly(state, OPERATION, self._unix, self._done, seconds, LOOP)
        else:
            write_down(state, self._why, self._done, self._unix, seconds, error)


def _demanded(settings: Settings) -> bool:
    """Something is asked of items that only the map engine can give, or refuse."""
    careful = settings.retries > 0 or settings.on_error != "raise" or settings.seed is not None
    elsewhere = settings.backend not in (None, "serial") or settings.compiler is not None
    return careful or elsewhere or settings.timeout is not None


def write_down(
    state: FunctionState,
    why: str,
    items: int,
    started: float,
    seconds: float,
    error: BaseException | None,
    operation: str = OPERATION,
) -> None:
    """Note that pandas or NumPy made the calls themselves, and why."""
    record(
        state,
        operation=operation,
        started=started,
        items=items,
        workload=None,
        plan=LOOP,
        why=why,
        actual=seconds,
        serial_estimate=seconds,
        tried=((LOOP, items),) if items else (),
        error="" if error is None else type(error).__qualname__,
    )
