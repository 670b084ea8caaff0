"""Coroutine functions that never wait: off the event loop where nothing shows it, and on it where something would."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar._engine.driven import driven_state
from autopar._model.hints import Settings

pytestmark = pytest.mark.timeout(60)

seen: list[int] = []
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@parallel
async def crunch(number: int, rounds: int = 1000) -> int:
    total = 0
    for i in range(rounds):
        total += i * number
    return total


@parallel
async def crunch_after_a_wait(number: int) -> int:
    await asyncio.sleep(0)
    return number


@parallel
async def note(number: int) -> None:
    seen.append(number)


@parallel
async def name_of_task(number: int) -> str:
    task = asyncio.current_task()
    return type(task).__name__


@parallel
async def read_variable(number: int) -> str:
    return variable.get()


@parallel
async def invert(number: int) -> float:
    return 1 / number


@parallel(backend="asyncio")
async def stay(number: int) -> int:
    return threading.get_ident()


def test_the_loop_runs_on_while_items_compute() -> None:
    """A map of a coroutine function that only computes leaves the loop to others."""
    ticks = 0

    async def main() -> list[int]:
        nonlocal ticks

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.ensure_future(tick())
        results = await crunch.amap([1, 2, 3], rounds=1_000_000)
        ticking.cancel()
        return results

    assert asyncio.run(main()) == [499999500000 * number for number in (1, 2, 3)]
    assert ticks > 3
    assert ap.decisions()[-1].plan.backend != "asyncio"


def test_all_ways_to_call_it_give_the_same() -> None:
    """Maps, iterators and single calls, from synchronous and asynchronous code, give the loop's results."""

    async def main() -> list[Any]:
        streamed = [value async for value in crunch.aimap(range(4))]
        return [streamed, await crunch.amap(range(4)), await crunch.asubmit(3), await crunch(3)]

    squares = [499500 * number for number in range(4)]
    assert asyncio.run(main()) == [squares, squares, squares[3], squares[3]]
    assert [crunch.map(range(4)), list(crunch.imap(range(4)))] == [squares, squares]
    assert crunch.starmap([(3, 1000)]) == [squares[3]]
    assert crunch.submit(3).result() == squares[3]
    with ap.Executor(1) as executor:
        result: Any = executor.submit(crunch, 3).result()
    assert result == squares[3]


def test_it_may_run_in_processes() -> None:
    """The plain form travels to worker processes by the function's name."""
    state = driven_state(crunch._self_state, Settings())
    assert state is not None
    plain = parallel(state.function).options(backend="processes")
    assert plain.map(range(3), rounds=1000) == [499500 * number for number in range(3)]
    assert ap.decisions()[-1].plan.backend == "processes"


@pytest.mark.parametrize("function", [crunch_after_a_wait, note, name_of_task])
def test_what_would_show_stays_on_the_loop(function: Any) -> None:
    """Functions that wait, change what others see, or look at their task stay on the loop."""

    async def main() -> None:
        await function.amap(range(3))

    asyncio.run(main())
    assert ap.decisions()[-1].plan.backend in ("asyncio", "serial")


def test_effects_keep_the_loops_order() -> None:
    """Items that change something run in order, on the loop's own thread."""
    seen.clear()

    async def main() -> None:
        await note.amap(range(100))

    asyncio.run(main())
    assert seen == list(range(100))


def test_a_demand_for_the_loop_is_met() -> None:
    """With backend="asyncio" items run on the thread of the loop."""

    async def main() -> set[int]:
        return set(await stay.amap(range(3)))

    assert asyncio.run(main()) == {threading.get_ident()}


def test_the_callers_context_is_seen() -> None:
    """Context variables are those of the task that asks for the map."""

    async def main() -> list[str]:
        variable.set("set")
        return await read_variable.amap(range(2))

    assert asyncio.run(main()) == ["set", "set"]


def test_errors_arrive_as_themselves() -> None:
    """The first failing item in input order raises."""

    async def main() -> None:
        await invert.amap([1, 0, 2])

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_a_running_loop_is_not_blocked() -> None:
    """map() inside a running loop is refused, as of every coroutine function."""

    async def main() -> None:
        crunch.map([1])

    with pytest.raises(RuntimeError, match="would block the running event loop"):
        asyncio.run(main())
