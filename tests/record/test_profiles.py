"""Profiles and prices in the store: what was learned is read, processes teach together, faults cost a warning."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autopar._model.calibration import OBSERVED, Quantity
from autopar._model.decision import Decision
from autopar._model.learned import MAPS_ON_TRUST, ItemFacts, Learned, Lesson, ProfileKey, Run, Way, begin, take_in
from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Plan
from autopar._record import DecisionLog, Known, Store, Teaching
from autopar._record import store as store_module
from autopar._record.learned_codec import from_json, to_json
from autopar._record.store import LEARNING_SCHEMA
from autopar.errors import StoreWarning
from tests.record.strategies import texts

ROOT = Path(__file__).parents[2]
HOST = ("this machine", Host(2))
KEY = ProfileKey("c0de", "int", 5)
FACTS = ItemFacts(0.02, 0.019, pickles=True, bytes_in=5.0, bytes_out=5.0)


def now() -> float:
    return float(round(time.time()))


def lesson(key: ProfileKey = KEY, seconds: float = 0.02, **changes: Any) -> Lesson:
    return Lesson(key, "shop.price", now(), replace(FACTS, seconds=seconds), followed="f", clean=True, **changes)


def taught(path: Path, *lessons: Lesson, **more: Any) -> Store:
    store = Store(path)
    assert store.write([], HOST, Teaching(list(lessons), **more))
    return store


def known(store: Store, code: str = KEY.code, host: str = HOST[0]) -> Known:
    return store.read_known(code, host)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a store that is not made yet."""
    return tmp_path / "cache" / "autopar" / "store.sqlite"


seconds = st.floats(0, 1e6)
counts = st.integers(0, 10**9)
facts = st.builds(
    ItemFacts,
    seconds=seconds,
    cpu=seconds,
    spread=seconds,
    slowest=seconds,
    waits=seconds,
    cores=st.none() | st.floats(0, 1024),
    bytes_in=st.none() | seconds,
    bytes_out=st.none() | seconds,
    bytes_shared=st.none() | seconds,
    objects=st.none() | seconds,
    pickles=st.none() | st.booleans(),
    why_not_pickles=texts,
    gil_share=st.none() | st.floats(0, 1),
    gil_share_why=texts,
    gil_share_assumed=st.booleans(),
    best_concurrency=st.none() | st.integers(1, 1024),
)
ways = st.builds(
    Way,
    backend=st.sampled_from(sorted(BACKENDS)),
    compiler=st.sampled_from(sorted(COMPILERS)),
    workers=st.integers(1, 4096),
    maps=st.integers(1, 10**6),
    seconds_per_item=seconds,
    predicted_per_item=st.none() | seconds,
    outcomes=counts,
    log_ratio=st.floats(-3, 3),
)
records = st.builds(
    Learned,
    facts=facts,
    ways=st.lists(ways, max_size=4).map(tuple),
    maps=st.integers(1, 10**9),
    processes=st.integers(1, 10**6),
    alone=st.booleans(),
    on_trust=counts,
    updated=seconds,
    followed=st.text("0123456789abcdef", max_size=32),
    clean=st.booleans(),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


# What is learned


@pytest.mark.slow
@given(records)
def test_a_record_comes_back_as_it_was(record: Learned) -> None:
    """Every field of what was learned survives its row."""
    assert from_json(to_json(record)) == record


def test_a_first_lesson_makes_a_record(path: Path) -> None:
    """It is found under code and host, with its types and size class."""
    store = taught(path, lesson())
    (place, record), *others = known(store).profiles.items()
    assert others == []
    assert place == (KEY.types, KEY.size)
    assert (record.maps, record.processes, record.facts.seconds) == (1, 1, 0.02)
    assert known(store, "other code").profiles == {}
    assert known(store, host="other machine").profiles == {}


def test_later_lessons_count_for_more(path: Path) -> None:
    """Means move towards what newer maps show, and never past it."""
    store = taught(path, lesson(seconds=0.02))
    seen = []
    for _ in range(12):
        store.write([], HOST, Teaching([lesson(seconds=0.04)]))
        seen.append(known(store).profiles[KEY.types, KEY.size].facts.seconds)
    assert seen == sorted(seen)
    assert seen[0] == pytest.approx(0.026)
    assert seen[-1] == pytest.approx(0.04, rel=0.01)
    assert seen[-1] < 0.04


def test_changed_code_below_the_function_starts_anew() -> None:
    """A lesson from other code that the function calls is the first of a new record."""
    record = take_in(begin(lesson()), lesson())
    assert record is not None
    assert record.maps == 2
    anew = take_in(record, replace(lesson(seconds=1.0), followed="other"))
    assert anew is not None
    assert (anew.maps, anew.facts.seconds) == (1, 1.0)


def test_outcomes_correct_predictions_by_and_by() -> None:
    """A way that takes twice its prediction is corrected towards 2, the more so the more often it was seen."""
    run = Run("processes", "python", 2, items=10, seconds=2.0, predicted=1.0)
    record = begin(lesson(runs=(run,)))
    factors = []
    for _ in range(6):
        assert record is not None
        factors.append(record.corrections["processes"])
        record = take_in(record, lesson(runs=(run,)))
    assert factors == sorted(factors)
    assert 1.3 < factors[0] < 1.5
    assert 1.7 < factors[-1] < 2.0


def test_a_correction_fades_while_its_way_is_not_taken() -> None:
    """A way that did badly once gets another chance after some maps without it."""
    record = begin(lesson(runs=(Run("processes", "python", 2, 10, 4.0, 1.0),)))
    for _ in range(12):
        record = take_in(record, lesson(runs=(Run("threads", "python", 2, 10, 1.0, 1.0),)))
    assert record is not None
    assert 1.0 < record.corrections["processes"] < 1.3


@given(st.lists(st.tuples(st.floats(1e-9, 1e9), st.none() | st.floats(1e-9, 1e9)), min_size=1, max_size=20))
def test_a_correction_stays_within_limits(outcomes: list[tuple[float, float | None]]) -> None:
    """Whatever happens, no prediction is changed by more than a factor of four, and what is learned can be kept."""
    record: Learned | None = None
    for took, predicted in outcomes:
        record = take_in(record, lesson(runs=(Run("threads", "python", 2, 1, took, predicted),)))
    assert record is not None
    assert all(0.25 <= factor <= 4.0 for factor in record.corrections.values())
    assert from_json(to_json(record)) == record


def test_runs_too_short_to_tell_correct_nothing() -> None:
    """A few milliseconds are noise."""
    record = begin(lesson(runs=(Run("threads", "python", 2, 10, 4e-3, 1e-3),)))
    assert record is not None
    assert record.corrections == {}


def test_trust_ends_after_some_maps_that_measured_nothing() -> None:
    """Now and then a map measures its items alone, and then there is trust again."""
    on_trust = replace(lesson(), facts=None)
    record = begin(lesson())
    for _ in range(MAPS_ON_TRUST):
        assert record is not None
        assert record.trusted
        record = take_in(record, on_trust)
    assert record is not None
    assert not record.trusted
    record = take_in(record, lesson())
    assert record is not None
    assert record.trusted


def test_a_gil_share_that_forbids_threads_is_measured_again() -> None:
    """After 1, 2, 4 and 8 maps it is in doubt; one that leaves threads open never is."""
    again = {}
    for share in (1.0, 0.2):
        record = begin(lesson())
        for _ in range(8):
            assert record is not None
            record = replace(record, facts=replace(record.facts, gil_share=share))
            again[share, record.maps] = record.race_again
            record = take_in(record, lesson())
    assert [maps for (share, maps), due in again.items() if due] == [1, 2, 4, 8]
    assert not any(due for (share, _), due in again.items() if share < 1.0)


def test_items_of_a_demanded_pool_do_not_count_as_alone() -> None:
    """What kept one another waiting is remembered, and replaced by the first honest measurement."""
    record = begin(lesson(seconds=0.5, alone=False))
    assert record is not None
    assert not record.trusted
    record = take_in(record, lesson(seconds=0.02))
    assert record is not None
    assert record.trusted
    assert record.facts.seconds == 0.02
    record = take_in(record, lesson(seconds=0.5, alone=False))
    assert record is not None
    assert record.facts.seconds == 0.02


def test_facts_and_profile_are_two_forms_of_the_same() -> None:
    """A profile made of facts has their means."""
    fact = ItemFacts(0.02, 0.015, 0.001, 0.03, 2.0, 1.5, 10.0, 20.0, True, "", 0.25, "measured", False, 8)
    back = ItemFacts.of(fact.profile())
    for name in fact.__dataclass_fields__:
        assert getattr(back, name) == (
            pytest.approx(getattr(fact, name)) if isinstance(getattr(fact, name), float) else getattr(fact, name)
        )


def test_the_origin_is_told_in_words() -> None:
    """So that an explanation can say where a plan comes from."""
    assert Learned(FACTS).origin == "1 earlier map, 1 process"
    assert Learned(FACTS, maps=12, processes=3).origin == "12 earlier maps, 3 processes"


# Prices


def test_prices_are_kept_for_each_host(path: Path) -> None:
    """What was measured replaces what was there; what maps showed is blended in."""
    store = taught(path, measured={"thread_start": Quantity(1e-4, now())}, conditions="all cores")
    assert known(store, "").quantities["thread_start"].value == 1e-4
    assert known(store, "").conditions == "all cores"
    store.write([], HOST, Teaching(observed=[("thread_start", 2e-4, now())]))
    blended = known(store, "").quantities["thread_start"]
    assert (blended.source, blended.count) == (OBSERVED, 2)
    assert blended.value == pytest.approx(1.3e-4)
    store.write([], HOST, Teaching(measured={"thread_start": Quantity(3e-4, now())}))
    assert known(store, "").quantities["thread_start"].value == 3e-4
    assert known(store, "", "other machine").quantities == {}


def test_prices_that_were_proven_wrong_are_dropped(path: Path) -> None:
    """They are measured anew by whoever needs them."""
    store = taught(path, measured={"thread_start": Quantity(1e-4, now()), "thread_item": Quantity(1e-8, now())})
    store.write([], HOST, Teaching(doubted={"thread_start"}))
    assert set(known(store, "").quantities) == {"thread_item"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0, 1e9, True])
def test_a_price_that_no_machine_could_show_is_not_kept(path: Path, value: float) -> None:
    """A mistake of measuring does not reach the planner."""
    assert known(taught(path, measured={"thread_start": Quantity(value, now())}), "").quantities == {}


# Faults


@pytest.mark.slow
@given(plain)
def test_a_row_of_anything_is_a_record_or_a_clear_error(value: object) -> None:
    """Whatever JSON a row holds, reading it raises nothing but ValueError."""
    for row in (value, {"facts": value}, {"facts": {"seconds": 1.0, "cpu": 1.0}, "ways": value, "maps": value}):
        try:
            record = from_json(json.dumps(row))
        except ValueError as error:
            assert str(error)  # noqa: PT017 - it may also be a record
        else:
            assert math.isfinite(record.facts.seconds)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seconds", -1.0),
        ("seconds", "0.1"),
        ("cpu", True),
        ("waits", 1e300),
        ("gil_share", 1.5),
        ("pickles", "yes"),
        ("best_concurrency", 0),
        ("best_concurrency", 2.5),
        ("why_not_pickles", "x" * 10_000),
        ("gil_share_why", 3),
    ],
)
def test_hostile_facts_are_left_out_with_a_reason(path: Path, field: str, value: object) -> None:
    """A row that says what cannot be costs one warning; the others are read."""
    store = taught(path, lesson(), lesson(replace(KEY, size=9)))
    spoil(path, "UPDATE profiles SET json = json_set(json, ?, json(?)) WHERE size = 9", f"$.facts.{field}", value)
    with pytest.warns(StoreWarning, match="is wrong: a profile is left out") as caught:
        assert set(known(store).profiles) == {(KEY.types, KEY.size)}
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(known(store).profiles) == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "NaN", '{"facts": {"seconds": NaN, "cpu": 1}}', "[" * 10_000])
def test_a_row_that_is_no_profile_is_left_out(path: Path, text: str) -> None:
    """It is replaced by the next lesson."""
    store = taught(path, lesson())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE profiles SET json = ?", (text,))
    connection.close()
    with pytest.warns(StoreWarning, match="a profile is left out"):
        assert known(store).profiles == {}
    assert store.write([], HOST, Teaching([lesson(seconds=0.5)]))
    assert known(store).profiles[KEY.types, KEY.size].facts.seconds == 0.5


def test_a_hostile_price_is_left_out(path: Path) -> None:
    """Rows of any type and content are looked at before they are used."""
    store = taught(path, measured={"thread_item": Quantity(1e-8, now())})
    with sqlite3.connect(path) as connection:
        for name, value in (("thread_start", "fast"), ("process_base", 1e300), ("made_up", 1.0), ("async_start", None)):
            connection.execute(
                "INSERT INTO calibration VALUES (?, ?, ?, ?, 'measured', 1, '')", (HOST[0], name, value, now())
            )
    connection.close()
    with pytest.warns(StoreWarning, match="a price is left out"):
        assert set(known(store).quantities) == {"thread_item"}


def test_hostile_names_stay_text(path: Path) -> None:
    """Types and functions may have any name; they are bound, never pasted."""
    key = replace(KEY, types="int'); DROP TABLE profiles; --\udc80")
    store = taught(path, replace(lesson(key), function="f'); DROP TABLE profiles; --"))
    assert len(known(store).profiles) == 1


def test_reading_makes_nothing(path: Path) -> None:
    """Where no store is, nothing is known and no file appears."""
    assert known(Store(path)) == Known()
    assert not path.parent.exists()


def test_a_store_of_the_first_version_is_upgraded_in_place(path: Path) -> None:
    """Its decisions stay, and profiles can be kept beside them."""
    Store(path).write([Decision(1, "shop.price", "map", 1.5, 3, None, Plan())])
    with sqlite3.connect(path) as connection:
        for name in ("profiles", "calibration", "timelines"):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    store = Store(path)
    assert known(store).profiles == {}
    assert [decision.number for decision in store.read_decisions()] == [1]
    assert store.write([], HOST, Teaching([lesson()]))
    assert len(known(store).profiles) == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()


def test_a_store_of_the_future_teaches_nothing_and_is_left_alone(path: Path) -> None:
    """One warning, and the file as it was."""
    taught(path, lesson())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    store = Store(path)
    with pytest.warns(StoreWarning, match="has schema version 99"):
        assert known(store) == Known()
    assert store.write([], HOST, Teaching([lesson()]))
    assert path.read_bytes() == before


def test_a_corrupt_store_teaches_nothing(path: Path) -> None:
    """One warning, and planning goes on without it."""
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    path.write_bytes(b"this is not a database" * 100)
    with pytest.warns(StoreWarning, match="not a database"):
        assert known(Store(path)) == Known()


def test_a_locked_store_is_written_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lessons wait with the decisions until the lock is gone; readers do not wait for it at all."""
    monkeypatch.setattr(store_module, "_SECONDS_LOCKED", 0.02)
    taught(path, lesson())
    log = DecisionLog(Store(path))
    log.note_host(*HOST)
    log.teach(Teaching([lesson(seconds=0.04)]))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.warns(StoreWarning, match="locked by another process"):
        log.flush()
    assert known(Store(path)).profiles[KEY.types, KEY.size].maps == 1
    other.execute("ROLLBACK")
    other.close()
    log.flush()
    assert known(Store(path)).profiles[KEY.types, KEY.size].maps == 2


def test_a_read_only_store_can_still_teach(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite may only read, what is there is used, and one warning says that nothing is added."""
    taught(path, lesson())
    connect = sqlite3.connect

    def read_only(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr(sqlite3, "connect", read_only)
    store = Store(path)
    assert len(known(store).profiles) == 1
    with pytest.warns(StoreWarning, match="readonly database"):
        assert store.write([], HOST, Teaching([lesson()]))


def test_old_profiles_are_pruned(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody used for half a year goes, and the oldest if there are too many."""
    monkeypatch.setattr("autopar._record.learning._MOST_PROFILES", 3)
    ages = {1: 1.0, 2: 200.0, 3: 3.0, 4: 4.0, 5: 2.0}
    lessons = [replace(lesson(replace(KEY, size=n)), time=now() - days * 86_400) for n, days in ages.items()]
    store = taught(path, *lessons)
    assert {size for _, size in known(store).profiles} == {1, 5, 3}


# Several processes

WRITER = """
import sys, time
from autopar._model.learned import ItemFacts, Lesson, ProfileKey
from autopar._model.observation import Host
from autopar._record import Store, Teaching
store = Store.from_environment()
print("ready", flush=True)
sys.stdin.readline()
waiting = []
for number in range(25):
    facts = ItemFacts(0.02, 0.02)
    waiting.append(Lesson(ProfileKey("c0de", "int", 5), "f", time.time(), facts, first=number == 0))
    if store.write([], ("this machine", Host(2)), Teaching(waiting)):
        waiting = []
while waiting and not store.write([], ("this machine", Host(2)), Teaching(waiting)):
    pass
"""


@pytest.mark.slow
def test_two_processes_teach_one_record_at_once(isolated_store: Path) -> None:
    """Two processes that learn the same at the same moment both count, and so does each of their maps."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER], cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=40)
        assert writer.returncode == 0, errors
    (record,) = known(Store(isolated_store)).profiles.values()
    assert (record.maps, record.processes) == (50, 2)


# Nothing but numbers, types and names


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(facts, min_size=1, max_size=4))
def test_rows_hold_numbers_and_text_only(path: Path, several: list[ItemFacts]) -> None:
    """There is nothing in the file that reading could run."""
    taught(path, *(Lesson(replace(KEY, size=n), "f", now(), fact) for n, fact in enumerate(several)))
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM profiles").fetchall()
    connection.close()
    assert {type(value) for row in rows for value in row} <= {int, float, str}
    for row in rows:
        json.loads(row[-1])


def test_the_schema_is_what_a_store_has(path: Path) -> None:
    """The tables of version 2 are made as they are written down."""
    taught(path, lesson())
    with sqlite3.connect(path) as connection:
        made = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    connection.close()
    assert set(LEARNING_SCHEMA) <= made


def spoil(path: Path, statement: str, place: str, value: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, (place, json.dumps(value)))
    connection.close()
