"""Errors and warnings of autopar.

::

    AutoparError
    +-- HintError (also TypeError or ValueError)     a hint has a wrong name, type or value
    |   +-- HintTypeError, HintValueError
    +-- DemandError                                  what a hint demands cannot be done
    |   +-- UnknownNameError                         no backend or compiler has that name
    |   +-- NotBuiltError                            this version of autopar does not have it
    |   +-- UnavailableError                         this machine lacks what it needs
    |   +-- UnsafeDemandError                        it would change the answer
    +-- CheckpointError                              results cannot be kept in a file, or taken from it
    |   +-- CheckpointChangedError (also ValueError) they are of other code
    +-- DeadlineError (also TimeoutError)            the map, or an item in it, did not end by its ``deadline``
    +-- CMismatchError (also ValueError)             an own C function differs from its Python body
    +-- ItemError                                    an item could not be run to an answer
        +-- ItemTimeoutError (also TimeoutError)     it ran past ``timeout``
        +-- WorkerDiedError                          its worker process ended
        +-- TransportError                           it, or its result, could not be sent to a worker

    AutoparWarning (a RuntimeWarning)
    +-- PerformanceHint                              a curable reason costs over a second
    +-- StoreWarning                                 the decision log cannot be kept
    +-- SubscriberWarning                            who listens to events raised
    +-- KernelMismatchWarning                        compiled code gave another result than Python, and is not used

An exception raised by the user's own function is never wrapped: it arrives as itself.
"""

from __future__ import annotations


class AutoparError(Exception):
    """Base of all errors of autopar's own.

    The message may quote names, paths and texts of others. What a terminal would obey in it is replaced.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_harmless(each) if isinstance(each, str) else each for each in args))


def _harmless(text: str) -> str:
    """The text with its lines and tabs, and without other control characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


class HintError(AutoparError):
    """A hint has a wrong name, type or value."""


class HintTypeError(HintError, TypeError):
    """A hint is unknown or of a wrong type."""


class HintValueError(HintError, ValueError):
    """A hint has a value out of range."""


class DemandError(AutoparError):
    """What a hint demands cannot be done; the message names the hint, the cause and the way out."""


class UnknownNameError(DemandError, ValueError):
    """No backend or compiler has that name."""


class NotBuiltError(DemandError, NotImplementedError):
    """The backend or compiler is known but not part of this version."""


class UnavailableError(DemandError, RuntimeError):
    """This machine or installation lacks what the backend or compiler needs."""


class UnsafeDemandError(DemandError, ValueError):
    """The demanded way would change the answer; the message names the line and the hint that allows it."""


class CMismatchError(AutoparError, ValueError):
    """A C function of the user's own gave another result than its Python body, which is what it should do.

    The arguments then hold what the body has written to them.

    Attributes
    ----------
    ours, python
        What the C function gave, and what the body gave.
    """

    def __init__(self, message: str, *, ours: object = None, python: object = None) -> None:
        super().__init__(message)
        self.ours = ours
        self.python = python


class CheckpointError(AutoparError):
    """Results cannot be kept in the file that ``checkpoint`` names, or cannot be taken from it.

    Attributes
    ----------
    index
        Position of the item whose result it is about, or None.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class CheckpointChangedError(CheckpointError, ValueError):
    """The file has results of the same function with other code; ``checkpoint_changed`` says what to do then."""


class DeadlineError(AutoparError, TimeoutError):
    """A map did not end within ``deadline`` seconds.

    Attributes
    ----------
    index
        Position of the first item without a result; with ``on_error`` each such item has an error of its own.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class ItemError(AutoparError):
    """An item could not be run to an answer.

    Attributes
    ----------
    index
        Position of the item in the input, from 0, or None if it is a single call.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class ItemTimeoutError(ItemError, TimeoutError):
    """An item ran longer than ``timeout`` seconds."""


class WorkerDiedError(ItemError):
    """The worker process that ran an item ended without an answer.

    Attributes
    ----------
    exitcode
        Exit status of the process; negative numbers are signals, as in :attr:`subprocess.Popen.returncode`.
    certain
        The item was on that very worker; False where a backend only knows that one of its workers ended.
    begun
        Items sent to the worker together that it had begun, one more if all of them had ended; None where that is not
        known.
    """

    def __init__(
        self,
        message: str,
        *,
        index: int | None = None,
        exitcode: int | None = None,
        certain: bool = True,
        begun: int | None = None,
    ) -> None:
        super().__init__(message, index=index)
        self.exitcode = exitcode
        self.certain = certain
        self.begun = begun


class TransportError(ItemError, TypeError):
    """An argument, a function or a result cannot be pickled on its way to or from a worker process.

    Attributes
    ----------
    about
        ``"function"``, ``"item"`` or ``"result"``.
    loading
        It was sent, and failed where it was unpickled.
    """

    def __init__(self, message: str, *, index: int | None = None, about: str = "item", loading: bool = False) -> None:
        super().__init__(message, index=index)
        self.about = about
        self.loading = loading


class AutoparWarning(RuntimeWarning):
    """Base of all warnings of autopar's own."""


class PerformanceHint(AutoparWarning):
    """A curable reason keeps a map slower than it could be, by over a second."""


class StoreWarning(AutoparWarning):
    """Decisions cannot be kept across processes; everything else works."""


class SubscriberWarning(AutoparWarning):
    """A callback that was subscribed to events raised; the map goes on."""


class KernelMismatchWarning(AutoparWarning):
    """Compiled code gave another result than Python did for the same call; Python's was returned.

    The function runs in Python from then on. Earlier results of that code are in doubt; please report it.
    """
