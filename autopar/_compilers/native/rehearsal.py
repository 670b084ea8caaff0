"""Copies of a call's arguments, so that Python and compiled code can both run it and neither sees the other."""

from __future__ import annotations

import sys
from typing import Any


class Rehearsal:
    """Arguments and their copies; what is one object among the arguments is one among the copies.

    Attributes
    ----------
    args
        The copies, in order.
    """

    def __init__(self, args: tuple[Any, ...]) -> None:
        self._originals = args
        self._copies: dict[int, Any] = {}
        self.args = tuple(map(self._copy, args))

    def put_into_originals(self) -> None:
        """Give the arguments the content that their copies have now."""
        for original, copy in zip(self._originals, self.args, strict=True):
            _put(original, copy)

    def as_original(self, value: Any) -> Any:
        """The argument in place of its copy; any other value as it is."""
        for original in self._originals:
            if self._copies.get(id(original)) is value:
                return original
        return value

    def _copy(self, value: Any) -> Any:
        if id(value) in self._copies:
            return self._copies[id(value)]
        kind = type(value)
        copied: Any = value
        if kind is list:
            copied = [self._copy(item) for item in value]
        elif kind is tuple:
            copied = tuple([self._copy(item) for item in value])
        elif (numpy := sys.modules.get("numpy")) is not None and kind is numpy.ndarray:
            copied = value.copy(order="K")
            copied.flags.writeable = value.flags.writeable
        self._copies[id(value)] = copied
        return copied


def _put(original: Any, copy: Any) -> None:
    kind = type(original)
    if original is copy:
        return
    if kind is list:
        for place, (own, other) in enumerate(zip(original, copy, strict=True)):
            if type(own) in (list, tuple):
                _put(own, other)
            else:
                original[place] = other
    elif kind is tuple:
        for own, other in zip(original, copy, strict=True):
            _put(own, other)
    elif original.flags.writeable:
        original[...] = copy
