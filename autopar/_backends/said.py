"""Keeps what items print and log until it is their turn to be heard.

While a chunk runs away from the caller's thread, or out of order, `sys.stdout` and `sys.stderr` are stand-ins and
`Logger.handle` is watched: what the chunk's own context writes goes to its :class:`Keeper`, whatever else is written
goes where it always went. Each piece is kept with the place of its item, which is the number of results so far, so that
an item that says nothing costs nothing. :mod:`autopar._backends.replay` puts the pieces out.

What is written to the file descriptors themselves, by C code or by child processes, is not seen here, nor is what a
thread writes that an item has started (in a worker process it is).
"""

from __future__ import annotations

import pickle
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from autopar._backends.emitted import Packed, as_text, joined
from autopar._backends.pickling import dump_error, dumps
from autopar._backends.stream_facts import Facts, facts, facts_of
from autopar._model import listening
from autopar._model.work import ERR, NOTE, OUT, PACKED_RECORD, RECORD, Emission

Values = list[Any]


class Keeper:
    """What the items of one chunk have said so far.

    Parameters
    ----------
    values
        The chunk's results, as far as they are there.
    """

    __slots__ = ("_before", "_emitted", "_for_all", "_streams", "_token", "_values")

    def __init__(self, values: Values) -> None:
        self._values = values
        self._emitted: list[Emission] | None = []
        # A worker's main thread runs one chunk at a time, so whatever other threads say then belongs to it.
        self._for_all = _in_worker and threading.get_ident() == _main_thread
        self._before: Keeper | None = None

    @property
    def open(self) -> bool:
        """The chunk is still running."""
        return self._emitted is not None

    def keep(self, channel: str, what: Any) -> None:
        """Keep one piece."""
        if self._emitted is not None:
            self._emitted.append((len(self._values), channel, what))

    def flush(self, channel: str) -> None:
        """Nothing is heard before its turn."""

    def start(self) -> Keeper:
        """Keep what this context says from now on; in a worker process what any thread says."""
        global _of_worker
        self._token = _own.set(self)
        if self._for_all:
            self._before, _of_worker = _of_worker, self
        elif not _in_worker:
            self._streams = None if _held.still() else _watch.begin()
        return self

    def stop(self) -> list[Emission]:
        """End keeping, and give what was said."""
        global _of_worker
        if self._for_all:
            _of_worker = self._before
        elif not _in_worker and self._streams is not None:
            _watch.end(self._streams)
            self._streams = None
        _own.reset(self._token)
        emitted, self._emitted = self._emitted, None
        return joined(emitted) if emitted else []


_own: ContextVar[Keeper | None] = ContextVar("autopar_keeper", default=None)
_of_worker: Keeper | None = None
_in_worker = False
_main_thread = 0


def current() -> Keeper | None:
    """Who keeps what is said here and now, if anybody does."""
    keeper = _own.get()
    if keeper is None or not keeper.open:
        keeper = _of_worker
    return keeper


class Lines(Keeper):
    """Lets each line be heard as soon as it is whole: those of several threads come in any order, but do not mix."""

    __slots__ = ("_begun", "_outer")

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self._begun: dict[str, Any] = {}
        self._outer = current()

    def keep(self, channel: str, what: Any) -> None:
        """Put out what is whole of it."""
        if channel == NOTE:
            super().keep(channel, what)
            return
        if not isinstance(what, (str, bytes)):
            self._put_out(channel, what)
            return
        text: Any = what
        newline = "\n" if isinstance(what, str) else b"\n"
        whole, end, rest = (self._begun.get(channel, text[:0]) + text).rpartition(newline)
        self._begun[channel] = rest
        if end:
            self._put_out(channel, whole + end)

    def flush(self, channel: str) -> None:
        """Put out the beginning of a line."""
        begun = self._begun.pop(channel, None)
        if begun:
            self._put_out(channel, begun)

    def stop(self) -> list[Emission]:
        """End, and put out what lines were begun."""
        emitted = super().stop()
        for channel in [*self._begun]:
            self.flush(channel)
        return emitted

    def _put_out(self, channel: str, what: Any) -> None:
        if self._outer is not None and self._outer.open:  # It belongs to an item of another map.
            self._outer.keep(channel, what)
        elif channel == RECORD:
            _plain_handle(*what)
        elif isinstance(what, (str, bytes)):
            stream = behind(sys.stdout if channel.startswith(OUT) else sys.stderr)
            if stream is not None:
                (stream if isinstance(what, str) else stream.buffer).write(what)


class StandIn:
    """In the place of `sys.stdout` or `sys.stderr`: keeps what items write, passes on what others write."""

    def __init__(self, target: Any, channel: str, like: Facts | None = None) -> None:
        self._target = target
        self._channel = channel
        self._like = like
        self.keepers = 0
        self._let_go: Callable[[], Any] = lambda: None

    def let_go(self) -> None:
        """Keep the stream alive no longer: only a ``print`` that is not over yet may still write to it from here."""

        def gone(_: object) -> None:
            self._target = None

        with suppress(TypeError):  # it has no weak references
            self._let_go, self._target = weakref.ref(self._target, gone), weakref.proxy(self._target)

    def again(self, stream: Any, channel: str) -> bool:
        """Stand in for the stream once more, if it is the same."""
        if channel != self._channel or not (stream is self._let_go() or stream is self._target):
            return False
        self._target, self._let_go = stream, lambda: None
        return True

    @property
    def facts(self) -> Facts:
        return self._like or facts_of(self._target)

    @property
    def encoding(self) -> str | None:
        return self.facts.encoding

    @property
    def errors(self) -> str | None:
        return self.facts.errors

    @property
    def buffer(self) -> _BufferStandIn:
        if not self.facts.has_buffer:
            raise AttributeError(f"the caller's {self._channel} has no attribute 'buffer'")
        return _BufferStandIn(getattr(self._target, "buffer", None), self._channel + BYTES)

    def isatty(self) -> bool:
        return self.facts.isatty

    def write(self, text: str) -> int:
        keeper = current()
        if keeper is None:
            return 0 if self._target is None else self._target.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not text.isascii() and self.encoding:
            text.encode(self.encoding, self.errors or "strict")  # The caller's stream would refuse it now.
        keeper.keep(self._channel, str(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        keeper = current()
        if keeper is not None:
            keeper.flush(self._channel)
        elif self._target is not None:
            self._target.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


BYTES = "-bytes"


def behind(stream: Any) -> Any:
    """The stream that a stand-in stands for; any other as it is."""
    return stream._target if isinstance(stream, StandIn) else stream


class _BufferStandIn:
    """In the place of the binary stream behind a standard stream."""

    def __init__(self, target: Any, channel: str) -> None:
        self._target = target
        self._channel = channel

    def write(self, data: Any) -> int:
        keeper = current()
        if keeper is None:
            return 0 if self._target is None else self._target.write(data)
        kept = bytes(memoryview(data))
        keeper.keep(self._channel, kept)
        return len(kept)

    def flush(self) -> None:
        if self._target is not None and current() is None:
            self._target.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


_retired: deque[StandIn] = deque(maxlen=64)
"""Stand-ins that are out of use. A thread in the middle of ``print`` has the stream that it found without counting its
reference (https://github.com/python/cpython/issues/130163), so none may die soon after it has left its place. How many
are kept is a guess: a program has one, and one more for each time that it redirects its output."""


def _stand_in(stream: Any, channel: str) -> Any:
    if stream is None or isinstance(stream, StandIn):
        return stream
    for retired in tuple(_retired):
        if retired.again(stream, channel):
            _retired.remove(retired)
            return retired
    return StandIn(stream, channel)


class _Watch:
    """Puts stand-ins in place for as long as a keeper needs them.

    A keeper whose item never ends keeps its own stand-ins in place, which pass everything else on. So they are counted
    each for itself: whatever the program puts into `sys.stdout` meanwhile is stood in for as well.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._keepers = 0

    def begin(self) -> tuple[Any, Any]:
        with self.lock:
            self._keepers += 1
            keep_records()
            out, err = sys.stdout, sys.stderr
            if type(out) is not StandIn or type(err) is not StandIn:
                sys.stdout, sys.stderr = out, err = _stand_in(out, OUT), _stand_in(err, ERR)
            if out is not None:
                out.keepers += 1
            if err is not None:
                err.keepers += 1
            return out, err

    def end(self, streams: tuple[Any, Any]) -> None:
        with self.lock:
            self._keepers -= 1
            if self._keepers == 0:
                _leave_records()
            # Whoever has put something else in their place meanwhile keeps it. No variable has one of them here: the
            # references are counted.
            for place, name in enumerate(("stdout", "stderr")):
                if streams[place] is None:
                    continue
                streams[place].keepers -= 1
                if streams[place].keepers:
                    continue
                if getattr(sys, name, None) is streams[place]:
                    setattr(sys, name, behind(streams[place]))
                if _references(streams, place) <= _ALONE:
                    streams[place].let_go()
                _retired.append(streams[place])


def _references(streams: tuple[Any, Any], place: int) -> int:
    return sys.getrefcount(streams[place])


_ALONE = _references((object(), None), 0)
"""References to what nobody has but the pair that it is in; more than that, and a handler or a variable of the program
has a stand-in, which keeps its stream for it."""


_watch = _Watch()


class _Held(threading.local):
    """Stand-ins that stay in place between the chunks of a thread, for which each chunk need not put them there."""

    streams: tuple[Any, Any] | None = None

    def still(self) -> bool:
        """They are in place, and nobody has put anything else there."""
        streams = self.streams
        if streams is None or sys.stdout is not streams[0] or sys.stderr is not streams[1]:
            return False
        with _watch.lock:
            keep_records()
        return True


_held = _Held()


def hold() -> None:
    """Leave the stand-ins in place until :func:`let_go`: chunks of this thread follow one another."""
    if _held.streams is None and not _in_worker:
        _held.streams = _watch.begin()


def let_go() -> None:
    """No chunk follows on this thread for now."""
    streams, _held.streams = _held.streams, None
    if streams is not None:
        _watch.end(streams)


# -- a worker process ----------------------------------------------------------------------------------------------


def become_worker() -> None:
    """From now on this process keeps all that items say, in whatever thread; called once, by the main thread."""
    global _in_worker, _main_thread
    _in_worker, _main_thread = True, threading.get_ident()
    listening.stop()
    resemble(*facts())
    keep_records()


class _Deaf(Keeper):
    """Keeps nothing."""

    __slots__ = ()

    def keep(self, channel: str, what: Any) -> None:
        """Drop it."""


class Unheard:
    """While a worker is in it, nothing that is said is heard, unless a keeper takes it."""

    def __init__(self) -> None:
        self._nobody = _Deaf([])

    def __enter__(self) -> None:
        global _of_worker
        _of_worker = self._nobody

    def __exit__(self, *raised: object) -> None:
        global _of_worker
        _of_worker = None


_streams_of_worker: list[Any] = []


def resemble(out: Facts, err: Facts) -> None:
    """Make a worker's standard streams look like the caller's."""
    if not _streams_of_worker:
        _streams_of_worker.extend(behind(stream) for stream in (sys.stdout, sys.stderr))
    own_out, own_err = _streams_of_worker
    _retired.extend(stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, StandIn))
    sys.stdout = StandIn(own_out, OUT, out) if out.exists else None
    sys.stderr = StandIn(own_err, ERR, err) if err.exists else None


# -- logging -------------------------------------------------------------------------------------------------------

_plain_handle: Any = None
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


def keep_records() -> None:
    """Watch `Logger.handle`, where every record passes that its logger's level lets through."""
    global _plain_handle
    logging = sys.modules.get("logging")
    if logging is None or not hasattr(logging, "Logger") or logging.Logger.handle is _handle:
        return
    _plain_handle = logging.Logger.handle
    logging.Logger.handle = _handle


def _leave_records() -> None:
    logging = sys.modules.get("logging")
    if logging is not None and _plain_handle is not None and logging.Logger.handle is _handle:
        logging.Logger.handle = _plain_handle


def _handle(logger: Any, record: Any) -> None:
    keeper = current()
    if keeper is None:
        _plain_handle(logger, record)
    elif _in_worker:
        keeper.keep(PACKED_RECORD, _pack(record, keeper))
    else:
        keeper.keep(RECORD, (logger, _settled(record, keeper)))


def _message(record: Any, keeper: Keeper) -> bytes | None:
    """Message and arguments as they are now, pickled if a later item could change them; None if not needed."""
    args = record.args or ()
    parts = args.values() if isinstance(args, dict) else args
    if type(record.msg) is str and _PLAIN.issuperset(map(type, parts)):
        return None
    try:
        data = dumps((record.msg, record.args))
        pickle.loads(data)
    except Exception:
        record.msg, record.args = record.getMessage(), None
        _note_text(record, "the message of a log record", keeper)
        return None
    return data


def _note_text(record: Any, what: str, keeper: Keeper) -> None:
    keeper.keep(NOTE, (as_text(what, record.pathname, record.lineno, "handlers get it as text"),))


def _settled(record: Any, keeper: Keeper) -> Any:
    data = _message(record, keeper)
    if data is not None:
        record.msg, record.args = pickle.loads(data)
    return record


_REMADE = frozenset(
    """
        name levelno levelname pathname filename module lineno funcName msg args exc_info exc_text stack_info created
        msecs relativeCreated thread threadName process processName taskName
    """.split()
)
"""Attributes that a record gets when it is made again; all others are the program's own."""


def _pack(record: Any, keeper: Keeper) -> tuple[Any, ...]:
    """A record as plain values and bytes."""
    message = _message(record, keeper)
    error = record.exc_info[1] if record.exc_info else None
    return (
        (record.name, record.levelno, record.pathname, record.lineno),
        None if message is not None else (record.msg, record.args),
        message,
        None if error is None else dump_error(error),
        (record.funcName, record.stack_info, record.created, record.msecs),
        {name: _portable(name, record, keeper) for name in vars(record) if name not in _REMADE},
    )


def _portable(name: str, record: Any, keeper: Keeper) -> Any:
    """A program's own attribute of a record: itself if it travels, else its text."""
    value = getattr(record, name)
    if type(value) in _PLAIN:
        return value
    try:
        data = dumps(value)
        pickle.loads(data)
    except Exception:
        _note_text(record, f"the attribute {name!r} of a log record", keeper)
        return str(value)
    return Packed(data)
