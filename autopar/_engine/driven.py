"""Which coroutine functions may run off the event loop: those that never wait and whose place does not show.

On a loop such a function keeps everybody else waiting while it computes, and its items can only follow one another.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Callable
from dataclasses import replace
from types import CodeType, FunctionType, MethodType
from typing import Any

from autopar._backends.driven import Driven
from autopar._classify import classify
from autopar._engine.functions import FunctionState
from autopar._model.compiler import Terms
from autopar._model.hints import Settings
from autopar._model.observation import Profile, Traits
from autopar._observe.host import current_host
from autopar._plan import Situation
from autopar._plan.eligibility import barriers

_WAITS = frozenset(
    {"GET_AWAITABLE", "GET_AITER", "GET_ANEXT", "BEFORE_ASYNC_WITH", "SEND", "YIELD_VALUE", "YIELD_FROM"}
)
"""Instructions at which a coroutine may be left, of all supported versions."""


class DrivenState(FunctionState):
    """The memory of a coroutine function that is called as a plain one; what it learns belongs to both."""

    def __init__(self, state: FunctionState) -> None:
        super().__init__(Driven(state.function, state.reference()))
        self._body = state.function
        self.memory = state.memory
        self.kept = state.kept

    @property
    def analysed(self) -> Callable[..., Any]:
        """The coroutine function, whose body runs in the call."""
        return self._body

    def under(self, terms: Terms) -> DrivenState:
        """Itself: it is not compiled, whatever that may differ in."""
        return self

    def _as_called(self, traits: Traits) -> Traits:
        return replace(traits, is_async=False)


def driven_state(state: FunctionState, settings: Settings) -> DrivenState | None:
    """The plain form of a coroutine function, if it may run anywhere; None if it belongs on the loop."""
    if settings.backend is not None or not never_waits(state.function):
        return None
    driven: DrivenState | None = state.__dict__.get("driven")
    if driven is None:
        driven = state.__dict__["driven"] = DrivenState(state)
    return driven if _place_does_not_show(driven, settings) else None


def _place_does_not_show(state: DrivenState, settings: Settings) -> bool:
    """Nothing it does depends on, or is seen on, the thread and the loop that it runs on."""
    traits, host, profile = state.traits(), current_host(), Profile()
    situation = Situation(traits, classify(traits, profile, host), profile, host, settings, None)
    return not barriers("threads", situation)


def never_waits(function: Any) -> bool:
    """Its own code has no place where it could be left before its end."""
    if type(function) is MethodType:
        function = function.__func__
    return type(function) is FunctionType and _runs_through(function.__code__)


@functools.lru_cache(1024)
def _runs_through(code: CodeType) -> bool:
    # A coroutine begins with a place of its own, before the first line of its body.
    return _WAITS.isdisjoint(each.opname for each in dis.get_instructions(code))
