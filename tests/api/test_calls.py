"""Single calls: ``f(x)`` is the function's own, ``submit`` and ``asubmit`` start it elsewhere."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from autopar import parallel
from tests.api.functions import Scaler, affine, async_affine, async_square, square, where
from tests.faults.items import ERRORS, fails

pytestmark = pytest.mark.timeout(30)


def test_a_call_is_the_functions_own() -> None:
    """`f(x)` returns what f returns, however often it is called."""
    assert [square(x) for x in range(3000)] == [x * x for x in range(3000)]
    assert affine(3, 4, offset=5) == 17


def test_a_call_runs_in_the_callers_thread() -> None:
    """A call is never sent anywhere."""
    threads = set()

    @parallel(backend="threads")
    def here(x: int) -> None:
        threads.add(threading.get_ident())

    for x in range(100):
        here(x)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("kind", ERRORS)
def test_a_call_raises_what_the_function_raises(kind: str) -> None:
    """An exception of `f(x)` is the function's own, with nothing added."""
    expected = ERRORS[kind]()
    for _ in range(3):
        with pytest.raises(type(expected)) as caught:
            fails(3, kind=kind)
        assert type(caught.value) is type(expected)
        assert not getattr(caught.value, "__notes__", ())


def test_a_call_with_wrong_arguments_is_the_functions_error() -> None:
    """Wrong arguments are answered by Python, in its words."""
    with pytest.raises(TypeError, match=r"square\(\) missing 1 required positional argument: 'x'"):
        square()  # type: ignore[call-arg]


def test_a_recursive_function_calls_itself() -> None:
    """A decorated function may call itself by its decorated name."""

    @parallel
    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    assert [factorial(n) for n in range(10)] == [1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880]
    assert factorial.map([3, 4]) == [6, 24]


@pytest.mark.parametrize(
    "hints", [{}, {"backend": "serial"}, {"backend": "threads"}, {"backend": "processes"}], ids=str
)
def test_submit_gives_a_future(hints: dict[str, Any]) -> None:
    """`submit` starts one call with positional and keyword arguments and returns a concurrent.futures.Future."""
    future = affine.options(**hints).submit(3, 4, offset=5)
    assert isinstance(future, Future)
    assert future.result(10) == 17
    assert future.done()
    assert future.exception() is None


@pytest.mark.parametrize(
    "hints", [{}, {"backend": "serial"}, {"backend": "threads"}, {"backend": "processes"}], ids=str
)
def test_a_submitted_call_that_fails_has_its_exception(hints: dict[str, Any]) -> None:
    """The future has the exception of the call."""
    error = fails.options(**hints).submit(3).exception(10)
    assert type(error) is ValueError
    assert error.args == ("bad item", 3)


def test_submit_does_not_wait() -> None:
    """`submit` returns while the call still runs, and calls may overlap."""
    go = threading.Event()

    @parallel
    def waits(x: int) -> int:
        assert go.wait(10)
        return x

    futures = [waits.submit(x) for x in range(4)]
    assert not any(future.done() for future in futures)
    go.set()
    assert [future.result(10) for future in futures] == [0, 1, 2, 3]


def test_submit_runs_callbacks() -> None:
    """Callbacks added to the future run when it is done, and may submit again."""
    done = threading.Event()
    seen: list[int] = []

    def again(future: Future[int]) -> None:
        seen.append(future.result())
        if len(seen) < 5:
            square.submit(future.result() + 1).add_done_callback(again)
        else:
            done.set()

    square.submit(1).add_done_callback(again)
    assert done.wait(10)
    assert seen == [1, 4, 25, 676, 458329]


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_kept_future_holds_its_result_alone(backend: str) -> None:
    """Once its call has ended, or was cancelled, it holds nothing of what it took to run it."""
    futures = [square.options(backend=backend).submit(x) for x in range(4)]
    assert [future.result() for future in futures] == [0, 1, 4, 9]
    for future in futures:
        while getattr(future, "_inner", None) is not None:  # A moment after its result it lets go.
            time.sleep(0)
        assert not future.cancel()
        assert future.done()
        assert not future.running()


def test_submit_to_a_process_runs_there() -> None:
    """A demanded backend holds for submit."""
    import os

    assert where.options(backend="processes").submit(1).result(10)[0] != os.getpid()
    assert where.options(backend="threads").submit(1).result(10)[0] == os.getpid()


def test_submit_of_a_coroutine_function() -> None:
    """`submit` of an `async def` runs it on autopar's own event loop."""
    assert async_affine.submit(3, offset=1).result(10) == 7
    error = parallel(_afail).submit(1).exception(10)
    assert type(error) is KeyError


async def _afail(x: int) -> int:
    raise KeyError(x)


def test_submit_of_a_method() -> None:
    """`submit` passes the object of a bound method."""
    assert Scaler(1).scale.submit(2).result(10) == 7


def test_submit_sees_on_error_and_retries() -> None:
    """Hints of the function hold for its submitted calls."""
    answer: Any = fails.options(on_error=lambda error, args: (type(error).__name__, args)).submit(3).result(10)
    assert answer == ("ValueError", (3,))
    attempts: list[int] = []

    @parallel(retries=2)
    def flaky(x: int) -> int:
        attempts.append(x)
        if len(attempts) < 3:
            raise ValueError
        return x

    assert flaky.submit(1).result(10) == 1
    assert len(attempts) == 3


@pytest.mark.parametrize("hints", [{}, {"backend": "threads"}, {"backend": "processes"}], ids=str)
def test_asubmit_can_be_awaited(hints: dict[str, Any]) -> None:
    """`asubmit` gives an awaitable of the result."""

    async def main() -> list[int]:
        f = affine.options(**hints)
        return list(await asyncio.gather(*(f.asubmit(x, offset=1) for x in range(5))))

    assert asyncio.run(main()) == [1, 3, 5, 7, 9]


def test_asubmit_of_a_coroutine_function_runs_on_the_callers_loop() -> None:
    """`asubmit` of an `async def` is a task of the running loop."""

    @parallel
    async def loop_of(x: int) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def main() -> None:
        assert await async_square.asubmit(3) == 9
        assert await loop_of.asubmit(1) is asyncio.get_running_loop()

    asyncio.run(main())


def test_asubmit_raises_the_calls_exception() -> None:
    """Awaiting a failed call raises its exception."""

    async def main() -> None:
        with pytest.raises(ValueError, match="bad item"):
            await fails.asubmit(3)
        with pytest.raises(KeyError):
            await parallel(_afail).asubmit(1)

    asyncio.run(main())


def test_asubmit_needs_a_running_loop() -> None:
    """`asubmit` outside of asynchronous code says that no loop is running."""
    with pytest.raises(RuntimeError, match="no running event loop"):
        square.asubmit(1)
    with pytest.raises(RuntimeError, match="no running event loop"):
        async_square.asubmit(1)
