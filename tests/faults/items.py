"""Items that go wrong, imported by worker processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autopar import parallel
from tests.api.functions import spend

BAD = 3
ITEMS = 8


class NeedsTwoError(Exception):
    """Its ``__init__`` takes other arguments than it passes on."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class KeywordOnlyError(Exception):
    def __init__(self, *, code: int) -> None:
        super().__init__("keyword only")
        self.code = code


class HoldsALockError(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


class SlottedError(Exception):
    __slots__ = ("code",)

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def local_error(text: str) -> Exception:
    class LocalError(Exception):
        pass

    return LocalError(text)


def chained() -> Exception:
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError as error:
        return error


ERRORS: dict[str, Callable[[], BaseException]] = {
    "value": lambda: ValueError("bad item", 3),
    "os": lambda: FileNotFoundError(2, "No such file", "missing.txt"),
    "unicode": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "key": lambda: KeyError("missing"),
    "two-arguments": lambda: NeedsTwoError(7, "because"),
    "keyword-only": lambda: KeywordOnlyError(code=7),
    "group": lambda: ExceptionGroup("several", [ValueError(1), NeedsTwoError(2, "two")]),
    "chained": chained,
    "recursion": lambda: RecursionError("too deep"),
    "memory": lambda: MemoryError(),
    "stop-iteration": lambda: StopIteration("value"),
    "stop-async-iteration": lambda: StopAsyncIteration("value"),
    "keyboard-interrupt": lambda: KeyboardInterrupt("item"),
    "system-exit": lambda: SystemExit(5),
    "generator-exit": lambda: GeneratorExit("item"),
    "timeout": lambda: TimeoutError("the item's own"),
}


@parallel(pure=True)
def fails(x: int, kind: str = "value", bad: int = BAD) -> int:
    """Raise one of the errors at one item."""
    spend()
    if x == bad:
        raise ERRORS[kind]()
    return x


@parallel(pure=True)
def fails_from(x: int, first: int = BAD) -> int:
    """Fail at every item from one on."""
    spend()
    if x >= first:
        raise ValueError(f"item {x}")
    return x


@parallel(pure=True)
async def async_fails(x: int, kind: str = "value", bad: int = BAD) -> int:
    """Raise one of the errors at one item."""
    if x == bad:
        raise ERRORS[kind]()
    return x


@parallel
def counted(x: int, folder: str, failures: int = 0) -> int:
    """Leave a mark for each attempt; the first ones of item 3 fail."""
    spend()
    attempts = len(os.listdir(folder))
    if x == BAD:
        Path(folder, f"attempt-{attempts}").touch()
        if attempts < failures:
            raise ValueError(f"attempt {attempts}")
    return x


@parallel
async def async_counted(x: int, folder: str, failures: int = 0) -> int:
    """Leave a mark for each attempt; the first ones of item 3 fail."""
    return counted(x, folder, failures)


def attempts(folder: Path) -> int:
    return len(list(folder.iterdir()))


@parallel(pure=True)
def dies(x: int, how: str, bad: int = BAD) -> int:
    """End the process at one item; the test's own process never does."""
    spend()
    if x == bad:
        end_process(how)
    return x


def end_process(how: str) -> None:
    if multiprocessing.parent_process() is None:
        raise AssertionError("this item was to run in a worker process")
    if how.startswith("exit"):
        os._exit(int(how.removeprefix("exit")))
    os.kill(os.getpid(), getattr(signal, how))
    threading.Event().wait()


class WontPickle:
    """Raises when it is pickled."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def __reduce__(self) -> Any:
        raise TypeError("WontPickle does not travel")


class WontUnpickle:
    """Raises when it is unpickled."""

    def __reduce__(self) -> Any:
        return _refuse, ()


def _refuse() -> None:
    raise ValueError("this was not to be unpickled")


class ExitsWhilePickled:
    """Ends the program when it is pickled."""

    def __reduce__(self) -> Any:
        raise SystemExit(3)


@parallel(pure=True)
def kind_of(x: Any) -> str:
    spend()
    return type(x).__name__


@parallel(pure=True)
def makes(x: int, what: type = WontPickle, bad: int = BAD) -> Any:
    """Return something that does not travel, at one item."""
    spend()
    return what() if x == bad else x


@parallel
def marks(x: int, folder: str, what: type = WontPickle, bad: int = BAD) -> Any:
    """Leave a file for each run of an item; one result does not travel."""
    runs = len(os.listdir(folder))
    Path(folder, f"{x}-{os.getpid()}-{runs}").touch()
    return what() if x == bad else x


def input_fails_at(position: int) -> Iterator[int]:
    yield from range(position)
    raise LookupError("the input broke")
