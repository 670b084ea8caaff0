"""The pure-Python twin of ``autopar._native.counted_call_type``; ``native/call_type.c`` says what both do."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from autopar._native_twin import thread_probe


def counted_call_type(proxy: type, /) -> type:
    """Make a subclass of a proxy type whose calls go straight to a target and are counted."""

    class CountedCall(proxy):  # type: ignore[misc]
        """Calls go to the only item of ``_self_target``; when the countdown has ended, one is measured."""

        _self_countdown = 1
        _self_sampling = False

        @property
        def __call__(self) -> Callable[..., Any]:
            """What this call runs. Being looked up for each call, it leaves no frame of its own on the stack.

            So the function sees its caller, and a recursion through it may be nearly as deep as without.
            """
            countdown = self._self_countdown
            target: Callable[..., Any] = self._self_target[0]
            if countdown > 1:
                self._self_countdown = countdown - 1
            elif not self._self_sampling:
                return partial(self._measured, target)
            return target

        def _measured(self, target: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
            self._self_sampling = True  # a recursive call is part of this sample, not one of its own
            try:
                before = thread_probe()
                started = time.perf_counter_ns()
                result = target(*arguments, **keywords)
                ended = time.perf_counter_ns()  # reading the other clocks takes longer than many a function
                after = thread_probe()
                with suppress(RecursionError):  # the function had room for its call; what it took is left out
                    self._sampled(target, arguments, keywords, (started, *before[1:]), (ended, *after[1:]))
            finally:
                self._self_sampling = False
            return result

    return CountedCall


def settle(type: type, binds: bool, /) -> None:
    """Let calls of instances of a subclass take the short way; here there is only one."""
