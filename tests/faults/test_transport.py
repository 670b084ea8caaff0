"""What does not travel to a worker process: named at once where processes are demanded, no obstacle elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar.errors import TransportError
from tests.api.functions import spend
from tests.faults.items import BAD, ITEMS, ExitsWhilePickled, WontPickle, WontUnpickle, kind_of, makes, marks

pytestmark = pytest.mark.timeout(30)


def mixed(odd: Any) -> list[Any]:
    items: list[Any] = list(range(ITEMS))
    items[BAD] = odd
    return items


NAMES = ["int"] * BAD


@pytest.mark.parametrize(
    ("odd", "cause"),
    [
        (WontPickle(), "WontPickle does not travel"),
        (ExitsWhilePickled(), "SystemExit"),
        (threading.Lock(), "cannot pickle"),
        (WontUnpickle(), "this was not to be unpickled"),
    ],
    ids=["raises", "exits", "lock", "unpickling"],
)
@pytest.mark.parametrize("chunksize", [None, 1, 4])
def test_a_demand_names_the_argument_that_does_not_travel(odd: Any, cause: str, chunksize: int | None) -> None:
    """With backend="processes" an argument that does not pickle is a TransportError with its index."""
    with pytest.raises(TransportError, match=rf"(?s)item {BAD}.*{cause}") as caught:
        kind_of.map(mixed(odd), backend="processes", chunksize=chunksize)
    assert caught.value.index == BAD
    assert caught.value.about == "item"
    assert isinstance(caught.value, TypeError)


def test_items_before_the_one_that_does_not_travel_are_kept() -> None:
    """`imap` hands out the results before the item that does not travel."""
    results = kind_of.imap(mixed(WontPickle()), backend="processes")
    assert [next(results) for _ in range(BAD)] == NAMES
    with pytest.raises(TransportError, match=f"item {BAD}"):
        next(results)


def test_on_error_answers_for_what_does_not_travel() -> None:
    """on_error="return" puts the TransportError in the place of its item, and the others are right."""
    results: list[Any] = kind_of.map(mixed(WontPickle()), backend="processes", on_error="return")
    assert results[:BAD] + results[BAD + 1 :] == ["int"] * (ITEMS - 1)
    assert isinstance(results[BAD], TransportError)
    assert results[BAD].index == BAD


@pytest.mark.parametrize("chunksize", [None, 1, 4])
def test_a_demand_names_the_result_that_does_not_travel(chunksize: int | None) -> None:
    """With backend="processes" a result that does not pickle is a TransportError with its index."""
    with pytest.raises(TransportError, match=rf"(?s)item {BAD}.*WontPickle does not travel") as caught:
        makes.map(range(ITEMS), backend="processes", chunksize=chunksize)
    assert caught.value.index == BAD
    assert caught.value.about == "result"


@pytest.mark.parametrize("what", [WontUnpickle, ExitsWhilePickled], ids=["unpickling", "exits"])
def test_a_result_that_breaks_while_it_travels_is_named(what: type) -> None:
    """A result whose own code raises on the way is a TransportError with its index, and the pool survives it."""
    with pytest.raises(TransportError, match=f"item {BAD}") as caught:
        makes.map(range(ITEMS), what=what, backend="processes", chunksize=1)
    assert caught.value.index == BAD
    assert kind_of.map([1], backend="processes") == ["int"]


def test_a_result_among_others_of_its_chunk_that_breaks_here_is_named() -> None:
    """The index is right too if the result shares a chunk with good ones and fails to unpickle here."""
    with pytest.raises(TransportError) as caught:
        makes.map(range(ITEMS), what=WontUnpickle, backend="processes", chunksize=ITEMS)
    assert caught.value.index == BAD


@pytest.mark.parametrize("what", [WontPickle, WontUnpickle], ids=["pickling", "unpickling"])
def test_on_error_answers_for_a_result_that_does_not_travel(what: type, tmp_path: Path) -> None:
    """With on_error="return" the error takes the place of the result, and no item runs twice for it."""
    results: list[Any] = marks.map(
        range(ITEMS), folder=str(tmp_path), what=what, backend="processes", chunksize=ITEMS, on_error="return"
    )
    assert results[:BAD] + results[BAD + 1 :] == [x for x in range(ITEMS) if x != BAD]
    assert isinstance(results[BAD], TransportError)
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == [str(x) for x in range(ITEMS)]


def test_a_function_that_does_not_travel_is_named_at_once() -> None:
    """With backend="processes" a function that captures a lock is a TransportError that names it."""
    lock = threading.Lock()

    def locks(x: int) -> int:
        return x if lock else -x

    with pytest.raises(TransportError, match=r"(?s)function .*locks.*cannot be pickled.*lock") as caught:
        parallel(locks, pure=True).map(range(ITEMS), backend="processes")
    assert caught.value.about == "function"


def test_a_keyword_argument_that_does_not_travel_is_named_at_once() -> None:
    """Broadcast arguments are part of the function's journey."""
    with pytest.raises(TransportError, match="WontPickle does not travel"):
        ap.map(lambda x, y: x, [1, 2], y=WontPickle(), backend="processes", pure=True)


def test_submit_names_an_argument_that_does_not_travel() -> None:
    """`submit` to a demanded process raises or delivers a TransportError."""
    with pytest.raises(TransportError, match="WontPickle does not travel"):
        kind_of.options(backend="processes").submit(WontPickle()).result(10)


def test_a_chosen_backend_falls_back_for_an_argument(choose_only: Callable[[str], None]) -> None:
    """Processes that the planner chose are left for an argument that does not pickle; the answer is the loop's."""
    choose_only("processes")
    items = [0, *(WontPickle(n) for n in range(40))]
    assert kind_of.map(items) == ["int", *["WontPickle"] * 40]
    decision = kind_of.decisions[-1]
    assert any("cannot be pickled for a worker process: TypeError" in said for said in decision.fallbacks), decision


def test_a_chosen_backend_falls_back_for_an_argument_that_breaks_in_the_worker(
    choose_only: Callable[[str], None],
) -> None:
    """Neither is an argument that only fails to unpickle in the worker an obstacle."""
    choose_only("processes")
    items = mixed(WontUnpickle()) * 3
    assert kind_of.map(items) == [type(item).__name__ for item in items]


def test_a_chosen_backend_falls_back_for_a_result(choose_only: Callable[[str], None]) -> None:
    """A result that does not pickle is made again here, where it need not travel."""
    choose_only("processes")
    results = makes.map(range(200), bad=150)
    assert [type(value).__name__ for value in results[145:155]] == ["int"] * 5 + ["WontPickle"] + ["int"] * 4
    assert results[:150] == list(range(150))


def test_a_chosen_backend_falls_back_for_a_function(choose_only: Callable[[str], None]) -> None:
    """A function that does not pickle runs here, and the decision says so."""
    choose_only("processes")
    lock = threading.Lock()

    def locks(x: int) -> int:
        spend()
        return x if lock else -x

    decorated = parallel(locks, pure=True)
    assert decorated.map(range(100)) == list(range(100))
    decision = decorated.decisions[-1]
    assert any("locks" in said for said in (*decision.fallbacks, *(r.because for r in decision.rejected)))


def test_the_result_is_made_once_where_it_may_not_be_made_twice(choose_only: Callable[[str], None]) -> None:
    """A function with effects of its own is never run again for the sake of a result that did not travel."""
    choose_only("processes")
    made: list[int] = []

    def remembers(x: int) -> Any:
        spend()
        made.append(x)
        return WontPickle(x)

    results = parallel(remembers).map(range(20))
    assert [result.value for result in results] == made == list(range(20))


def test_large_items_and_results_travel() -> None:
    """Megabytes pass the pipe in both directions."""
    data = bytes(3_000_000)
    assert ap.map(lambda x: x + b"!", [data, data], backend="processes", pure=True) == [data + b"!"] * 2


def test_a_class_inside_a_function_reads_globals() -> None:
    """What only the body of a class reads goes along with a function that goes by value."""

    def item(x: int) -> str:
        class Named:
            folder = os.sep

            class Inner:
                size = ITEMS

        return f"{Named.folder}{Named.Inner.size + x}"

    assert parallel(item, backend="processes").map([0, 1]) == [f"{os.sep}{ITEMS}", f"{os.sep}{ITEMS + 1}"]
