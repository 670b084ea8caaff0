"""``decisions`` and ``explain``: what was chosen and why, without any value of an argument."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar._model.decision import ENDED_EARLY
from tests.api.functions import Scaler, async_square, plain_square, square
from tests.faults.items import fails

pytestmark = pytest.mark.timeout(30)


def test_a_function_without_maps_has_no_decision(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first map there is nothing to explain, and explain says so."""
    function = parallel(plain_square)
    function(3)
    assert function.decisions == []
    assert "has not been mapped yet" in function.explain()


def test_each_map_adds_a_decision(route: dict[str, Any]) -> None:
    """Decisions are in order, newest last, with operation and number of items."""
    square.map(range(5), **route)
    square.starmap([(1,), (2,)], **route)
    list(square.imap(range(3), **route))
    list(square.imap_unordered(range(4), **route))
    decisions = square.decisions
    assert [(d.operation, d.items) for d in decisions] == [
        ("map", 5),
        ("starmap", 2),
        ("imap", 3),
        ("imap_unordered", 4),
    ]
    assert [d.number for d in decisions] == sorted(d.number for d in decisions)
    assert {d.function for d in decisions} == {"tests.api.functions.square"}


def test_a_decision_says_what_was_chosen_and_why(route: dict[str, Any]) -> None:
    """A decision has plan, reason, rejected rivals and times."""
    square.map(range(50), **route)
    decision = square.decisions[-1]
    assert decision.why
    assert decision.actual > 0
    assert decision.error == ""
    if "backend" in route:
        assert decision.plan.backend == route["backend"]
        if decision.why == ENDED_EARLY:
            # In the loop that is demanded, and before anything was compared: so it says nothing of rivals.
            assert route["backend"] == "serial"
            assert (decision.rejected, decision.predicted, decision.workload) == ((), None, None)
            assert decision.tried == ((decision.plan, 50),)
            return
        names = {rejected.plan.backend for rejected in decision.rejected}
        assert names >= {"serial", "threads", "processes", "asyncio"} - {route["backend"]}
        assert all(rejected.because for rejected in decision.rejected)


def test_a_failed_map_is_a_decision_too(route: dict[str, Any]) -> None:
    """The type of the exception is in the decision."""
    with pytest.raises(ValueError, match="bad item"):
        fails.map(range(8), **route)
    assert fails.decisions[-1].error == "ValueError"


def test_an_iterator_left_early_is_a_decision_too(route: dict[str, Any]) -> None:
    """Leaving imap early is no error."""
    results = square.imap(range(50), **route)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert square.decisions[-1].error == ""
    assert square.decisions[-1].operation == "imap"


def test_asynchronous_operations_are_decisions(async_route: dict[str, Any]) -> None:
    """Maps of coroutine functions are logged in the same way."""

    async def main() -> None:
        await async_square.amap(range(3), **async_route)
        await square.amap(range(3))
        async for _ in async_square.aimap(range(2), **async_route):
            pass

    asyncio.run(main())
    async_square.map(range(4), **async_route)
    assert [(d.operation, d.items) for d in async_square.decisions] == [("amap", 3), ("aimap", 2), ("map", 4)]
    assert [(d.operation, d.items) for d in square.decisions] == [("amap", 3)]


def test_submit_is_a_decision() -> None:
    """A submitted call is logged when it is done."""
    import threading

    logged = threading.Event()
    future = square.submit(3)
    future.add_done_callback(lambda _: logged.set())
    assert logged.wait(10)
    assert [(d.operation, d.items) for d in square.decisions] == [("submit", 1)]


def test_explain_prints_and_returns_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """`explain` prints what it returns: the function, the plan, the reason and the rivals."""
    square.map(range(5), backend="threads")
    said = square.explain()
    assert capsys.readouterr().out == said + "\n"
    assert said.startswith("tests.api.functions.square: map over 5 items")
    assert "demanded" in said
    assert "Not chosen:" in said
    assert len(repr(said)) < 60


def test_methods_share_the_decisions_of_their_function() -> None:
    """Decisions of a method are found from any object and from the class."""
    Scaler(1).scale.map([1])
    Scaler(2).scale.map([1, 2])
    assert [d.items for d in Scaler.scale.decisions] == [1, 2]
    assert [d.items for d in Scaler(3).scale.decisions] == [1, 2]


def test_two_functions_of_one_name_do_not_share_decisions() -> None:
    """Functions that only look alike are told apart."""

    def make(n: int) -> Any:
        def work(x: int) -> int:
            return x + n

        return parallel(work)

    one, two = make(1), make(2)
    one.map([1])
    two.map([1, 2])
    assert [d.items for d in one.decisions] == [1]
    assert [d.items for d in two.decisions] == [2]


def test_decisions_of_undecorated_functions_are_found_by_decorating_them() -> None:
    """ap.map logs under the function's name."""
    ap.map(plain_square, [1, 2, 3])
    assert [d.items for d in parallel(plain_square).decisions] == [3]


def test_no_argument_value_is_in_a_decision(route: dict[str, Any]) -> None:
    """Neither items nor results nor keyword arguments are written down."""
    canary = "canary-4711"
    parallel(str.__add__).map([canary] * 20, [canary] * 20, **route)
    with pytest.raises(KeyError):
        ap.map({}.__getitem__, [canary], **route)
    from autopar._engine.journal import decision_log

    assert canary not in repr(decision_log().all())


def test_the_items_of_all_parts_add_up(route: dict[str, Any]) -> None:
    """The plans that ran, with the items that each did, account for every item."""
    square.map(range(77), **route)
    decision = square.decisions[-1]
    assert sum(items for _, items in decision.tried) == decision.items == 77


def test_the_speedup_is_measured_against_the_plain_loop() -> None:
    """Where the items were timed alone there is an estimate of the plain loop."""
    square.map(range(30), compiler="python")
    decision = square.decisions[-1]
    assert decision.serial_estimate is not None
    assert decision.speedup == pytest.approx(decision.serial_estimate / decision.actual)


def test_the_decisions_of_all_functions_are_one_list() -> None:
    """`ap.decisions()` has the decisions of every function, newest last."""
    square.map([1])
    ap.map(plain_square, [1, 2])
    assert [(d.function.rpartition(".")[2], d.items) for d in ap.decisions()] == [("square", 1), ("plain_square", 2)]
