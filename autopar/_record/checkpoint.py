"""The results of a map on disk, each as soon as it is there: one SQLite file that is private to its user.

A result is kept under the map it belongs to, its item's position and a digest of the item. Each keeping is a
transaction in WAL mode, which a kill of the program at any moment leaves whole; ``synchronous=NORMAL`` means that a
power cut may take the last ones with it, but never damages the file (sqlite.org/pragma.html#pragma_synchronous). One
map at a time has the file, by SQLite's exclusive lock, which ends with the process.

Results are plain values (:mod:`autopar._record.plain_values`); pickles are written, and read, only if the user says so
in the call.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from autopar._private_file import RefusedError, claim
from autopar._record.plain_values import TYPES, DamagedError, NotPlainError, dump, load
from autopar.errors import CheckpointChangedError, CheckpointError

APPLICATION = 0x61757443
"""Marks the file as one of these: "autC" (sqlite.org/pragma.html#pragma_application_id)."""

VERSION = 1
PLAIN, PICKLE = 0, 1

_SCHEMA = (
    "CREATE TABLE maps (id INTEGER PRIMARY KEY, function TEXT NOT NULL, arguments BLOB NOT NULL, code BLOB NOT NULL,"
    " seed TEXT NOT NULL, UNIQUE (function, arguments))",
    "CREATE TABLE results (map INTEGER NOT NULL REFERENCES maps, position INTEGER NOT NULL, item BLOB NOT NULL,"
    " form INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (map, position))",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

Row = tuple[int, bytes, Any]
"""Position, digest of the item, and result."""


class Checkpoint:
    """A file of results, held by one map.

    Parameters
    ----------
    path
        The file, which is made if it is not there.
    pickles
        What is not plain is kept as a pickle, and pickles are read: the user's own word.

    Raises
    ------
    CheckpointError
        The file cannot be had, is somebody else's, is in use, or is something else.
    """

    def __init__(self, path: Path, *, pickles: bool = False) -> None:
        self.path = path
        self._pickles = pickles
        self._map = 0
        self._last = -1
        self._connection = self._opened()
        _open.add(self)

    def _opened(self) -> sqlite3.Connection:
        try:
            claim(self.path, companions=("-wal", "-shm", "-journal"))
        except RefusedError as error:
            raise CheckpointError(
                f"checkpoint: {error}; a checkpoint must be in a folder that only its user can write to"
            ) from error
        connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            self._set_up(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            if "locked" in str(error):
                raise CheckpointError(f"checkpoint: {self.path} is in use by another map") from error
            raise CheckpointError(f"checkpoint: {self.path} cannot be used: {error}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if not application and not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            for statement in _SCHEMA:
                connection.execute(statement)
        elif application != APPLICATION:
            raise CheckpointError(f"checkpoint: {self.path} is another program's database; name a file of its own")
        elif version != VERSION:
            raise CheckpointError(
                f"checkpoint: {self.path} has version {version} and this autopar reads version {VERSION}"
            )

    def begin(self, function: str, code: bytes | None, arguments: bytes, seed: str, *, rerun: bool = False) -> str:
        """Find the map's earlier results, or begin anew.

        Parameters
        ----------
        function
            Its name.
        code
            Digest of its code and of what it captures; None to take results of whatever code.
        arguments
            Digest of what else the results depend on.
        seed
            Root of the random streams, for a map that is new.
        rerun
            Results of changed code are dropped.

        Returns
        -------
        str
            The root of the random streams that the map began with.

        Raises
        ------
        CheckpointChangedError
            The function's code was another, and nothing said what to do then.
        """
        with self._transaction() as connection:
            other = [
                number
                for number, old in connection.execute("SELECT id, code FROM maps WHERE function = ?", (function,))
                if code is not None and old != code
            ]
            if other and not rerun:
                raise CheckpointChangedError(
                    f"checkpoint: {self.path} has results of another {function}: its code, a function that it calls, a"
                    " value that it captures or reads, or the version of Python has changed since;"
                    ' checkpoint_changed="rerun" drops them, checkpoint_changed="reuse" takes them as they are'
                )
            for number in other:
                connection.execute("DELETE FROM results WHERE map = ?", (number,))
                connection.execute("DELETE FROM maps WHERE id = ?", (number,))
            found = connection.execute(
                "SELECT id, seed FROM maps WHERE function = ? AND arguments = ?", (function, arguments)
            ).fetchone()
            if found is None:
                done = connection.execute(
                    "INSERT INTO maps (function, arguments, code, seed) VALUES (?, ?, ?, ?)",
                    (function, arguments, code or b"", seed),
                )
                found = done.lastrowid, seed
            self._map = found[0]
            last = connection.execute("SELECT MAX(position) FROM results WHERE map = ?", (self._map,)).fetchone()[0]
            self._last = -1 if last is None else last
        return str(found[1])

    @property
    def resumes(self) -> bool:
        """There are earlier results."""
        return self._last >= 0

    def find(self, position: int, item: bytes) -> tuple[Any] | None:
        """The result of the item with this digest at this position, if it is kept.

        Raises
        ------
        CheckpointError
            It cannot be read.
        """
        if position > self._last:
            return None
        try:
            found = self._connection.execute(
                "SELECT form, value FROM results WHERE map = ? AND position = ? AND item = ?",
                (self._map, position, item),
            ).fetchone()
        except sqlite3.Error as error:
            raise CheckpointError(f"checkpoint: {self.path} cannot be read: {error}") from error
        return None if found is None else (self._loaded(position, *found),)

    def _loaded(self, position: int, form: int, data: bytes) -> Any:
        if form == PICKLE:
            if not self._pickles:
                raise CheckpointError(
                    f"checkpoint: the result of item {position} in {self.path} is a pickle, which could run code when"
                    " it is read; if the file is your own, say checkpoint_pickle=True",
                    index=position,
                )
            return pickle.loads(data)  # noqa: S301 -- the user's word, for a file that nobody else can write
        try:
            return load(data)
        except DamagedError as error:
            raise CheckpointError(
                f"checkpoint: the result of item {position} in {self.path} is damaged: {error}", index=position
            ) from error

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep results; they are on disk, as far as a kill of the program is concerned, when this returns.

        Raises
        ------
        CheckpointError
            One cannot be kept; those before it are.
        """
        ready, failed = [], None
        for position, item, value in rows:
            try:
                ready.append((self._map, position, item, *self._dumped(position, value)))
            except CheckpointError as error:
                failed = failed or error
        try:
            with self._transaction() as connection:
                connection.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", ready)
        except sqlite3.Error as error:
            raise CheckpointError(f"checkpoint: results cannot be written to {self.path}: {error}") from error
        if failed is not None:
            raise failed

    def _dumped(self, position: int, value: Any) -> tuple[int, bytes]:
        try:
            return PLAIN, dump(value)
        except NotPlainError as error:
            why = error
        if self._pickles:
            try:
                return PICKLE, pickle.dumps(value, 5)
            except Exception as error:
                raise CheckpointError(
                    f"checkpoint: the result of item {position} cannot be pickled: {type(error).__name__}: {error}",
                    index=position,
                ) from error
        raise CheckpointError(
            f"checkpoint: the result of item {position} cannot be kept: {why}, and kept are {TYPES};"
            " return such a value, or say checkpoint_pickle=True to keep pickles in this file of your own",
            index=position,
        )

    def close(self) -> None:
        """Let go of the file."""
        _open.discard(self)
        with suppress(sqlite3.Error):
            self._connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_connection"):
            self.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection)


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


_open: weakref.WeakSet[Checkpoint] = weakref.WeakSet()
_inherited: list[Checkpoint] = []


def _forget() -> None:
    """A forked child never closes what it has inherited: the file and its lock are its parent's."""
    _inherited.extend(_open)
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
