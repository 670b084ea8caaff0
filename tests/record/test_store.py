"""The store: what is written is read, and nothing that is wrong with it costs more than a warning."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from autopar._model.decision import Decision
from autopar._model.observation import Host
from autopar._model.plan import Plan, Rejected
from autopar._model.workload import Kind, Workload
from autopar._observe.pickled_size import pickled_size
from autopar._observe.traits import name_of
from autopar._record import DecisionLog, Store, explain, table
from autopar._record import store as store_module
from autopar._record.codec import from_json, to_json
from autopar._user_cache import locate
from autopar.errors import StoreWarning
from tests.record.strategies import decisions

ROOT = Path(__file__).parents[2]

on_posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a store in a folder that is not made yet."""
    return tmp_path / "cache" / "autopar" / "store.sqlite"


def decision(number: int = 1, function: str = "shop.price") -> Decision:
    return Decision(number, function, "map", 1.5, 3, None, Plan())


FULL = Decision(
    number=7,
    function="shop.price",
    operation="map",
    started=1.5,
    items=200,
    workload=Workload(Kind.CPU, 0.005, 0.005, 1.0, 1.0, 0.9, ("CPU is 99% of wall",)),
    plan=Plan(backend="processes", workers=2, chunksize=20, predicted=0.5),
    rejected=(Rejected(Plan(backend="threads", workers=2, predicted=1.0), "items hold the GIL", "thread_safe=True"),),
    why="two processes compute at once",
    predicted=0.55,
    actual=0.5,
    serial_estimate=1.0,
    tried=((Plan(), 8), (Plan(backend="processes", workers=2), 192)),
    notes=("chunks of 20 items",),
    fallbacks=("a worker ended",),
    error="ValueError",
)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def make_store(path: Path) -> None:
    assert Store(path).write([decision()])


def assert_refused(path: Path, because: str) -> None:
    """One warning that names the reason; then silence, in memory everything as ever, and the file as it was."""
    before = path.read_bytes() if path.is_file() else None
    log = DecisionLog(Store(path))
    log.add(**{name: getattr(FULL, name) for name in FULL.__dataclass_fields__ if name != "number"})
    with pytest.warns(StoreWarning, match=because) as caught:
        log.flush()
    assert [warning.filename for warning in caught] == [__file__]
    log.add(**{name: getattr(FULL, name) for name in FULL.__dataclass_fields__ if name != "number"})
    log.flush()
    assert len(log.all()) == 2
    assert (path.read_bytes() if path.is_file() else None) == before


# What is written is read


def test_a_decision_comes_back_as_it_was(path: Path) -> None:
    """Every field of a decision survives the file."""
    Store(path).write([FULL])
    assert Store(path).read_decisions() == [FULL]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=decisions)
def test_any_decision_comes_back(some: Decision, path: Path) -> None:
    """Whatever strings and numbers a decision holds, nothing is lost, and it can still be searched and explained."""
    store = Store(path)
    assert store.write([some])
    (back,) = store.read_decisions(1)
    assert back == some
    assert store.read_decisions(1, some.function) == [some]
    assert explain(back) == explain(some)


def test_numbers_that_are_no_numbers_come_back() -> None:
    """NaN, which equals nothing, is kept too."""
    odd = Decision(1, "f", "map", 0.0, 1, None, Plan(predicted=float("nan")), predicted=float("inf"))
    assert repr(from_json(to_json(odd))) == repr(odd)


def test_the_newest_are_read_newest_last(path: Path) -> None:
    """The limit counts from the end, and a function's name selects its own."""
    store = Store(path)
    store.write([decision(n, "ab"[n % 2]) for n in range(10)])
    assert [d.number for d in store.read_decisions(3)] == [7, 8, 9]
    assert [d.number for d in store.read_decisions(2, "a")] == [6, 8]
    assert store.read_decisions(5, "nobody") == []


def test_old_rows_are_pruned(path: Path) -> None:
    """Only the newest stay in the file."""
    store = Store(path, newest=5)
    for first in range(0, 20, 4):
        store.write([decision(n) for n in range(first, first + 4)])
    assert [d.number for d in store.read_decisions(100)] == [15, 16, 17, 18, 19]


def test_columns_are_there_to_search_by(path: Path) -> None:
    """Other programs can select by the main facts without reading the JSON."""
    Store(path).write([FULL], ("this machine", Host(2, unavailable={"dask": "not installed"})))
    with opened(path) as connection:
        (row,) = connection.execute(
            "SELECT time, function, operation, host, backend, compiler, items, predicted, actual, serial_estimate,"
            " error FROM decisions"
        )
        (host,) = connection.execute("SELECT fingerprint, json FROM host")
    assert row == (1.5, "shop.price", "map", "this machine", "processes", "python", 200, 0.55, 0.5, 1.0, "ValueError")
    assert host[0] == "this machine"
    assert json.loads(host[1])["unavailable"] == {"dask": "not installed"}


def test_hostile_names_are_only_text(path: Path) -> None:
    """A function's name cannot end a statement: it is bound, never pasted."""
    name = "f'); DROP TABLE decisions; --"
    store = Store(path)
    store.write([decision(1, name)])
    assert [d.function for d in store.read_decisions(5, name)] == [name]


def test_reading_makes_nothing(path: Path) -> None:
    """Where nothing was written, nothing is read, and no file appears."""
    assert Store(path).read_decisions() == []
    assert not path.parent.exists()


def test_numbers_of_other_types_are_numbers() -> None:
    """Counts and times of another library, such as NumPy's, are kept as plain ones."""

    class Count:
        def __index__(self) -> int:
            return 3

    odd = Decision(1, "f", "map", Fraction(1, 2), Count(), None, Plan())  # type: ignore[arg-type]
    assert from_json(to_json(odd)) == Decision(1, "f", "map", 0.5, 3, None, Plan())


def test_other_objects_are_not_taken() -> None:
    """Anything else in a decision is a mistake and says so."""
    with pytest.raises(TypeError, match="a decision holds a object"):
        to_json(Decision(1, "f", "map", 0.0, 1, None, Plan(), notes=(object(),)))  # type: ignore[arg-type]


def test_fields_of_another_version_do_no_harm() -> None:
    """What a later version added is left out, what it left out has its default."""
    row = json.loads(to_json(FULL))
    row["invented_later"] = 1
    row["plan"]["invented_later"] = 2
    del row["notes"], row["why"]
    back = from_json(json.dumps(row))
    assert (back.function, back.plan, back.notes, back.why) == (FULL.function, FULL.plan, (), "")


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"plan": 1}', '{"plan": {}, "workload": {"kind": 3}}'])
def test_text_that_is_no_decision_is_an_error(text: str) -> None:
    """Reading says that the text is not a decision."""
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


def test_a_damaged_row_is_left_out(path: Path) -> None:
    """The others are read, and one warning tells of it."""
    store = Store(path)
    store.write([decision(1), decision(2), decision(3)])
    with opened(path) as connection:
        connection.execute("UPDATE decisions SET json = '{}' WHERE id < 3")
    with pytest.warns(StoreWarning, match="a row of .* is wrong: a decision is left out") as caught:
        assert [d.number for d in store.read_decisions()] == [3]
    assert len(caught) == 1


# Where it is


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"HOME": "/home/ann"}, "linux", "/home/ann/.cache/autopar/store.sqlite"),
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": "/scratch"}, "linux", "/scratch/autopar/store.sqlite"),
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": "scratch"}, "linux", "/home/ann/.cache/autopar/store.sqlite"),
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": ""}, "linux", "/home/ann/.cache/autopar/store.sqlite"),
        ({"HOME": "/Users/ann"}, "darwin", "/Users/ann/Library/Caches/autopar/store.sqlite"),
        ({"LOCALAPPDATA": "/c/Local"}, "win32", "/c/Local/autopar/store.sqlite"),
        ({"HOME": "/home/ann", "AUTOPAR_STORE": "/data/s.db"}, "linux", "/data/s.db"),
        ({"HOME": "/home/ann", "AUTOPAR_STORE": "/data/../etc/s.db"}, "linux", "/etc/s.db"),
        ({"HOME": "/home/ann", "AUTOPAR_STORE": "off"}, "linux", None),
        ({"HOME": "/home/ann", "AUTOPAR_STORE": " OFF "}, "linux", None),
        ({"HOME": "relative"}, "linux", None),
        ({}, "win32", None),
    ],
)
@on_posix
def test_the_store_lies_in_the_users_cache_folder(environ: dict[str, str], platform: str, expected: str | None) -> None:
    """AUTOPAR_STORE, then the system's cache folder; relative folders do not count."""
    path, _ = locate(environ, platform)
    assert path == (None if expected is None else Path(expected))


@on_posix
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_without_home_the_user_database_is_asked(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset or empty HOME is the one that the system has for the user."""
    monkeypatch.setattr("autopar._user_cache._home_of_user", lambda: "/home/known")
    assert locate(environ, "linux")[0] == Path("/home/known/.cache/autopar/store.sqlite")


@on_posix
def test_a_user_without_any_home_has_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user unknown to the system, as in many containers, gets one warning with the way out."""
    import pwd

    def nobody(_: int) -> object:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    store = Store.from_environment({})
    with pytest.warns(StoreWarning, match="no home folder is known; set AUTOPAR_STORE"):
        assert store.write([decision()])
    assert store.write([decision()])


def test_off_is_silent(tmp_path: Path) -> None:
    """AUTOPAR_STORE=off makes no file and says nothing."""
    store = Store.from_environment({"AUTOPAR_STORE": "off", "HOME": str(tmp_path)})
    assert not store.active
    assert store.write([decision()])
    assert store.read_decisions() == []
    assert list(tmp_path.iterdir()) == []


# Private


@on_posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folders_and_files_are_the_users_alone(path: Path, umask: int) -> None:
    """Whatever the umask, new folders have mode 0700 and all files 0600, also while the store is in use."""
    previous = os.umask(umask)
    try:
        make_store(path)
        with opened(path) as reader:
            assert reader.execute("SELECT COUNT(*) FROM decisions").fetchone() == (1,)
            Store(path).write([decision(2)])
            modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    finally:
        os.umask(previous)
    assert modes == dict.fromkeys(["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"], 0o600)
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@on_posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_folder_that_others_can_write_is_refused(path: Path, mode: int) -> None:
    """Group or others may write there: nothing is written, not even a file made."""
    path.parent.mkdir(parents=True)
    path.parent.chmod(mode)
    assert_refused(path, rf"the folder .* can be written by other users \(mode {mode:04o}\)")
    assert list(path.parent.iterdir()) == []


@on_posix
@pytest.mark.parametrize("name", ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "store.sqlite-journal"])
def test_a_file_that_others_can_write_is_refused(path: Path, name: str) -> None:
    """The same holds for each file that SQLite would read."""
    make_store(path)
    planted = path.parent / name
    planted.touch()
    planted.chmod(0o666)
    assert_refused(path, rf"{re.escape(name)} can be written by other users")


@on_posix
@pytest.mark.parametrize("name", [".", "store.sqlite", "store.sqlite-wal"])
def test_what_belongs_to_somebody_else_is_refused(path: Path, name: str) -> None:
    """A folder or file of another user may be changed by him at any time."""
    make_store(path)
    planted = path.parent / name
    planted.touch()
    try:
        os.chown(planted, 12345, 12345)
    except PermissionError:
        pytest.skip("this user cannot give files away")
    assert_refused(path, "belongs to another user")


@on_posix
@pytest.mark.parametrize("name", ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "store.sqlite-journal"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_planted_link_is_not_followed(path: Path, name: str, dangling: bool, tmp_path: Path) -> None:
    """A link in the place of any of the files is refused, and what it points to is left alone or not made."""
    make_store(path)
    target = tmp_path / "target"
    if not dangling:
        target.write_bytes(b"precious")
    planted = path.parent / name
    planted.unlink(missing_ok=True)
    planted.symlink_to(target)
    assert_refused(path, rf"{re.escape(name)} is a link")
    assert target.exists() is not dangling
    assert dangling or target.read_bytes() == b"precious"


@on_posix
@pytest.mark.parametrize("dangling", [False, True])
def test_a_linked_folder_is_not_followed(path: Path, dangling: bool, tmp_path: Path) -> None:
    """A link in the place of the folder is refused."""
    target = tmp_path / "target"
    if not dangling:
        target.mkdir()
    path.parent.parent.mkdir()
    path.parent.symlink_to(target)
    assert_refused(path, "the folder .* is a link")
    assert not dangling or not target.exists()


@on_posix
def test_a_linked_folder_further_up_is_the_users_business(path: Path, tmp_path: Path) -> None:
    """Homes and caches are often links themselves: above the store's own folder they are followed."""
    (tmp_path / "disk").mkdir()
    path.parent.parent.symlink_to(tmp_path / "disk")
    make_store(path)
    assert (tmp_path / "disk" / "autopar" / "store.sqlite").is_file()


@on_posix
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_only_an_ordinary_file_will_do(path: Path, make: Callable[[Path], None]) -> None:
    """A folder or a named pipe in the place of the file is refused, without waiting for it."""
    path.parent.mkdir(parents=True)
    make(path)
    assert_refused(path, "is not an ordinary file")


# Broken


def test_a_home_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    """Only the cache folder and the store's own are made; a home such as /nonexistent stays so."""
    home = tmp_path / "nonexistent"
    assert_refused(home / ".cache" / "autopar" / "store.sqlite", "the folder .*nonexistent does not exist")
    assert not home.exists()


def test_a_file_in_the_place_of_the_folder_is_refused(path: Path) -> None:
    """Nothing can be made there."""
    path.parent.parent.mkdir()
    path.parent.touch(0o600)
    assert_refused(path, "Not a directory|cannot find|File exists")


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_corrupt_file_is_left_alone(path: Path, content: bytes) -> None:
    """What is no database, or was one, is neither used nor deleted."""
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    path.write_bytes(content)
    assert_refused(path, "file is not a database")


def test_a_damaged_store_is_left_alone(path: Path) -> None:
    """Damage behind an intact first page is found as well."""
    Store(path).write([decision(n) for n in range(200)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    assert_refused(path, "malformed|corrupt")


def test_another_programs_database_is_left_alone(path: Path) -> None:
    """AUTOPAR_STORE that names somebody's data adds no table to it."""
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    with opened(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert_refused(path, "is the database of another program")


def test_a_future_version_is_left_alone(path: Path) -> None:
    """A store that a newer autopar made is not touched by an older one."""
    make_store(path)
    with opened(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert_refused(path, "has schema version 99, and this autopar reads 3")


def skip_if_modes_do_not_bind(folder: Path) -> None:
    """Root may write what is read-only, unless its capabilities were taken away."""
    if os.access(folder, os.W_OK):
        pytest.skip("nothing is read-only for this user")


def test_a_read_only_file_is_refused(path: Path) -> None:
    """A file that its user may not write is said to be one."""
    make_store(path)
    path.chmod(0o400)
    skip_if_modes_do_not_bind(path)
    assert_refused(path, "readonly|unable to open")


def test_a_read_only_home_is_refused(path: Path) -> None:
    """Where no folder can be made, there is no store."""
    path.parent.parent.mkdir(mode=0o500)
    skip_if_modes_do_not_bind(path.parent.parent)
    assert_refused(path, "Permission denied")


def with_pragma(monkeypatch: pytest.MonkeyPatch, pragma: str) -> None:
    """Open every database with a setting that makes SQLite itself fail as the disk would make it."""
    connect = sqlite3.connect

    def limited(*args: object, **kwargs: object) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)  # type: ignore[call-overload]
        connection.execute(pragma)
        return connection  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", limited)


def test_a_full_disk_is_survived(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file cannot grow, what is in it stays readable."""
    make_store(path)
    with monkeypatch.context() as patch:
        with_pragma(patch, "PRAGMA max_page_count = 1")
        store = Store(path)
        with pytest.warns(StoreWarning, match="database or disk is full"):
            assert store.write([decision(n) for n in range(500)])
    assert len(Store(path).read_decisions()) == 1


def test_a_medium_that_cannot_be_written_is_survived(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When SQLite may only read, one warning says so."""
    make_store(path)
    with monkeypatch.context() as patch:
        with_pragma(patch, "PRAGMA query_only = ON")
        with pytest.warns(StoreWarning, match="readonly database"):
            assert Store(path).write([decision(2)])
    assert len(Store(path).read_decisions()) == 1


def test_a_full_disk_while_the_file_is_made_is_survived(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When not even a file can be made, one warning says why."""
    import errno

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path.parent.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(os, "mkdir", full)
    monkeypatch.setattr(os, "open", full)
    with pytest.warns(StoreWarning, match="No space left on device"):
        assert Store(path).write([decision()])


def test_python_without_sqlite_is_survived(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the module is missing, one warning says so."""
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with pytest.warns(StoreWarning, match="this Python has no SQLite"):
        assert Store(path).write([decision()])


# Several processes


def test_a_lock_of_another_is_not_waited_for_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another connection holds the lock, a writing gives up soon, says so once, and is done later."""
    monkeypatch.setattr(store_module, "_SECONDS_LOCKED", 0.02)
    make_store(path)
    store = Store(path)
    with opened(path) as other:
        other.execute("BEGIN IMMEDIATE")
        start = time.perf_counter()
        with pytest.warns(StoreWarning, match="locked by another process; they will be written later"):
            assert not store.write([decision(2)])
        assert time.perf_counter() - start < 0.2
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert not store.write([decision(2)])
        assert [d.number for d in store.read_decisions()] == [1]
        other.execute("ROLLBACK")
    assert store.write([decision(2)])
    assert [d.number for d in store.read_decisions()] == [1, 2]


def test_a_lock_is_waited_for_a_fifth_of_a_second() -> None:
    """The wait is short enough for a program that ends."""
    assert store_module._SECONDS_LOCKED == 0.2


WRITER = """
import sys
from autopar._model.decision import Decision
from autopar._model.plan import Plan
from autopar._record import Store
store = Store.from_environment()
print("ready", flush=True)
sys.stdin.readline()
waiting = []
for number in range(40):
    waiting.append(Decision(number, sys.argv[1], "map", 1.5, 3, None, Plan()))
    if store.write(waiting):
        waiting = []
while waiting and not store.write(waiting):
    pass
"""


@pytest.mark.slow
def test_two_processes_write_at_once(isolated_store: Path) -> None:
    """Two processes that make the store and fill it at the same moment lose no row."""
    command = [sys.executable, "-c", WRITER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writers = [
        subprocess.Popen([*command, name], cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
        for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=30)
        assert writer.returncode == 0, errors
    store = Store(isolated_store)
    for name in ("a", "b"):
        assert [d.number for d in store.read_decisions(1000, name)] == list(range(40))


# No values


class Unpicklable:
    """Shows its value wherever it can: in its repr and in the error it raises when pickled."""

    def __repr__(self) -> str:
        return "canary"

    def __reduce__(self) -> str:
        raise ValueError(self)


@pytest.mark.parametrize(
    "item", [Unpicklable(), {"canary": Unpicklable()}, (open, "canary", iter("canary"), Unpicklable())], ids=type
)
def test_an_arguments_value_reaches_neither_the_file_nor_a_text(item: object, path: Path) -> None:
    """What observation says of a call, which is all that a decision holds, names types and functions only."""
    why_not = pickled_size(item).why_not
    assert why_not
    name = name_of(partial(print, item, "canary"))
    seen = Decision(1, name, "map", 1.5, 3, None, Plan(), (Rejected(Plan(backend="processes"), why_not),), why=why_not)
    Store(path).write([seen])
    texts = [entry.read_bytes().decode("latin-1") for entry in path.parent.iterdir()]
    assert texts
    assert not [text for text in (*texts, explain(seen), table([seen])) if "canary" in text]


def test_no_pickle_is_written(path: Path) -> None:
    """The file holds numbers, text and JSON, nothing that is executed by reading it."""
    Store(path).write([FULL])
    with opened(path) as connection:
        kinds = {kind for row in connection.execute("SELECT * FROM decisions") for kind in map(type, row)}
        (text,) = connection.execute("SELECT json FROM decisions").fetchone()
    assert kinds <= {int, float, str, type(None)}
    assert json.loads(text)["function"] == "shop.price"
