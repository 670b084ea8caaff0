"""A single call of a coroutine function under hints that concern an item: a map of one."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from autopar._engine.coroutines import CoroutineRun
from autopar._engine.functions import FunctionState
from autopar._model.hints import Settings


def one_call(
    state: FunctionState, args: tuple[Any, ...], kwargs: dict[str, Any], settings: Settings
) -> Coroutine[Any, Any, Any]:
    """One call under the hints that concern a single item; a demand that cannot be met is refused at once."""
    run = CoroutineRun(state, [args], kwargs, settings, star=True, operation="submit")

    async def first() -> Any:
        return (await run.collect())[0]

    return first()
