"""Which handler walks which instruction, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autopar._effects.decode import PYTHON
from autopar._effects.values import NOTHING, Value

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

Handler = Callable[["Frame", int], None]
HANDLERS: dict[str, Handler] = {}


class UnknownOpcodeError(Exception):
    """An instruction that no handler is written for."""


def handles(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register


def pop_many(frame: Frame, count: int) -> list[Value]:
    if not count:
        return []
    taken = frame.stack[-count:]
    del frame.stack[-count:]
    return [v or NOTHING for v in taken]


def push_callable(frame: Frame, value: Value) -> None:
    """A callable and its NULL, in this Python's order."""
    frame.stack += (None, value) if PYTHON < (3, 13) else (value, None)


def handler_of(name: str) -> Handler:
    """The handler of an instruction; raises `UnknownOpcodeError`."""
    found = HANDLERS.get("POP_JUMP_IF" if "POP_JUMP" in name else name)
    if found is None:
        raise UnknownOpcodeError(name)
    return found
