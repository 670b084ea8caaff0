"""What an error of autopar's own says, without what others' code says in it: for the log and the store.

The text of an exception that somebody's code raises, as while an item is pickled, may hold the item's values. The user
who catches the error reads it all; what is kept and passed on has the type only, unless the text is the interpreter's.
"""

from __future__ import annotations

import re

from autopar._backends.exceptions import describe
from autopar.errors import AutoparError

_INTERPRETERS = re.compile(
    r"cannot pickle '[\w.<>]+' object"
    r"|Can't (?:pickle|get) local object .*"
    r"|Can't (?:pickle|get) <(?:class|function|built-in function) [^>]*>.*"
    r"|Could not pickle the task to send it to the workers\."
)


def discreet(error: BaseException) -> str:
    """The message of an error of autopar's own, with the cause's type in the place of the cause's words.

    Examples
    --------
    >>> from autopar.errors import TransportError
    >>> error = TransportError("item 3: cannot be pickled: ValueError: not 1234")
    >>> error.__cause__ = ValueError("not 1234")
    >>> discreet(error)
    'item 3: cannot be pickled: ValueError'
    """
    text, cause = str(error), error.__cause__
    while cause is not None:
        text = text.replace(describe(cause), _in_short(cause))
        cause = cause.__cause__
    return text


def _in_short(error: BaseException) -> str:
    said = describe(error)
    name, _, words = said.partition(": ")
    if isinstance(error, AutoparError) or _INTERPRETERS.fullmatch(words):
        return said
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return name
