"""Exceptions that are hard to send: their classes fight back, or their parts do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any


class TakesOthersError(Exception):
    """Its constructor takes other arguments than the ones it keeps."""

    def __new__(cls, one: int, *, two: int) -> TakesOthersError:
        return super().__new__(cls, one)

    def __init__(self, one: int, *, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.two = two


class NoReduceError(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("no reduce")


class ExitingReduceError(Exception):
    def __reduce__(self) -> Any:
        raise SystemExit(3)


class NoTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class NoAttributesError(Exception):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class NoSettingError(Exception):
    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError(f"no {name}")


class NoNotesError(Exception):
    def add_note(self, note: str) -> None:
        raise RuntimeError("no notes")


class OwnFileError(OSError):
    """Its filename is not among its args."""

    def __init__(self, path: str) -> None:
        super().__init__(2, "gone", path)
        self.path = path


class OwnGroupError(ExceptionGroup[Exception]):
    """A group that takes one argument more."""

    def __new__(cls, message: str, members: list[Exception], code: int = 0) -> OwnGroupError:
        group = super().__new__(cls, message, members)
        group.code = code
        return group

    code: int


class LastWordError(StopIteration):
    pass


class HostileArgument:
    """Compares with nothing."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "HostileArgument()"


def _refers_to_itself() -> Exception:
    error = ValueError("itself")
    error.args = (error,)
    return error


def _caused_in_a_circle() -> Exception:
    one, two = ValueError("one"), KeyError("two")
    one.__cause__, two.__cause__ = two, one
    return one


def _knows_its_cause() -> Exception:
    inner = OwnFileError("inner")
    outer = ValueError("outer", inner)
    outer.__cause__ = inner
    return outer


def _long_chain() -> Exception:
    error = ValueError(0)
    for number in range(1, 2000):
        following = ValueError(number)
        following.__context__ = error
        error = following
    return error


def _with_note() -> Exception:
    error = ValueError("noted")
    error.add_note("a note of its own")
    return error


HOSTILE: dict[str, Callable[[], BaseException]] = {
    "takes others": lambda: TakesOthersError(1, two=2),
    "no reduce": lambda: NoReduceError("x", 1),
    "exiting reduce": lambda: ExitingReduceError("x"),
    "no text": lambda: NoTextError("x"),
    "no attributes": lambda: NoAttributesError("x"),
    "no setting": lambda: NoSettingError("x"),
    "no notes": lambda: NoNotesError("x"),
    "own file": lambda: OwnFileError("/missing"),
    "group": lambda: ExceptionGroup("g", [ValueError(1), TakesOthersError(1, two=3)]),
    "own group": lambda: OwnGroupError("g", [OwnFileError("/missing"), NoReduceError(3)], 7),
    "group with exits": lambda: BaseExceptionGroup("g", [KeyboardInterrupt(1), ValueError(1)]),
    "hostile argument": lambda: ValueError(HostileArgument()),
    "itself": _refers_to_itself,
    "circle": _caused_in_a_circle,
    "knows its cause": _knows_its_cause,
    "long chain": _long_chain,
    "note": _with_note,
    "undecodable": lambda: UnicodeDecodeError("utf8", b"\xff", 0, 1, "bad"),
    "syntax": lambda: SyntaxError("bad", ("f", 1, 2, "text")),
    "import": lambda: ImportError("m", name="n", path="p"),
    "attribute": lambda: AttributeError("m", name="n"),
    "stop": lambda: StopIteration(5),
    "last word": lambda: LastWordError(5, 6),
    "stop async": lambda: StopAsyncIteration(5),
    "exit": lambda: SystemExit(7),
    "plain exit": lambda: SystemExit(),
    "interrupt": lambda: KeyboardInterrupt("k"),
    "generator exit": lambda: GeneratorExit("g"),
    "cancelled": lambda: asyncio.CancelledError("c"),
    "memory": lambda: MemoryError(),
}

BAD = 3


def raises(item: tuple[int, str]) -> int:
    """The number, or the exception of that name for number ``BAD``."""
    number, kind = item
    if number == BAD:
        raise HOSTILE[kind]()
    return number


async def araises(item: tuple[int, str]) -> int:
    """The same as a coroutine."""
    await asyncio.sleep(0)
    return raises(item)


def returns(kind: str) -> BaseException:
    """The exception as a value, with the frames it passed."""
    try:
        raise HOSTILE[kind]()
    except BaseException as error:
        return error


def holds_a_lock(x: int) -> int:
    """Fails with an argument that does not pickle."""
    if x == BAD:
        raise ValueError("locked", threading.Lock())
    return x
