"""pandas' options as the caller has them, for calls in other processes, which have their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Options:
    """The options of the process that makes this; elsewhere they are in force around a call."""

    def __init__(self) -> None:
        import pandas

        self._values = dict(_flat(vars(pandas.options)["d"]))
        self._differing: list[Any] | None = []

    def __getstate__(self) -> dict[str, Any]:
        return self._values

    def __setstate__(self, values: dict[str, Any]) -> None:
        self._values, self._differing = values, None

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call a function under these options."""
        if self._differing is None:
            self._differing = self._compared()
        if not self._differing:
            return function(*args, **kwargs)
        import pandas

        with pandas.option_context(*self._differing):
            return function(*args, **kwargs)

    def _compared(self) -> list[Any]:
        """Names and values, in turn, of the options that are different in this process."""
        import pandas

        here = dict(_flat(vars(pandas.options)["d"]))
        different = {name: value for name, value in self._values.items() if not _same(here.get(name), value)}
        return [part for pair in different.items() for part in pair]


def _flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
