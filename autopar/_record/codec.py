"""A decision as JSON and back, without loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from autopar._model.decision import Decision, Trial
from autopar._model.plan import Plan, Rejected
from autopar._model.workload import Kind, Workload

_Record = TypeVar("_Record", Decision, Plan, Rejected, Trial, Workload)


def to_json(decision: Decision) -> str:
    """Write a decision as one line of ASCII; NaN and infinities are written as Python's json reads them.

    Its timeline is left out: few are kept, and by themselves.
    """
    row = asdict(decision if decision.timeline is None else replace(decision, timeline=None))
    del row["timeline"]
    return json.dumps(row, default=_plain)


def from_json(text: str) -> Decision:
    """Read a decision; fields that a later version added are left out, and those it lacks have their defaults.

    Raises
    ------
    ValueError
        The text is not a decision.
    """
    try:
        row = json.loads(text)
        workload = row["workload"]
        return _build(
            Decision,
            row,
            workload=None if workload is None else _workload(workload),
            plan=_build(Plan, row["plan"]),
            rejected=tuple(map(_rejected, row.get("rejected", ()))),
            tried=tuple((_build(Plan, plan), items) for plan, items in row.get("tried", ())),
            trials=tuple(_build(Trial, trial, plan=_build(Plan, trial["plan"])) for trial in row.get("trials", ())),
            notes=tuple(row.get("notes", ())),
            fallbacks=tuple(row.get("fallbacks", ())),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a decision: {type(error).__name__}: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, Kind):
        return value.value
    if hasattr(type(value), "__index__"):  # numbers of NumPy
        return int(value)  # type: ignore[call-overload]
    if hasattr(type(value), "__float__"):
        return float(value)  # type: ignore[arg-type]
    raise TypeError(f"a decision holds a {type(value).__name__}")


def _rejected(row: Mapping[str, Any]) -> Rejected:
    return _build(Rejected, row, plan=_build(Plan, row["plan"]))


def _workload(row: Mapping[str, Any]) -> Workload:
    return _build(Workload, row, kind=Kind(row["kind"]), evidence=tuple(row.get("evidence", ())))


def _build(record: type[_Record], row: Mapping[str, Any], /, **better: Any) -> _Record:
    known = {field.name for field in fields(record)}
    return record(**{name: value for name, value in {**row, **better}.items() if name in known})
