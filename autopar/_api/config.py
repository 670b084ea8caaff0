"""Where hints come from besides the decorator: ``autopar.config`` blocks and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from autopar._model.hints import HINTS, Settings, check_hints, hints_from_environment, settle

_blocks: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("autopar_config", default=())


class config:  # noqa: N801
    """Set hints for a block of code; inner blocks win over outer ones.

    A decorator's own hints win over both. The block holds in the current thread or task, and in what it starts with a
    copy of its context.

    Parameters
    ----------
    **hints
        Any hint of :func:`autopar.parallel`.

    Raises
    ------
    autopar.errors.HintError
        A hint is unknown or has a wrong type or value.

    Examples
    --------
    >>> import autopar as ap
    >>> with ap.config(workers=2, backend="threads"):
    ...     ap.map(abs, [-1, -2])
    [1, 2]
    """

    def __init__(self, **hints: Any) -> None:
        self._hints = check_hints(hints, where="config()")
        self._tokens: list[Token[tuple[Mapping[str, Any], ...]]] = []

    def __enter__(self) -> config:
        self._tokens.append(_blocks.set((self._hints, *_blocks.get())))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _blocks.reset(self._tokens.pop())


def settings_for(call: Mapping[str, Any], decorator: Mapping[str, Any], alone: Settings | None = None) -> Settings:
    """Resolve all hints: call over decorator and ``options`` over ``config`` blocks over environment over defaults.

    Parameters
    ----------
    alone
        What the decorator's hints come to by themselves, where that is known.

    Raises
    ------
    autopar.errors.HintValueError
        An environment variable's text is not a value of its hint.
    """
    environment, eager = _environment.hints()
    blocks = _blocks.get()
    if not (call or blocks or environment or eager):
        return settle(decorator) if alone is None else alone
    return settle(call, decorator, *blocks, environment, eager=eager)


class _Environment:
    """Hints out of the environment, read anew only when a variable of autopar's has changed."""

    def __init__(self) -> None:
        self._names = [f"AUTOPAR_{name.upper()}" for name in (*HINTS, "eager")]
        # CPython keeps the variables in a plain dict, encoded; asking that is 20 times as quick as os.environ.
        self._environ: Any = os.environ
        self._kept: dict[Any, Any] = vars(self._environ).get("_data", {})
        encode: Any = getattr(os.environ, "encodekey", None)
        known = type(self._kept) is dict and encode is not None
        self._keys: list[Any] = [encode(name) for name in self._names] if known else []
        self._none_seen = False
        self._seen: list[Any] | None = None
        self._hints: tuple[dict[str, Any], bool] = ({}, False)

    def hints(self) -> tuple[dict[str, Any], bool]:
        """The hints, and whether every map is to go parallel.

        Raises
        ------
        autopar.errors.HintValueError
            A variable's text is not a value of its hint.
        """
        if self._keys and self._environ._data is self._kept and os.environ is self._environ:
            if self._none_seen and self._kept.keys().isdisjoint(self._keys):
                return self._hints
            seen = list(map(self._kept.get, self._keys))
        else:
            seen = list(map(os.environ.get, self._names))
        if seen != self._seen:
            eager = os.environ.get("AUTOPAR_EAGER", "") not in ("", "0")
            self._hints = hints_from_environment(os.environ), eager
            self._seen, self._none_seen = seen, seen.count(None) == len(seen)
        return self._hints


_environment = _Environment()
