"""What was learned as JSON and back. A row is a stranger's word: each field is checked, a bad one is a ValueError."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from autopar._model.learned import ItemFacts, Learned, Way
from autopar._model.plan import BACKENDS, COMPILERS

_MOST_SECONDS = 1e9
_MOST_COUNT = 10**15
_MOST_TEXT = 500
_MOST_WAYS = len(BACKENDS) * len(COMPILERS)


def to_json(learned: Learned) -> str:
    """Write a record as one line of ASCII."""
    row = asdict(learned)
    for name in ("why_not_pickles", "gil_share_why"):
        row["facts"][name] = row["facts"][name][:_MOST_TEXT]
    return json.dumps(row, allow_nan=False)


def from_json(text: str) -> Learned:
    """Read a record; fields that a later version added are left out, and those it lacks have their defaults.

    Raises
    ------
    ValueError
        The text is no such record, or says what cannot be.
    """
    try:
        row = _Row(json.loads(text))
        ways = row.get("ways", [])
        if not isinstance(ways, list) or len(ways) > _MOST_WAYS:
            raise ValueError("ways must be a short list")
        return Learned(
            facts=_facts(_Row(row["facts"])),
            ways=tuple(_way(_Row(way)) for way in ways),
            maps=row.count("maps", 1),
            processes=row.count("processes", 1),
            alone=row.truth("alone", True) is True,
            on_trust=row.count("on_trust", 0),
            updated=row.number("updated", 0.0, _MOST_SECONDS * 1e3),
            followed=row.text("followed"),
            clean=row.truth("clean", False) is True,
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a profile: {type(error).__name__}: {error}") from error


def _facts(row: _Row) -> ItemFacts:
    return ItemFacts(
        seconds=row.number("seconds", None, _MOST_SECONDS),
        cpu=row.number("cpu", None, _MOST_SECONDS),
        spread=row.number("spread", 0.0, _MOST_SECONDS),
        slowest=row.number("slowest", 0.0, _MOST_SECONDS),
        waits=row.number("waits", 0.0, _MOST_COUNT),
        cores=row.maybe("cores", _MOST_COUNT),
        bytes_in=row.maybe("bytes_in", _MOST_COUNT),
        bytes_out=row.maybe("bytes_out", _MOST_COUNT),
        bytes_shared=row.maybe("bytes_shared", _MOST_COUNT),
        objects=row.maybe("objects", _MOST_COUNT),
        pickles=row.truth("pickles", None),
        why_not_pickles=row.text("why_not_pickles"),
        gil_share=row.maybe("gil_share", 1.0),
        gil_share_why=row.text("gil_share_why"),
        gil_share_assumed=row.truth("gil_share_assumed", False) is True,
        best_concurrency=None if row.get("best_concurrency") is None else row.count("best_concurrency", 1, 1 << 20),
    )


def _way(row: _Row) -> Way:
    if row["backend"] not in BACKENDS or row["compiler"] not in COMPILERS:
        raise ValueError("a way that is not known")
    return Way(
        backend=row["backend"],
        compiler=row["compiler"],
        workers=row.count("workers", 1),
        maps=row.count("maps", 1),
        seconds_per_item=row.number("seconds_per_item", None, _MOST_SECONDS),
        predicted_per_item=row.maybe("predicted_per_item", _MOST_SECONDS),
        outcomes=row.count("outcomes", 0),
        log_ratio=row.number("log_ratio", 0.0, 10.0, least=-10.0),
    )


class _Row:
    """A JSON object whose fields are checked as they are read."""

    def __init__(self, row: object) -> None:
        if not isinstance(row, dict):
            raise TypeError(f"an object is expected, not {type(row).__name__}")
        self._row: Mapping[str, Any] = row

    def __getitem__(self, name: str) -> Any:
        return self._row[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._row.get(name, default)

    def number(self, name: str, default: float | None, most: float, least: float = 0.0) -> float:
        value = self._row[name] if default is None else self._row.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{name} must be a number, not {type(value).__name__}")
        if not (math.isfinite(value) and least <= value <= most):
            raise ValueError(f"{name} is out of range")
        return float(value)

    def maybe(self, name: str, most: float) -> float | None:
        return None if self._row.get(name) is None else self.number(name, None, most)

    def count(self, name: str, least: int, most: int = _MOST_COUNT) -> int:
        value = self._row.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
        if not least <= value <= most:
            raise ValueError(f"{name} is out of range")
        return value

    def truth(self, name: str, default: bool | None) -> bool | None:
        value = self._row.get(name, default)
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"{name} must be true or false, not {type(value).__name__}")
        return value

    def text(self, name: str) -> str:
        value = self._row.get(name, "")
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a text, not {type(value).__name__}")
        if len(value) > _MOST_TEXT:
            raise ValueError(f"{name} is too long")
        return value
