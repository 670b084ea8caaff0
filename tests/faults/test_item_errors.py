"""Exceptions of items: the first in input order decides, and it arrives as the loop would have raised it."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path
from typing import Any

import pytest

from autopar import parallel
from tests.faults.items import (
    BAD,
    ERRORS,
    ITEMS,
    HoldsALockError,
    KeywordOnlyError,
    NeedsTwoError,
    SlottedError,
    async_counted,
    async_fails,
    attempts,
    counted,
    fails,
    fails_from,
    local_error,
)
from tests.routes import adrained

pytestmark = pytest.mark.timeout(30)


def visible(error: BaseException) -> dict[str, Any]:
    return {name: value for name, value in vars(error).items() if name != "__notes__"}


def note(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", ()))


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_arrives_as_itself(route: dict[str, Any], kind: str) -> None:
    """Type, args, attributes and text are those of the exception that the item raised."""
    expected = ERRORS[kind]()
    with pytest.raises(type(expected)) as caught:
        fails.map(range(ITEMS), kind=kind, **route)
    error = caught.value
    assert type(error) is type(expected)
    assert str(error) == str(expected)
    assert repr(error.args) == repr(expected.args)
    assert repr(visible(error)) == repr(visible(expected))
    assert f"item {BAD} " in note(error)


@pytest.mark.parametrize("kind", ["value", "two-arguments", "keyword-only", "group", "stop-iteration", "system-exit"])
def test_imap_raises_after_the_results_before_it(route: dict[str, Any], kind: str) -> None:
    """`imap` hands out what came before, then raises the item's own exception."""
    expected = ERRORS[kind]()
    results = fails.imap(range(ITEMS), kind=kind, **route)
    before = [next(results) for _ in range(BAD)]
    assert before == list(range(BAD))
    with pytest.raises((type(expected), RuntimeError)) as caught:
        next(results)
    error = caught.value
    if isinstance(expected, StopIteration):
        # An iterator that raised StopIteration would seem to have ended: PEP 479's way out.
        assert type(error) is RuntimeError
        assert isinstance(error.__cause__, StopIteration)
    else:
        assert type(error) is type(expected)
        assert f"item {BAD} " in note(error)
    assert list(results) == []


def test_the_first_failing_item_in_input_order_decides(route: dict[str, Any]) -> None:
    """Of several failing items the first in input order is raised, whichever failed first."""
    with pytest.raises(ValueError, match=r"(?m)^item 3$"):
        fails_from.map(range(40), **route)


def test_a_slow_early_failure_beats_a_quick_late_one() -> None:
    """An earlier item that fails last still decides."""
    import threading

    late_has_failed = threading.Event()

    def item(x: int) -> int:
        if x == 0:
            assert late_has_failed.wait(10)
            raise ValueError("early")
        late_has_failed.set()
        raise KeyError("late")

    with pytest.raises(ValueError, match="early"):
        parallel(item, backend="threads", workers=2, chunksize=1, thread_safe=True, pure=True).map(range(2))


def test_attributes_of_the_exception_travel(route: dict[str, Any]) -> None:
    """Attributes set by the exception's own __init__ arrive."""
    with pytest.raises(NeedsTwoError) as caught:
        fails.map(range(ITEMS), kind="two-arguments", **route)
    assert (caught.value.code, caught.value.reason) == (7, "because")
    with pytest.raises(KeywordOnlyError) as other:
        fails.map(range(ITEMS), kind="keyword-only", **route)
    assert other.value.code == 7


def test_fields_of_built_in_exceptions_travel(route: dict[str, Any]) -> None:
    """`errno` and filename of an OSError arrive."""
    with pytest.raises(FileNotFoundError) as caught:
        fails.map(range(ITEMS), kind="os", **route)
    assert (caught.value.errno, caught.value.filename) == (2, "missing.txt")


def test_the_chain_of_an_exception_travels(route: dict[str, Any]) -> None:
    """`raise ... from` keeps its cause."""
    with pytest.raises(ValueError, match="outer") as caught:
        fails.map(range(ITEMS), kind="chained", **route)
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.__cause__.args == ("inner",)


def test_an_exception_group_travels(route: dict[str, Any]) -> None:
    """Members of an exception group arrive, with their attributes."""
    with pytest.raises(ExceptionGroup) as caught:
        fails.map(range(ITEMS), kind="group", **route)
    one, two = caught.value.exceptions
    assert one.args == (1,)
    assert isinstance(two, NeedsTwoError)
    assert two.reason == "two"


def test_the_traceback_shows_the_line_of_the_item(route: dict[str, Any]) -> None:
    """The traceback leads into the user's function, wherever it ran."""
    with pytest.raises(ValueError, match="bad item") as caught:
        fails.map(range(ITEMS), **route)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert any(frame.name == "fails" and frame.filename.endswith("items.py") for frame in frames)


def test_an_exception_of_a_local_class_arrives(route: dict[str, Any]) -> None:
    """A class that no other process can import is no obstacle."""

    def item(x: int) -> int:
        if x == BAD:
            raise local_error("local")
        return x

    with pytest.raises(Exception, match=r"(?m)^local$") as caught:
        parallel(item, pure=True).map(range(ITEMS), **route)
    assert type(caught.value).__name__ == "LocalError"
    assert f"item {BAD} " in note(caught.value)


def test_an_exception_that_holds_a_lock_arrives(route: dict[str, Any]) -> None:
    """What does not pickle in an exception does not cost its type and message."""

    def item(x: int) -> int:
        if x == BAD:
            raise HoldsALockError("locked")
        return x

    with pytest.raises(HoldsALockError, match=r"(?m)^locked$"):
        parallel(item, pure=True).map(range(ITEMS), **route)


def test_an_exception_with_slots_arrives(route: dict[str, Any]) -> None:
    """Attributes in slots travel as well as those in __dict__."""

    def item(x: int) -> int:
        if x == BAD:
            raise SlottedError("slotted", 7)
        return x

    with pytest.raises(SlottedError, match=r"(?m)^slotted$") as caught:
        parallel(item, pure=True).map(range(ITEMS), **route)
    assert caught.value.code == 7


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind != "stop-iteration"])
def test_an_error_of_a_coroutine_arrives_as_itself(async_route: dict[str, Any], kind: str) -> None:
    """Coroutine functions raise what they raised."""
    expected = ERRORS[kind]()
    with pytest.raises(type(expected)) as caught:
        async_fails.map(range(ITEMS), kind=kind, **async_route)
    assert type(caught.value) is type(expected)
    assert repr(caught.value.args) == repr(expected.args)


@pytest.mark.parametrize("kind", ["value", "chained", "timeout", "group", "system-exit"])
def test_an_error_of_a_coroutine_names_its_item(async_route: dict[str, Any], kind: str) -> None:
    """The note on an exception of a coroutine has the index of the item."""
    with pytest.raises(type(ERRORS[kind]())) as caught:
        async_fails.map(range(ITEMS), kind=kind, **async_route)
    assert f"item {BAD} " in note(caught.value)


def test_an_error_inside_a_running_loop_has_its_note() -> None:
    """`amap` and aimap name the item that failed."""

    async def main() -> None:
        with pytest.raises(ValueError, match="bad item") as caught:
            await async_fails.amap(range(ITEMS))
        assert f"item {BAD} " in note(caught.value)
        with pytest.raises(ValueError, match="bad item") as caught:
            await fails.amap(range(ITEMS))
        assert f"item {BAD} " in note(caught.value)
        seen, error = await adrained(async_fails.aimap(range(ITEMS)))
        assert seen == list(range(BAD))
        assert isinstance(error, ValueError)
        assert f"item {BAD} " in note(error)

    asyncio.run(main())


# -- on_error


def test_on_error_return_puts_the_exception_in_its_place(route: dict[str, Any]) -> None:
    """With on_error="return" exceptions are results, in their order."""
    results: list[Any] = fails_from.map(range(ITEMS), first=5, on_error="return", **route)
    assert results[:5] == [0, 1, 2, 3, 4]
    assert [str(error) for error in results[5:]] == ["item 5", "item 6", "item 7"]
    assert all(type(error) is ValueError for error in results[5:])
    assert "item 5 " in note(results[5])


def test_on_error_callable_gives_the_result(route: dict[str, Any]) -> None:
    """A callable gets the exception and the item, in the caller's thread, and answers for it."""
    seen: list[tuple[str, Any]] = []

    def answer(error: Exception, item: Any) -> str:
        seen.append((str(error), item))
        return f"-{item}"

    results = fails_from.map(range(ITEMS), first=6, on_error=answer, **route)
    assert results == [0, 1, 2, 3, 4, 5, "-6", "-7"]
    assert sorted(seen) == [("item 6", 6), ("item 7", 7)]


def test_an_error_of_on_error_ends_the_map(route: dict[str, Any]) -> None:
    """What the on_error callable raises is raised."""

    def answer(error: Exception, item: Any) -> Any:
        raise KeyError("from on_error") from error

    with pytest.raises(KeyError, match="from on_error"):
        fails.map(range(ITEMS), on_error=answer, **route)


@pytest.mark.parametrize("kind", ["keyboard-interrupt", "system-exit"])
def test_on_error_does_not_swallow_exits(route: dict[str, Any], kind: str) -> None:
    """on_error concerns Exceptions, not KeyboardInterrupt or SystemExit."""
    with pytest.raises(type(ERRORS[kind]())):
        fails.map(range(ITEMS), kind=kind, on_error="return", **route)


def test_on_error_works_for_iterators(route: dict[str, Any]) -> None:
    """`imap` and imap_unordered know on_error too."""
    assert list(fails_from.imap(range(5), first=4, on_error=lambda error, item: -item, **route)) == [0, 1, 2, 3, -4]
    found = dict(fails_from.imap_unordered(range(5), first=4, on_error="return", **route))
    assert str(found.pop(4)) == "item 4"
    assert found == {0: 0, 1: 1, 2: 2, 3: 3}


def test_on_error_works_for_coroutines(async_route: dict[str, Any]) -> None:
    """on_error answers for failing coroutines as well."""
    results: list[Any] = async_fails.map(range(5), on_error="return", **async_route)
    assert results[:3] + results[4:] == [0, 1, 2, 4]
    assert type(results[3]) is ValueError
    assert async_fails.map(range(5), on_error=lambda e, x: -x, **async_route) == [0, 1, 2, -3, 4]


# -- retries


def test_retries_run_a_failing_item_again(route: dict[str, Any], tmp_path: Path) -> None:
    """An item that fails twice succeeds at the third attempt of retries=2."""
    assert counted.map(range(ITEMS), folder=str(tmp_path), failures=2, retries=2, pure=True, **route) == [*range(ITEMS)]
    assert attempts(tmp_path) == 3


def test_retries_end_with_the_last_error(route: dict[str, Any], tmp_path: Path) -> None:
    """retries=1 makes two attempts and raises the second error."""
    with pytest.raises(ValueError, match=r"(?m)^attempt 1$"):
        counted.map(range(ITEMS), folder=str(tmp_path), failures=9, retries=1, pure=True, **route)
    assert attempts(tmp_path) == 2


def test_without_retries_an_item_runs_once(route: dict[str, Any], tmp_path: Path) -> None:
    """No item is tried again unless told."""
    with pytest.raises(ValueError, match=r"(?m)^attempt 0$"):
        counted.map(range(ITEMS), folder=str(tmp_path), failures=9, pure=True, **route)
    assert attempts(tmp_path) == 1


def test_retries_of_a_coroutine(async_route: dict[str, Any], tmp_path: Path) -> None:
    """Failing coroutines are tried again as often."""
    assert async_counted.map(range(5), folder=str(tmp_path), failures=2, retries=2, **async_route) == [*range(5)]
    assert attempts(tmp_path) == 3
    with pytest.raises(ValueError, match=r"(?m)^attempt 4$"):
        async_counted.map(range(5), folder=str(tmp_path), failures=9, retries=1, **async_route)


def test_retries_then_on_error(route: dict[str, Any], tmp_path: Path) -> None:
    """on_error answers after the last attempt."""
    results = counted.map(
        range(5), folder=str(tmp_path), failures=9, retries=1, on_error=lambda e, x: str(e), pure=True, **route
    )
    assert results == [0, 1, 2, "attempt 1", 4]


def test_on_error_is_called_in_input_order_for_coroutines() -> None:
    """Coroutines fail in any order; they are answered for in that of their items, as are those of `imap`."""

    async def item(x: int) -> int:
        await asyncio.sleep((3 - x) / 100)
        raise ValueError(x)

    seen: list[int] = []

    def answer(error: Exception, x: int) -> int:
        seen.append(x)
        if x == 3:
            raise KeyError("from on_error")
        return -x

    mapped = parallel(item, backend="asyncio", on_error=answer)
    assert mapped.map(range(3)) == [0, -1, -2]
    assert list(mapped.imap(range(3))) == [0, -1, -2]
    assert seen == [0, 1, 2, 0, 1, 2]
    with pytest.raises(KeyError, match="from on_error"):
        mapped.map(range(5))
