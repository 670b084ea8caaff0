"""Maps inside items of maps: no deadlock, and no more work at once than there are cores."""

from __future__ import annotations

import asyncio
import threading
import traceback
from typing import Any

import pytest

from autopar import parallel
from autopar.errors import UnavailableError
from tests.api.functions import square
from tests.faults.nested import cores_inside, inner, outer, outer_of_coroutines, submits, three_deep
from tests.routes import PLAIN_ROUTES

pytestmark = pytest.mark.timeout(30)

N = 6

DEMANDED: list[dict[str, Any]] = [{}, {"backend": "serial"}, {"backend": "threads"}, {"backend": "processes"}]
outside = pytest.mark.parametrize("hints", DEMANDED, ids=str)


@outside
@pytest.mark.parametrize("backend", [None, "serial", "threads", "processes"])
def test_a_map_inside_a_map(hints: dict[str, Any], backend: str | None) -> None:
    """Every backend may run inside every other."""
    results = outer.options(**hints).map(range(N), [backend] * N)
    assert results == [list(range(x + 1, x + 6)) for x in range(N)]


@outside
def test_maps_three_deep(hints: dict[str, Any]) -> None:
    """Depth is no limit."""
    assert three_deep.map(range(3), **hints) == [[list(range(y + 1, y + 6)) for y in range(x, x + 3)] for x in range(3)]


def test_a_map_of_coroutines_inside_a_map(route: dict[str, Any]) -> None:
    """An item may map a coroutine function."""
    assert outer_of_coroutines.map(range(N), **route) == [list(range(x + 1, x + 6)) for x in range(N)]


def test_a_map_inside_a_coroutine() -> None:
    """An item that is a coroutine may await a map of a plain function, or run one."""

    @parallel(pure=True)
    async def awaits(x: int) -> list[int]:
        return await inner.amap(range(x, x + 3))

    @parallel(pure=True)
    async def blocks(x: int) -> list[int]:
        return inner.map(range(x, x + 3))

    expected = [list(range(x + 1, x + 4)) for x in range(N)]
    assert awaits.map(range(N)) == expected
    assert blocks.map(range(N)) == expected
    assert asyncio.run(_gathered(awaits)) == expected


async def _gathered(function: Any) -> Any:
    return await function.amap(range(N))


def test_submit_inside_a_map(route: dict[str, Any]) -> None:
    """An item may submit a call and wait for it."""
    assert submits.map(range(N), **route) == list(range(1, N + 1))


def test_many_waiting_items_that_submit_do_not_starve_each_other() -> None:
    """All workers may wait for calls that they submitted themselves."""
    assert submits.map(range(64), backend="threads", workers=32, chunksize=1) == list(range(1, 65))


def test_a_recursive_map() -> None:
    """A function may map itself."""

    @parallel(pure=True, backend="threads")
    def tree(depth: int) -> int:
        return 1 if depth == 0 else 1 + sum(tree.map([depth - 1, depth - 1]))

    assert tree(5) == 63


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_an_item_knows_its_share_of_the_cores(backend: str) -> None:
    """Workers together have the host's cores, so a map inside an item may use its share only."""
    cores_inside.map(range(40), backend=backend, workers=2)
    shares = cores_inside.map(range(40), backend=backend, workers=2)
    from autopar._observe.host import current_host

    assert set(shares) <= {max(1, current_host().cores // 2), current_host().cores}
    assert cores_inside(1) is None


@pytest.mark.timeout(180)
def test_sixteen_threads_may_map_at_once(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps of many threads do not get into each other's way; what forks this process is refused beside threads."""
    forks_here = route == PLAIN_ROUTES["multiprocessing"]
    if forks_here:
        monkeypatch.undo()  # what the fixture allows
    failures: list[str] = []
    start, end = threading.Barrier(16), threading.Barrier(16)

    def body(n: int) -> None:
        try:
            start.wait(30)
            for _ in range(3):
                assert square.map(range(n, n + 25), **route) == [x * x for x in range(n, n + 25)]
        except UnavailableError as error:
            refused.append(str(error))
        except BaseException:
            failures.append(traceback.format_exc())
        end.wait(60)  # none is the last to map, with nobody beside it

    refused: list[str] = []
    threads = [threading.Thread(target=body, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert all("other threads" in why for why in refused)
    assert len(refused) == (16 if forks_here else 0)
    assert not any(thread.is_alive() for thread in threads)


def test_context_variables_reach_items() -> None:
    """Items see the caller's context variables, on threads too."""
    from contextvars import ContextVar

    who: ContextVar[str] = ContextVar("who", default="nobody")
    token = who.set("me")
    try:
        for backend in ("serial", "threads"):
            assert parallel(lambda x: who.get()).map(range(4), backend=backend) == ["me"] * 4
    finally:
        who.reset(token)
