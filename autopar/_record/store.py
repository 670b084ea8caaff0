"""The store: decisions, profiles and prices kept across processes, in one SQLite file of the user's.

A store that cannot be had, for whatever reason, costs one warning and nothing else. Every access opens the file anew,
so that no connection crosses a fork, which SQLite forbids (sqlite.org/howtocorrupt.html, section 2.6).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autopar._model.decision import Decision
from autopar._model.observation import Host
from autopar._private_file import RefusedError, claim
from autopar._record import longest, timelines
from autopar._record.codec import from_json, to_json
from autopar._user_cache import locate
from autopar.errors import StoreWarning

if TYPE_CHECKING:
    from sqlite3 import Connection

    from autopar._record.learning import Known, Teaching

_Result = TypeVar("_Result")

VERSION = 3
_APPLICATION = 0x61757470  # "autp": tells our file from another program's
_COMPANIONS = ("-wal", "-shm", "-journal")

# A decision takes 1 to 2 kB: some 30 MB at most.
_NEWEST = 20_000

# Two processes write for a few milliseconds each; who waits longer than this meets something else.
_SECONDS_LOCKED = 0.2

# A map waits for what is read, and can do without it.
_SECONDS_LOCKED_READING = 0.01

# One statement, so that another process cannot create the tables between its parts.
_WHOSE = (
    "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
    " (SELECT COUNT(*) FROM sqlite_master)"
)
_FIRST_SCHEMA = (
    "CREATE TABLE host (fingerprint TEXT PRIMARY KEY, seen REAL NOT NULL, json TEXT NOT NULL)",
    "CREATE TABLE decisions (id INTEGER PRIMARY KEY, time REAL, function TEXT, operation TEXT, host TEXT, backend TEXT,"
    " compiler TEXT, items INTEGER, predicted REAL, actual REAL, serial_estimate REAL, error TEXT, json TEXT NOT NULL)",
    "CREATE INDEX decisions_by_function ON decisions (function, id)",
    f"PRAGMA application_id = {_APPLICATION}",
)
LEARNING_SCHEMA = (
    "CREATE TABLE profiles (code TEXT, host TEXT, types TEXT, size INTEGER, function TEXT, updated REAL, maps INTEGER,"
    " json TEXT NOT NULL, PRIMARY KEY (code, host, types, size)) WITHOUT ROWID",
    "CREATE INDEX profiles_by_age ON profiles (updated)",
    "CREATE TABLE calibration (host TEXT, name TEXT, value REAL, time REAL, source TEXT, count INTEGER,"
    " conditions TEXT, PRIMARY KEY (host, name)) WITHOUT ROWID",
)
"""What version 2 of the store added."""

_STEPS = (_FIRST_SCHEMA, LEARNING_SCHEMA, timelines.SCHEMA)
"""What each version added to the one before; a file is brought up to date by the steps that it lacks."""

_INSERT = (
    "INSERT INTO decisions (time, function, operation, host, backend, compiler, items, predicted, actual,"
    " serial_estimate, error, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_PRUNE = "DELETE FROM decisions WHERE id <= (SELECT MAX(id) FROM decisions) - ?"
_SEEN = "INSERT OR REPLACE INTO host (fingerprint, seen, json) VALUES (?, ?, ?)"
_SEARCH = (
    "SELECT id, json FROM decisions WHERE id > :after AND (:since IS NULL OR time >= :since)"
    " AND (:function IS NULL OR function GLOB :function) AND (:backend IS NULL OR backend = :backend)"
    " AND (:compiler IS NULL OR compiler = :compiler) AND (:failed = 0 OR error != '') ORDER BY id DESC"
)
_FORGET = {
    "decisions": "DELETE FROM decisions WHERE :function IS NULL OR function GLOB :function",
    "profiles": "DELETE FROM profiles WHERE :function IS NULL OR function GLOB :function",
}
_FORGET_HOST = {"prices": "DELETE FROM calibration", "hosts": "DELETE FROM host"}
_COUNT_ROWS = (
    "SELECT (SELECT COUNT(*) FROM decisions), (SELECT COUNT(*) FROM profiles), (SELECT COUNT(*) FROM calibration)"
)
_READ_ALL = "SELECT json FROM decisions ORDER BY id DESC LIMIT ?"
_READ_FUNCTION = "SELECT json FROM decisions WHERE function = ? ORDER BY id DESC LIMIT ?"


class Store:
    """Decisions on disk.

    Parameters
    ----------
    path
        The file; None for no store.
    why_off
        Why there is none, or an empty string where none is wanted.
    newest
        How many decisions are kept.

    Attributes
    ----------
    active
        False once the store could not be had: nothing is tried again in this process.
    """

    def __init__(self, path: Path | None, why_off: str = "", *, newest: int = _NEWEST) -> None:
        self.path = path
        self.active = path is not None or bool(why_off)
        self._why_off = why_off
        self._newest = newest
        self._warned = False
        self._quiet_thread = 0
        self.unsaid = ""
        self._longest: dict[str, float] | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Store:
        """Make the store that the environment asks for; nothing is opened yet."""
        return cls(*locate(os.environ if environ is None else environ))

    def write(
        self,
        decisions: Sequence[Decision],
        host: tuple[str, Host] | None = None,
        teaching: Teaching | None = None,
    ) -> bool:
        """Append decisions, and apply what was learned, in one transaction.

        Parameters
        ----------
        decisions
            What to append.
        host
            Fingerprint and description of the machine they were made on.
        teaching
            What maps have taught.

        Returns
        -------
        bool
            False if the store was locked: try again later. True in all other cases, also if there is no store.
        """
        rows = [_row(decision, "" if host is None else host[0]) for decision in decisions]

        def append(connection: Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            numbers = [connection.execute(_INSERT, row).lastrowid for row in rows]
            connection.execute(_PRUNE, (self._newest,))
            timelines.write(connection, zip(numbers, decisions, strict=True))
            if host is not None:
                connection.execute(_SEEN, (_text(host[0]), time.time(), _host_json(host[1])))
            if teaching:
                from autopar._record import learning

                taught = learning.teach(connection, teaching, "" if host is None else _text(host[0]), self._complain)
                if taught and self.path is not None:
                    longest.note(self.path, taught)
            connection.execute("COMMIT")

        done, _ = self._attempt(append, None)
        return done

    def longest_item(self, code: str) -> float:
        """Seconds of a function's longest items, 0 where nothing is known of it; read once, without SQLite.

        Parameters
        ----------
        code
            Digest of the function's code.
        """
        if self._longest is None:
            self._longest = {} if self.path is None or not self.active else longest.read(self.path)
        return self._longest.get(code, 0.0)

    def read_known(self, code: str, host: str) -> Known:
        """Return what was learned of a function and of a host; nothing is made, and nothing waited for.

        Parameters
        ----------
        code
            Digest of the function's code; empty for the host alone.
        host
            Fingerprint of the machine.

        Notes
        -----
        Takes under 1 ms where the file is there, a few microseconds where it is not.
        """
        from autopar._record import learning

        if self.path is None or not self.active or not os.path.lexists(self.path):
            return learning.Known()
        _, known = self._attempt(
            lambda connection: learning.read(connection, _text(code), _text(host), self._complain),
            learning.Known(),
            reading=True,
        )
        return known

    def read_decisions(self, limit: int = 100, function: str | None = None) -> list[Decision]:
        """Return the newest decisions, newest last.

        Parameters
        ----------
        limit
            At most so many.
        function
            Only those of this ``module.qualname``.
        """
        if self.path is None or not os.path.lexists(self.path):
            return []
        query = (_READ_ALL, (limit,)) if function is None else (_READ_FUNCTION, (_text(function), limit))
        nothing: list[str] = []
        _, rows = self._attempt(lambda connection: [row for (row,) in connection.execute(*query)], nothing)
        found = (self._decision(row) for row in reversed(rows))
        return [decision for decision in found if decision is not None]

    def search(
        self,
        *,
        function: str | None = None,
        backend: str | None = None,
        compiler: str | None = None,
        since: float | None = None,
        failed: bool = False,
        after: int = 0,
        limit: int | None = 100,
        wanted: Callable[[Decision], bool] = lambda decision: True,
        with_timelines: bool = False,
    ) -> list[tuple[int, Decision]]:
        """Find decisions of all processes.

        Parameters
        ----------
        function
            ``module.qualname``, where ``*``, ``?`` and ``[...]`` stand for others, as SQLite's GLOB reads them.
        backend, compiler
            As in plans.
        since
            Unix time in seconds.
        failed
            Only those of maps that ended with an exception.
        after
            Only those with a higher row number.
        limit
            At most so many, the newest; None for all.
        wanted
            What else they must fulfil.
        with_timelines
            Who ran what and when comes along, as far as it is kept.

        Returns
        -------
        list of (int, Decision)
            Row numbers and decisions, newest last.
        """
        if self.path is None or not os.path.lexists(self.path):
            return []
        asked = {
            "function": None if function is None else _text(function),
            "backend": backend,
            "compiler": compiler,
            "since": since,
            "failed": failed,
            "after": after,
        }

        def find(connection: Connection) -> list[tuple[int, Decision]]:
            rows: list[tuple[int, Decision]] = []
            for number, text in connection.execute(_SEARCH, asked):
                if limit is not None and len(rows) >= limit:
                    break
                decision = self._decision(text)
                if decision is not None and wanted(decision):
                    rows.append((number, decision))
            return timelines.put_in(connection, rows[::-1]) if with_timelines else rows[::-1]

        nothing: list[tuple[int, Decision]] = []
        return self._attempt(find, nothing)[1]

    def counts(self) -> dict[str, int] | None:
        """How many decisions, profiles and prices there are; None where there is no store to read."""
        if self.path is None or not os.path.lexists(self.path):
            return None
        names = ("decisions", "profiles", "prices")
        nothing: dict[str, int] | None = None
        return self._attempt(
            lambda connection: dict(zip(names, connection.execute(_COUNT_ROWS).fetchone(), strict=True)), nothing
        )[1]

    def forget(self, function: str | None = None, *, host: bool = False) -> dict[str, int] | None:
        """Delete decisions and profiles, and with ``host`` the prices of machines too.

        Parameters
        ----------
        function
            Only of these, as for :meth:`search`; None for all.
        host
            What was measured of machines goes too.

        Returns
        -------
        dict or None
            What was deleted, and how many of each; None where the store could not be had.
        """
        if self.path is None or not os.path.lexists(self.path):
            return {}
        asked = {"function": None if function is None else _text(function)}

        def delete(connection: Connection) -> dict[str, int]:
            connection.execute("BEGIN IMMEDIATE")
            gone = {what: connection.execute(statement, asked).rowcount for what, statement in _FORGET.items()}
            timelines.forget_orphans(connection)
            if host:
                gone |= {what: connection.execute(statement).rowcount for what, statement in _FORGET_HOST.items()}
            connection.execute("COMMIT")
            return gone

        nothing: dict[str, int] | None = None
        return self._attempt(delete, nothing)[1]

    def _decision(self, text: str) -> Decision | None:
        try:
            return from_json(text)
        except ValueError as error:
            self._complain(f"a decision is left out: {error}")
            return None

    def _attempt(
        self, work: Callable[[Connection], _Result], otherwise: _Result, *, reading: bool = False
    ) -> tuple[bool, _Result]:
        """Do something with the open file; return whether it is settled, and its result."""
        if not self.active:
            return True, otherwise
        if self.path is None:
            self._give_up(self._why_off)
            return True, otherwise
        try:
            import sqlite3
        except ImportError as error:
            self._give_up(f"this Python has no SQLite: {error}")
            return True, otherwise
        try:
            with _opened(self.path, _SECONDS_LOCKED_READING if reading else _SECONDS_LOCKED) as connection:
                return True, work(connection)
        except RefusedError as error:
            self._give_up(str(error))
        except sqlite3.Error as error:
            if _is_busy(error):
                if reading:
                    return False, otherwise
                self._warn(f"{self.path} is locked by another process; they will be written later")
                return False, otherwise
            self._give_up(f"{self.path}: {error}")
        return True, otherwise

    @contextmanager
    def keeping_quiet(self) -> Iterator[None]:
        """Let warnings of this thread wait until another says them, where they reach the user."""
        self._quiet_thread = threading.get_ident()
        try:
            yield
        finally:
            self._quiet_thread = 0

    def say(self) -> None:
        """Give the warning that waits, if there is one."""
        message, self.unsaid = self.unsaid, ""
        if message:
            warnings.warn(StoreWarning(message), stacklevel=_depth_of_user() + 1)

    def _give_up(self, reason: str) -> None:
        self.active = False
        self._warn(reason)

    def _complain(self, reason: str) -> None:
        self._warn(f"a row of {self.path} is wrong: {reason}")

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            message = f"decisions are not kept across processes: {reason}; AUTOPAR_STORE=off keeps none, quietly"
            self.unsaid = message
            if self._quiet_thread != threading.get_ident():
                self.say()


def _depth_of_user() -> int:
    """Count the frames up to the first outside of autopar, where a warning means something to its reader."""
    depth, frame = 0, sys._getframe(1)
    while str(frame.f_globals.get("__name__")).partition(".")[0] == "autopar" and frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


@contextmanager
def _opened(path: Path, seconds: float) -> Iterator[Connection]:
    import sqlite3

    claim(path, companions=_COMPANIONS)
    uri = f"{path.as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, timeout=seconds, isolation_level=None, uri=True)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        if _version(connection, path) < VERSION:
            _bring_up_to_date(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")  # a power failure may lose the newest rows, never the file
        yield connection
    finally:
        connection.close()


def _version(connection: Connection, path: Path) -> int:
    """The version of a store, 0 for an empty file; everything else is refused."""
    application, version, tables = connection.execute(_WHOSE).fetchone()
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != _APPLICATION:
        raise RefusedError(f"{path} is the database of another program")
    if not 1 <= version <= VERSION:
        raise RefusedError(f"{path} has schema version {version}, and this autopar reads {VERSION}")
    return int(version)


def _bring_up_to_date(connection: Connection, path: Path) -> None:
    """Make the tables that are missing; of several processes that try, one does it and the others find it done."""
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, path)
    for step in _STEPS[version:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
    if version == 0:
        _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: Connection) -> None:
    """Switch to WAL, which the file then remembers, so that readers do not stop a writer."""
    import sqlite3

    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if not _is_busy(error):  # the other process that has it open will have switched
            raise


def _is_busy(error: Exception) -> bool:
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _row(decision: Decision, host: str) -> tuple[Any, ...]:
    """Lay a decision out for its table: the columns are for searching, the JSON is the whole of it."""
    return (
        decision.started,
        _text(decision.function),
        _text(decision.operation),
        _text(host),
        _text(decision.plan.backend),
        _text(decision.plan.compiler),
        min(decision.items, sys.maxsize),
        decision.predicted,
        decision.actual,
        decision.serial_estimate,
        _text(decision.error),
        to_json(decision),
    )


def _text(text: str) -> str:
    """Replace what SQLite cannot keep as text: lone surrogates, which a name may contain."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _host_json(host: Host) -> str:
    return json.dumps(asdict(host))
