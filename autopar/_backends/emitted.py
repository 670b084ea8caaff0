"""What items have said, as pieces with the places of their items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autopar._model.work import Emission


def joined(emitted: Iterable[Emission]) -> list[Emission]:
    """The same with neighbouring pieces of text put together: `print` writes each line in two."""
    found: list[Emission] = []
    texts: list[Any] = []

    def finish() -> None:
        if len(texts) > 1:
            place, channel, first = found[-1]
            found[-1] = place, channel, type(first)().join(texts)
        texts.clear()

    for place, channel, what in emitted:
        if texts and found[-1][0] == place and found[-1][1] == channel:
            texts.append(what)
            continue
        finish()
        found.append((place, channel, what))
        if type(what) in (str, bytes):
            texts.append(what)
    finish()
    return found


def as_text(what: str, filename: str, lineno: int, instead: str) -> str:
    """What the decision log says of something that is handed on as its text, since it does not pickle."""
    return f"{what} at {filename}:{lineno} does not pickle: {instead}"


class Packed:
    """An object as bytes."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (self.data,)
