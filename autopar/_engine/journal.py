"""The process's decision log, opened at the first decision."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from autopar._model.decision import ENDED_EARLY, Decision
from autopar._observe.host import current_host, fingerprint
from autopar._record import DecisionLog, Store, explain, table, whole
from autopar.errors import StoreWarning

if TYPE_CHECKING:
    from autopar._engine.functions import FunctionState
    from autopar._engine.run import MapRun
    from autopar._model.plan import Plan

COMPUTES = 0.5
"""CPU share from which items count as computing, so that their CPU time is what the loop would have taken."""

_lock = threading.RLock()
_log: DecisionLog | None = None


def decision_log() -> DecisionLog:
    """The log of this process."""
    global _log
    with _lock:
        if _log is None:
            host = current_host()
            _log = DecisionLog(Store.from_environment())
            _log.note_host(fingerprint(host), host)
        return _log


def settled(seconds: float) -> bool:
    """Wait, not longer than so many seconds, until the log is not writing to the store on another thread."""
    log = _log
    return log is None or log.settle(seconds)


def new_log() -> None:
    """Write what waits and start an empty log, with the store that the environment names now."""
    global _log
    with _lock:
        log, _log = _log, None
    if log is not None:
        log.flush()


def record(state: FunctionState, **fields: Any) -> Decision:
    """Write down one decision about a function."""
    log = decision_log()
    try:
        decision = log.add(function=state.name, **fields)
    except StoreWarning:
        # Where warnings are errors this one must not cost the results of a map that is done; the log has the decision.
        decision = log.for_function(state.name)[-1]
    state.kept.keep(decision, log)
    return decision


def record_briefly(
    state: FunctionState,
    operation: str,
    started: float,
    items: int,
    actual: float,
    plan: Plan,
    serial_estimate: float | None = None,
) -> None:
    """Write down a map that ended before a choice could pay."""
    log = _log if _log is not None else decision_log()
    try:
        brief = log.add_brief(state.name, operation, started, items, actual, plan, serial_estimate)
    except StoreWarning:  # where warnings are errors it must not cost the results of a map that is done
        return
    state.kept.keep(brief, log)


def decisions_of(state: FunctionState) -> list[Decision]:
    """The function's own decisions in this process, newest last."""
    return [whole(decision) for decision in state.kept.decisions] if state.kept.log is decision_log() else []


def record_map(run: MapRun, operation: str, error: BaseException | None) -> Decision:
    """Write down how a map went."""
    choice, task = run.choice, run.task
    items = task.items_done
    return record(
        task.state,
        operation=operation,
        started=task.started_unix,
        items=items,
        workload=choice.workload if choice is not None else None,
        plan=run.plan,
        rejected=task.compiling.latest(choice.rejected) if choice is not None else (),
        why=_why(run),
        predicted=run.predicted,
        actual=task.machine.now() - task.started,
        serial_estimate=_serial_seconds(run, items),
        tried=tuple(task.tried),
        trials=run.trials,
        learned=run.learned,
        notes=(
            *(choice.notes if choice is not None else ()),
            *run.experience,
            *task.compiling.notes(chosen=choice is not None),
        ),
        fallbacks=tuple(task.fallbacks),
        error="" if error is None else type(error).__qualname__,
        timeline=task.times.timeline(),
    )


def _why(run: MapRun) -> str:
    """The reason of the choice; without one, what kept the map in the loop."""
    if run.choice is not None:
        return run.choice.why
    return run.task.fallbacks[-1] if run.task.fallbacks else ENDED_EARLY


def _serial_seconds(run: MapRun, items: int) -> float | None:
    """What the loop would have taken: the work itself if it computes, else the mean of the items that ran alone."""
    profile, compiling = run.task.profile, run.task.compiling
    if compiling.used:
        return None if compiling.python_seconds is None else compiling.python_seconds * items
    if not profile.items:
        return None
    if profile.cpu_share > COMPUTES:
        return run.task.worked
    return profile.seconds_per_item * items


def all_decisions() -> list[Decision]:
    """Every decision of this process that is still in memory, newest last."""
    return decision_log().all()


def decision_table(decisions: Iterable[Decision]) -> str:
    """Decisions as a text table."""
    return table(decisions)


def explanation(decision: Decision) -> str:
    """Why an operation ran as it did, in words."""
    return explain(decision)
