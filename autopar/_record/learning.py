"""Profiles and prices in the store: read once, and taught by several processes at the same time.

A lesson is applied to the row as it is at that moment, in one transaction, so that of two processes neither undoes what
the other has learned.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, field
from typing import TYPE_CHECKING

from autopar._model.calibration import MEASURED, OBSERVED, Quantity, plausible
from autopar._model.learned import Learned, Lesson, ProfileKey, take_in
from autopar._model.light_dataclass import dataclass
from autopar._record.learned_codec import from_json, to_json

if TYPE_CHECKING:
    from sqlite3 import Connection

# A profile takes about 1 kB: some 5 MB at most, and what nobody used for half a year goes first.
_MOST_PROFILES = 5_000
_UNUSED_FOR = 180 * 86_400.0
_MOST_OF_A_FUNCTION = 256

_PROFILES = "SELECT types, size, json FROM profiles WHERE code = ? AND host = ? ORDER BY updated DESC LIMIT ?"
_PROFILE = "SELECT json FROM profiles WHERE code = ? AND host = ? AND types = ? AND size = ?"
_KEEP_PROFILE = (
    "INSERT OR REPLACE INTO profiles (code, host, types, size, function, updated, maps, json)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_PRUNE_OLD = "DELETE FROM profiles WHERE updated < ?"
_COUNT = "SELECT COUNT(*) FROM profiles"
_PRUNE_MANY = (
    "DELETE FROM profiles WHERE (code, host, types, size) IN"
    " (SELECT code, host, types, size FROM profiles ORDER BY updated LIMIT ?)"
)
_QUANTITIES = "SELECT name, value, time, source, count, conditions FROM calibration WHERE host = ?"
_QUANTITY = "SELECT value, time, source, count FROM calibration WHERE host = ? AND name = ?"
_KEEP_QUANTITY = "INSERT OR REPLACE INTO calibration VALUES (:host, :name, :value, :time, :source, :count, :conditions)"
_FORGET_QUANTITIES = "DELETE FROM calibration WHERE host = ? AND name = ?"


@dataclass(slots=True)
class Teaching:
    """What waits to be written besides decisions.

    Attributes
    ----------
    lessons
        In the order of their maps.
    measured
        Quantities of the host that were measured: they replace what is there.
    observed
        ``(name, value, unix time)`` of what maps showed: it is blended in.
    doubted
        Names of quantities that were proven wrong.
    conditions
        What limits this process's cores, in words.
    """

    lessons: list[Lesson] = field(default_factory=list)
    measured: dict[str, Quantity] = field(default_factory=dict)
    observed: list[tuple[str, float, float]] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    conditions: str = ""

    def __bool__(self) -> bool:
        return bool(self.lessons or self.measured or self.observed or self.doubted)

    def before(self, later: Teaching) -> Teaching:
        """Both, this one first."""
        return Teaching(
            self.lessons + later.lessons,
            self.measured | later.measured,
            self.observed + later.observed,
            self.doubted | later.doubted,
            later.conditions or self.conditions,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a function on a host, and of the host.

    Attributes
    ----------
    profiles
        ``(types, size)`` -> what was learned.
    quantities
        Name -> value.
    conditions
        Under which the quantities were taken, in words.
    """

    profiles: Mapping[tuple[str, int], Learned] = field(default_factory=dict)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    conditions: str = ""


Complain = Callable[[str], None]


def read(connection: Connection, code: str, host: str, complain: Complain) -> Known:
    """Everything about one function's code and one host; a row that is wrong is left out, with a complaint."""
    profiles: dict[tuple[str, int], Learned] = {}
    if code:
        for types, size, text in connection.execute(_PROFILES, (code, host, _MOST_OF_A_FUNCTION)):
            learned = _learned(text, complain)
            if learned is not None and isinstance(types, str) and isinstance(size, int):
                profiles[types, size] = learned
    quantities, conditions = {}, ""
    for name, value, when, source, count, under in connection.execute(_QUANTITIES, (host,)):
        quantity = _quantity(name, value, when, source, count)
        if quantity is None:
            complain("a price is left out: no machine could show it")
            continue
        quantities[name] = quantity
        conditions = under if isinstance(under, str) else ""
    return Known(profiles, quantities, conditions)


def teach(connection: Connection, teaching: Teaching, host: str, complain: Complain) -> dict[str, float]:
    """Apply lessons and prices, inside of a transaction; what has become known of each code's longest items.

    Returns
    -------
    dict
        Digest of code -> seconds of an item of the kind that takes longest, among those that were taught.
    """
    longest = _teach_profiles(connection, teaching.lessons, host, complain)
    for name in teaching.doubted:
        connection.execute(_FORGET_QUANTITIES, (host, name))
    found: dict[str, Quantity] = dict(teaching.measured)
    for name, value, when in teaching.observed:
        known = found.get(name) or _stored(connection, host, name)
        found[name] = Quantity(value, when, OBSERVED) if known is None else known.after(value, when)
    connection.executemany(
        _KEEP_QUANTITY,
        [
            {"host": host, "name": name, "conditions": _text(teaching.conditions), **asdict(known)}
            for name, known in found.items()
            if plausible(name, known.value)
        ],
    )
    return longest


def prune(connection: Connection, now: float) -> None:
    """Drop profiles that nobody used for long, and the oldest if there are too many."""
    connection.execute(_PRUNE_OLD, (now - _UNUSED_FOR,))
    (count,) = connection.execute(_COUNT).fetchone()
    if count > _MOST_PROFILES:
        connection.execute(_PRUNE_MANY, (count - _MOST_PROFILES,))


def _teach_profiles(
    connection: Connection, lessons: Iterable[Lesson], host: str, complain: Complain
) -> dict[str, float]:
    by_key: dict[ProfileKey, list[Lesson]] = {}
    longest: dict[str, float] = {}
    for lesson in lessons:
        by_key.setdefault(lesson.key, []).append(lesson)
    for key, taught in by_key.items():
        place = key.code, host, _text(key.types), key.size
        row = connection.execute(_PROFILE, place).fetchone()
        learned = None if row is None else _learned(row[0], complain)
        for lesson in taught:
            learned = take_in(learned, lesson)
        if learned is None:
            continue
        longest[key.code] = max(longest.get(key.code, 0.0), learned.facts.seconds)
        function = _text(taught[-1].function)
        connection.execute(
            _KEEP_PROFILE, (*place, function, learned.updated, min(learned.maps, 1 << 62), to_json(learned))
        )
    if by_key:
        prune(connection, time.time())
    return longest


def _learned(text: object, complain: Complain) -> Learned | None:
    try:
        if not isinstance(text, str):
            raise ValueError(f"not a text but {type(text).__name__}")
        return from_json(text)
    except ValueError as error:
        complain(f"a profile is left out: {error}")
        return None


def _stored(connection: Connection, host: str, name: str) -> Quantity | None:
    row = connection.execute(_QUANTITY, (host, name)).fetchone()
    return None if row is None else _quantity(name, *row)


def _quantity(name: object, value: object, when: object, source: object, count: object) -> Quantity | None:
    """A row as a quantity, or None if it cannot be one."""
    usable = isinstance(name, str) and plausible(name, value) and source in (MEASURED, OBSERVED)
    if not usable or not isinstance(when, float) or not math.isfinite(when):
        return None
    if not isinstance(count, int) or count < 1:
        return None
    return Quantity(float(value), when, str(source), count)  # type: ignore[arg-type]


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
