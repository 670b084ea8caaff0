"""Where hints come from besides the decorator: ``autopar.config`` blocks and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from autopar._model.hints import Settings, check_hints, hints_from_environment, settle

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


def settings_for(call: Mapping[str, Any], decorator: Mapping[str, Any]) -> Settings:
    """Resolve all hints: call over decorator and ``options`` over ``config`` blocks over environment over defaults.

    Raises
    ------
    autopar.errors.HintValueError
        An environment variable's text is not a value of its hint.
    """
    environment = hints_from_environment(os.environ)
    eager = os.environ.get("AUTOPAR_EAGER", "") not in ("", "0")
    return settle(call, decorator, *_blocks.get(), environment, eager=eager)
