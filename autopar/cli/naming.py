"""How commands read a function's name and a time."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from autopar._record.store import Store

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _FloatParameter = click.ParamType[float]
    _TextParameter = click.ParamType[str]
else:
    _FloatParameter = _TextParameter = click.ParamType  # generic from click 8.2 on


class FunctionName(_TextParameter):
    """A function's name as commands take it; a shell completes it with the names in the log."""

    name = "function"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names that go on like this, whole ones and their ends."""
        import warnings

        from click.shell_completion import CompletionItem

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a shell that waits for words has no use for complaints
            known = {decision.function for _, decision in Store.from_environment().search(limit=None)}
        names = known | {name.rpartition(".")[2] for name in known}
        return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete) and name.isprintable()]


class Since(_FloatParameter):
    """A time: ``90s``, ``15m``, ``2h``, ``7d`` or ``1w`` ago, or a date as ISO 8601 writes it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it as Unix time in seconds."""
        if isinstance(value, float):
            return value
        if ago := _AGO.fullmatch(value.strip()):
            return time.time() - float(ago[1]) * _SECONDS[ago[2]]
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            self.fail(f"{value!r} is no time: write 15m, 2h, 7d, or a date such as 2026-01-31", param, ctx)


def patterns(name: str) -> tuple[str, ...]:
    """What a name on the command line may stand for, the likeliest first: ``price`` is ``shop.price`` too.

    Examples
    --------
    >>> patterns("price"), patterns("shop.*")
    (('price', '*.price'), ('shop.*',))
    """
    return (name,) if any(sign in name for sign in "*?[") else (name, f"*.{name}")


def near_names(store: Store, name: str) -> list[str]:
    """Functions in the log whose names are like this one, for a complaint."""
    from difflib import get_close_matches

    known = {decision.function for _, decision in store.search(limit=None)}
    by_end = {function.rpartition(".")[2]: function for function in known}
    found = get_close_matches(name, known, n=3) or [by_end[end] for end in get_close_matches(name, by_end, n=3)]
    return sorted(found)
