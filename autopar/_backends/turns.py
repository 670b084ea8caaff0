"""Whose turn it is at the global random streams, which all threads of a process share.

An item that is given a stream of its own has it from the moment that the global streams are started for it up to its
end, so of all seeded chunks of a process only one runs at a time. A chunk's items find a row of turns of their own:
what they map with a seed does not wait for the chunk that waits for it, and gives its stream back to the item.
"""

from __future__ import annotations

import os
import threading
from contextvars import Context, ContextVar
from types import TracebackType
from typing import Any

from autopar._backends.streams import restore, seed_streams, states


class GivenUpError(RuntimeError):
    """A chunk was given up while it waited for its turn, or before its next item."""


class Row:
    """Those that want the global streams: one has them, the others wait.

    Attributes
    ----------
    changed
        Guards the holder. Its lock may be taken twice by one thread, as a finalizer may map in between.
    holder
        Who has the streams, or None.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.holder: Turn | None = None


_first_row = Row()
_row: ContextVar[Row | None] = ContextVar("autopar_random_streams", default=None)
_turns_of_threads: dict[int, list[Turn]] = {}


class Turn:
    """One chunk's turn, from its first item to its last; a context manager.

    Parameters
    ----------
    seed, numpy_random
        As for :func:`autopar._backends.streams.seed_streams`.
    lent
        The items do not draw, as far as anybody can see: they neither wait for a turn nor keep others waiting.
    """

    def __init__(self, seed: int, *, numpy_random: bool = False, lent: bool = False) -> None:
        self.inner = Row()
        self._seed = seed
        self._numpy_random = numpy_random
        self._lent = lent
        self._row = _row.get() or _first_row
        self._around: Turn | None = None
        self._states: Any = None
        self._thread = 0
        self._over = False
        self._token: Any = None

    def __enter__(self) -> Turn:
        self._thread = threading.get_ident()
        mine = _turns_of_threads.setdefault(self._thread, [])
        mine.append(self)
        try:
            self._wait()
        except BaseException:
            self._forget()
            self.give_up()
            raise
        self._token = _row.set(self.inner)
        return self

    def _wait(self) -> None:
        row = self._row
        with row.changed:
            while not self._over and (holder := row.holder) is not None and holder._thread != self._thread:
                if holder._lent:
                    holder.give_up()
                elif self._lent:
                    self._over = True
                    return
                else:
                    row.changed.wait()
            if self._over:
                raise GivenUpError("this chunk was given up before its turn came")
            self._states = states()
            self._around, row.holder = row.holder, self

    def begin(self, index: int) -> None:
        """Start the streams of one item.

        Raises
        ------
        GivenUpError
            Nobody waits for it any more, and others may have the streams.
        """
        with self._row.changed:
            if not self._over:
                seed_streams(self._seed, index, numpy_random=self._numpy_random)
            elif not self._lent:
                raise GivenUpError("this chunk was given up")

    def give_up(self) -> None:
        """Give the streams back as they were, and let the next one have them; called by any thread."""
        row = self._row
        with row.changed:
            if row.holder is self:
                row.holder = self._around
                while row.holder is not None and row.holder._over:
                    row.holder = row.holder._around
                restore(self._states)
            self._over = True
            self._states = None
            row.changed.notify_all()

    def within(self, context: Context) -> Context:
        """A copy of a context in which what has a turn of its own need not wait for this one."""
        copy = context.copy()
        copy.run(_row.set, self.inner)
        return copy

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _row.reset(self._token)
        self._forget()
        self.give_up()

    def _forget(self) -> None:
        mine = _turns_of_threads.get(self._thread, [])
        if self in mine:
            mine.remove(self)
        if not mine:
            _turns_of_threads.pop(self._thread, None)


def give_up_turns_of(thread: int) -> None:
    """Take away what a thread has and waits for, whose chunk nobody waits for any more."""
    for turn in list(_turns_of_threads.get(thread, ())):
        turn.give_up()


def _forget_other_threads() -> None:
    """In a forked process there is the thread that forked and nobody else."""
    global _first_row
    for turn in _turns_of_threads.get(threading.get_ident(), ()):
        turn._row, turn._around = Row(), None
        turn._row.holder = turn
    _first_row = Row()
    _row.set(None)
    _turns_of_threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)
