"""Puts out what items have said: text to the caller's streams, records to its loggers, warnings to its filters.

What is to be said of them, such as that a warning did not travel as it was, goes to the decision log.
"""

from __future__ import annotations

import builtins
import pickle
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from autopar._backends.emitted import Packed, as_text
from autopar._backends.pickling import load_error
from autopar._backends.said import BYTES
from autopar._backends.signals import raise_flags
from autopar._model.work import ERR, NOTE, OUT, PACKED_RECORD, RECORD, SIGNALS, WARNING, Emission


def replay(emitted: Iterable[Emission], note: Callable[[str], object]) -> None:
    """Put it out, in this order. Whatever a stream, handler or filter raises comes out of here.

    ``note`` is called with what the decision log is to say.
    """
    for _, channel, what in emitted:
        if channel == NOTE:
            note(*what)
        elif channel == WARNING:
            _warn(what, note)
        else:
            _REPLAY[channel](what)


def _write(stream: Any, text: str) -> None:
    if stream is not None:
        stream.write(text)


def _write_bytes(stream: Any, data: bytes) -> None:
    if stream is not None:
        stream.flush()
        stream.buffer.write(data)


def _log(what: tuple[Any, Any]) -> None:
    import threading

    logger, record = what
    thread = threading.current_thread()
    record.thread, record.threadName = thread.ident, thread.name
    logger.handle(record)


def _log_packed(what: tuple[Any, ...]) -> None:
    import logging

    (name, level, path, line), plain, packed, error, (function, stack, created, msecs), extra = what
    message, args = plain if packed is None else pickle.loads(packed)
    exc_info = None
    if error is not None:
        raised = load_error(error)
        exc_info = type(raised), raised, raised.__traceback__
    # Made anew, so that the caller's factory, names of levels, process and thread are in it, as the loop's would be.
    record = logging.getLogRecordFactory()(name, level, path, line, message, (), exc_info, func=function, sinfo=stack)
    record.args = args
    record.relativeCreated += (created - record.created) * 1000
    record.created, record.msecs = created, msecs
    for attribute, value in extra.items():
        setattr(record, attribute, pickle.loads(value.data) if type(value) is Packed else value)
    logging.getLogger(name).handle(record)


_registries: dict[str, dict[Any, Any]] = {}


def _warn(what: tuple[bytes | None, str, str, str, int, str | None], note: Callable[[str], object]) -> None:
    packed, category, text, filename, lineno, module = what
    registry = None
    if module is not None:
        loaded = sys.modules.get(module)
        namespace = vars(loaded) if loaded is not None else _registries.setdefault(module, {})
        registry = namespace.setdefault("__warningregistry__", {})
    message = _unpacked(packed)
    if message is None:
        message = getattr(builtins, category)(text)
        note(as_text("a warning", filename, lineno, f"a {category} with its text is issued instead"))
    warnings.warn_explicit(message, type(message), filename, lineno, module, registry)


def _unpacked(packed: bytes | None) -> Warning | None:
    if packed is None:
        return None
    try:
        message = pickle.loads(packed)
    except Exception:
        return None
    return message if isinstance(message, Warning) else None


_REPLAY: dict[str, Callable[[Any], None]] = {
    OUT: lambda text: _write(sys.stdout, text),
    ERR: lambda text: _write(sys.stderr, text),
    OUT + BYTES: lambda data: _write_bytes(sys.stdout, data),
    ERR + BYTES: lambda data: _write_bytes(sys.stderr, data),
    RECORD: _log,
    PACKED_RECORD: _log_packed,
    SIGNALS: raise_flags,
}
