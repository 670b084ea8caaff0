"""Says in an error which item it is about."""

from __future__ import annotations

from autopar._backends.exceptions import attributes_of
from autopar._model.plan import Plan
from autopar._record.explain import printable
from autopar.errors import ItemTimeoutError, TransportError, WorkerDiedError


def named(error: BaseException, first: int, count: int = 1) -> BaseException:
    """An error of autopar's own with its item's index, as attribute and in the message; any other error as it is."""
    if not isinstance(error, (TransportError, WorkerDiedError, ItemTimeoutError)) or error.index is not None:
        return error
    which = f"item {first}" if count == 1 else f"one of the items {first} to {first + count - 1}"
    message = f"{which}: {error}"
    found: TransportError | WorkerDiedError | ItemTimeoutError
    if isinstance(error, WorkerDiedError):
        found = WorkerDiedError(message, index=first, exitcode=error.exitcode, begun=error.begun)
    elif isinstance(error, ItemTimeoutError):
        found = ItemTimeoutError(message, index=first)
    else:
        found = TransportError(str(error) if error.about == "function" else message, index=first, about=error.about)
    found.__cause__ = error.__cause__
    return found


def add_note(error: BaseException, text: str) -> None:
    """Add a note once, however often the same exception object comes by."""
    note = f"autopar: {text}"
    # Past the class's own ways with attributes: a note must never put another exception in the place of this one.
    attributes = attributes_of(error)
    notes = attributes.setdefault("__notes__", [])
    if type(notes) is list and note not in notes:
        notes.append(note)


def note_item(error: BaseException, index: int, name: str, operation: str, plan: Plan, decision: int) -> None:
    """Say which item raised, where, and in which decision."""
    add_note(error, f"item {index} of {printable(name)}.{operation}(), on {plan} (decision {decision})")
