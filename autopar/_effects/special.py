"""The table of library callables whose result needs more than the tables say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autopar._effects.values import NOTHING, Args, Known, Value

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

Special = Callable[["Frame", Args], Value]
SPECIAL: dict[str, Special] = {}


def handles(*names: str) -> Callable[[Special], Special]:
    def register(function: Special) -> Special:
        for name in names:
            SPECIAL[name] = function
        return function

    return register


def first(args: Args) -> Value:
    return args.get(0) or NOTHING


def strings(value: Value) -> list[str] | None:
    """The strings a value may be; None if it may be others."""
    found = []
    for atom in value:
        if type(atom) is not Known or type(atom.obj) is not str:
            return None
        found.append(atom.obj)
    return found
