"""The warning that says where a hint would help: when, once, and on which line."""

from __future__ import annotations

import asyncio
import inspect
import time
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from autopar import parallel
from autopar._engine import coroutines, notice
from autopar.errors import PerformanceHint

pytestmark = [pytest.mark.timeout(30), pytest.mark.usefixtures("not_eager")]

DONE: list[int] = []


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak up for hundredths of a second."""
    monkeypatch.setattr(notice, "WORTH_A_WARNING", 0.02)
    monkeypatch.setattr(coroutines, "WORTH_A_WARNING", 0.02)


def notes(x: int) -> int:
    time.sleep(0.005)
    DONE.append(x)
    return x


async def async_notes(x: int) -> int:
    await asyncio.sleep(0.005)
    DONE.append(x)
    return x


def hints(run: Callable[[], object]) -> list[tuple[str, int, str]]:
    """File, line and text of the hints that a call gives."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        run()
    return [(w.filename, w.lineno, str(w.message)) for w in shown if w.category is PerformanceHint]


@pytest.mark.parametrize("function", [notes, async_notes])
@pytest.mark.parametrize("operation", ["map", "imap"])
def test_a_map_that_an_effect_keeps_in_the_loop_says_so_once(function: Any, operation: str) -> None:
    """The line that asked for the map is named, with the effect and the hint; the next map says nothing."""
    mapped = parallel(function)

    def run() -> None:
        list(getattr(mapped, operation)(range(50)))

    ((file, line, text),) = hints(run)
    assert (file, line) == (__file__, inspect.getsourcelines(run)[1] + 1)
    assert "'DONE'" in text
    assert "hint thread_safe=True would open" in text
    assert hints(run) == []


@pytest.mark.parametrize("function", [notes, async_notes])
@pytest.mark.parametrize("operation", ["amap", "aimap"])
def test_from_asynchronous_code_the_awaiting_line_is_named(function: Any, operation: str) -> None:
    """Also where the items run on a thread of their own."""
    mapped = parallel(function)

    async def amap() -> None:
        await mapped.amap(range(50))

    async def aimap() -> None:
        async for _ in mapped.aimap(range(50)):
            pass

    main: Callable[[], Coroutine[Any, Any, None]] = {"amap": amap, "aimap": aimap}[operation]
    ((file, line, _),) = hints(lambda: asyncio.run(main()))
    assert (file, line) == (__file__, inspect.getsourcelines(main)[1] + 1)


def test_what_a_hint_could_not_speed_up_is_not_mentioned() -> None:
    """A user who says that the effects do not matter, or demands the loop, hears nothing."""
    assert hints(lambda: parallel(async_notes, pure=True).map(range(50))) == []
    assert hints(lambda: parallel(async_notes, backend="serial").map(range(50))) == []
