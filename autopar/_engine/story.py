"""The story of one map or call, as subscribers and the log are told it, on whichever threads it is run.

Where nobody listens there is none, and what runs pays for the look at an empty tuple and at the logger's level.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextvars import Context, copy_context
from itertools import count
from typing import TYPE_CHECKING, Any

from autopar._engine import log_records
from autopar._model import listening
from autopar._model.decision import Decision
from autopar._model.plan import Plan

if TYPE_CHECKING:
    from autopar.errors import WorkerDiedError

_numbers = count(1)


class Story:
    """What is told of one map or call, from its beginning to its end and nothing after that.

    Parameters
    ----------
    function, operation
        What is called, by which method.
    total
        Items to come, or None.
    heard
        Somebody listens.
    context
        What surrounds its caller, for what is told on other threads.

    Attributes
    ----------
    heard
        Where nobody listens nothing is told; failures and retries are counted all the same.
    failures, retries
        Items that raised, and runs of items again.
    """

    def __init__(
        self, function: str, operation: str, total: int | None, *, heard: bool = True, context: Context | None = None
    ) -> None:
        self.heard = heard
        self.failures = 0
        self.retries = 0
        self._context = context
        self._number = next(_numbers)
        self._function = function
        self._operation = operation
        self._began = time.perf_counter()
        self._lock = threading.Lock()
        self._plan: Plan | None = None
        self._over = False
        self._tell("MapStarted", items=total)

    def plan(self, plan: Plan, why: str) -> bool:
        """Whether a plan that is in force now is another one to a user; more workers of the same kind are."""
        with self._lock:
            before = self._plan
            if before is not None and _parts(before) == _parts(plan):
                return False
            self._plan = plan
        fields = {**_parts(plan), "predicted": plan.predicted, "why": why}
        if before is None:
            self._tell("PlanChosen", **fields)
        else:
            self._tell("PlanChanged", before=str(before), **fields)
        return True

    def compiled(self, compiler: str) -> None:
        """It goes on with compiled code."""
        self._tell("Compiled", compiler=compiler)

    def fell_back(self, why: str) -> None:
        """Something went differently from the plan."""
        self._tell("Fallback", why=why)

    def failed(self, index: int, error: BaseException) -> None:
        """An item has raised."""
        with self._lock:
            self.failures += 1
        self._tell("ItemFailed", index=index, error=type(error).__qualname__)

    def retried(self, index: int, error: BaseException) -> None:
        """An item runs again."""
        with self._lock:
            self.retries += 1
        self._tell("ItemRetried", index=index, error=type(error).__qualname__)

    def died(self, plan: Plan, index: int, items: int, error: WorkerDiedError) -> None:
        """A worker has died and taken items with it."""
        self._tell("WorkerDied", backend=plan.backend, index=index, items=items, exitcode=error.exitcode)

    def ended(self, decision: Decision) -> None:
        """All is done and written down."""
        self._end(
            decision.plan,
            items=decision.items,
            seconds=decision.actual,
            serial_estimate=decision.serial_estimate,
            decision=decision.number,
            error=decision.error,
        )

    def dropped(self, error: BaseException | None) -> None:
        """It is over without a decision, since nothing of it has run."""
        self._end(
            self._plan or Plan(),
            items=0,
            seconds=time.perf_counter() - self._began,
            serial_estimate=None,
            decision=0,
            error="" if error is None else type(error).__qualname__,
        )

    def of(self, start: Callable[[], Future[Any]]) -> Future[Any]:
        """The future of what ``start`` submits; the story ends with it, however that comes."""
        try:
            future = start()
        except BaseException as error:
            self.dropped(error)
            raise
        future.add_done_callback(self._settled)
        return future

    def _settled(self, future: Future[Any]) -> None:
        if not self._over:
            self.dropped(CancelledError() if future.cancelled() else future.exception())

    def _end(self, plan: Plan, **fields: Any) -> None:
        with self._lock:
            if self._over:
                return
            self._over = True
        self._say("MapEnded", failures=self.failures, retries=self.retries, **_parts(plan), **fields)

    def _tell(self, name: str, **fields: Any) -> None:
        if self.heard and not self._over:
            self._say(name, **fields)

    def _say(self, name: str, **fields: Any) -> None:
        if not self.heard:
            return
        from autopar import events

        known = {"map": self._number, "function": self._function, "operation": self._operation, "time": time.time()}
        event = getattr(events, name)(**known, **fields)
        if self._context is None:
            _publish(event)
        else:  # several threads may tell at a time, and a context is entered by one
            self._context.copy().run(_publish, event)


def _publish(event: Any) -> None:
    from autopar import events

    log_records.put(event)
    events.tell(event)


def _parts(plan: Plan) -> dict[str, Any]:
    return {"plan": str(plan), "backend": plan.backend, "compiler": plan.compiler, "workers": plan.workers}


def is_heard() -> bool:
    """Somebody listens to events or reads them in the log."""
    return bool(listening.subscribers) or log_records.wanted()


def story_of(function: str, operation: str, total: int | None) -> Story | None:
    """The story of what the caller submits now and others will run; None where nobody would hear of it."""
    return Story(function, operation, total, context=copy_context()) if is_heard() else None
