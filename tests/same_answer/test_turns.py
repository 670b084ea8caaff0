"""On threads a seeded item has the global random streams to itself, from its first draw to its last.

What waits is told to a switch, so that an item can go on in the middle of its draws exactly when another waits for the
streams, or has drawn from them.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextvars import Context
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar._backends import turns
from autopar._backends.turns import GivenUpError, Row, Turn, give_up_turns_of
from autopar._engine.functions import state_of
from autopar._engine.streams import may_draw
from autopar.errors import ItemTimeoutError

pytestmark = pytest.mark.timeout(60)


class Switch(threading.Condition):
    """A condition that tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__(threading.RLock())
        self.somebody = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.somebody.set()
        return super().wait(timeout)


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set once a thread waits for the streams, or has drawn from them in the middle of another's draws."""
    row = Row()
    row.changed = switch = Switch()
    monkeypatch.setattr(turns, "_first_row", row)
    yield switch.somebody
    assert row.holder is None
    assert not turns._turns_of_threads


def expected(seed: int, index: int, draws: int = 2) -> list[float]:
    """The first draws of an item, as a map in the loop has them."""

    def item(x: int) -> list[float]:
        return [random.random() for _ in range(draws)]

    results: list[list[float]] = ap.map(item, range(index + 1), seed=seed, backend="serial")
    return results[index]


@pytest.mark.parametrize("hints", [{}, {"timeout": 30.0}, {"backend": "threads"}], ids=str)
def test_calls_of_an_executor_do_not_draw_from_one_anothers_stream(
    hints: dict[str, Any], somebody: threading.Event
) -> None:
    """A call whose draws another call comes between draws the numbers that it draws alone."""
    begun = threading.Event()

    def draws(x: int) -> list[float]:
        first = random.random()
        if x == 0:
            begun.set()
            somebody.wait()
        second = random.random()
        somebody.set()
        return [first, second]

    alone = [expected(7, index) for index in range(2)]
    before = random.getstate()
    with ap.Executor(2, seed=7, **hints) as executor:
        one = executor.submit(draws, 0)
        begun.wait()
        two = executor.submit(draws, 1)
        assert [one.result(), two.result()] == alone
    assert random.getstate() == before


def test_maps_of_several_threads_do_not_draw_from_one_anothers_stream(somebody: threading.Event) -> None:
    """Nor do maps that threads of the program run at the same time."""
    begun = threading.Event()

    def draws(x: int) -> list[float]:
        first = random.random()
        if x == 10:
            begun.set()
            somebody.wait()
        second = random.random()
        if x == 20:
            somebody.set()
        return [first, second]

    alone, found = [expected(7, 0), expected(8, 0)], list[list[float]]()
    other = threading.Thread(target=lambda: found.extend(ap.map(draws, [10], seed=7)))
    other.start()
    begun.wait()
    here = ap.map(draws, [20], seed=8)
    other.join()
    assert [*found, *here] == alone


@pytest.mark.parametrize("lazily", [False, True])
def test_items_on_threads_draw_one_after_the_other(lazily: bool) -> None:
    """Not even with pure=True do such items overlap, nor do they run while the consumer of a lazy map draws."""
    under_way = set[int]()
    alone = threading.Event()
    alone.set()

    def draws(x: int) -> list[float]:
        under_way.add(x)
        first = random.random()
        if len(under_way) > 1 or not alone.is_set():
            return []
        second = random.random()
        under_way.remove(x)
        return [first, second]

    function = parallel(draws, seed=7, pure=True, backend="threads", workers=4)
    random.seed(1)
    own = [random.random() for _ in range(20)]
    random.seed(1)
    results, drawn = [], []
    for result in function.imap(range(20), buffersize=4) if lazily else function.map(range(20)):
        if lazily:
            alone.clear()
            drawn.append(random.random())
            alone.set()
        else:
            drawn.append(random.random())
        results.append(result)
    assert drawn == own
    assert results == [expected(7, index) for index in range(20)]


met = threading.Barrier(2)


def meets(x: int) -> int:
    met.wait()
    return x


def test_calls_that_do_not_draw_overlap_all_the_same() -> None:
    """What is known to draw nothing takes no turns: two calls that wait for each other come to their end."""
    assert not may_draw(state_of(meets).traits())
    with ap.Executor(2, seed=7) as executor:
        assert [future.result() for future in [executor.submit(meets, x) for x in range(2)]] == [0, 1]


def test_a_map_within_an_item_gives_the_items_stream_back(somebody: threading.Event) -> None:
    """A seeded map in the middle of a seeded item neither waits for it nor changes what it draws afterwards."""

    def inner(x: int) -> float:
        return random.random()

    def outer(x: int, backend: str) -> list[float]:
        first = random.random()
        within: list[float] = ap.map(inner, range(4), seed=9, backend=backend)
        assert within == [expected(9, index, 1)[0] for index in range(4)]
        return [first, random.random()]

    alone = [expected(7, index) for index in range(3)]
    for backend in ("serial", "threads"):
        assert ap.map(outer, range(3), backend=backend, seed=7) == alone
        with ap.Executor(2, seed=7) as executor:
            assert [executor.submit(outer, x, backend).result() for x in range(3)] == alone


@pytest.mark.parametrize("how", ["map", "executor"])
def test_an_item_that_is_given_up_gives_up_its_turn(how: str) -> None:
    """After its time an item that never ends keeps nobody from drawing, and the caller's state is as before."""
    gate = threading.Event()

    def draws(x: int) -> list[float]:
        if x == 1:
            gate.wait()
        return [random.random(), random.random()]

    before = random.getstate()
    try:
        if how == "map":
            results: list[Any] = parallel(draws, seed=7, timeout=0.2, on_error="return", backend="threads").map(
                range(3)
            )
        else:
            with ap.Executor(3, seed=7, timeout=0.2, on_error="return") as executor:
                results = [future.result() for future in [executor.submit(draws, x) for x in range(3)]]
        assert random.getstate() == before
        assert ap.map(draws, [0], seed=3) == [expected(3, 0)]
    finally:
        gate.set()
    assert type(results[1]) is ItemTimeoutError


class TestTurn:
    """One turn, without any map around it."""

    def test_the_streams_come_back(self) -> None:
        """What a chunk found is there again afterwards, also after an error."""
        before = random.getstate()

        def draw_and_fail() -> None:
            with Turn(1) as turn:
                turn.begin(0)
                raise KeyError

        with pytest.raises(KeyError):
            draw_and_fail()
        assert random.getstate() == before

    def test_a_turn_within_a_turn_of_the_same_thread_does_not_wait(self) -> None:
        """A finalizer that maps, in a context of its own or not, interrupts whoever has the streams."""
        with Turn(1) as turn:
            turn.begin(0)
            between = random.getstate()

            def again() -> None:
                with Turn(2) as inner:
                    inner.begin(0)

            again()
            Context().run(again)
            assert random.getstate() == between

    def test_who_is_given_up_while_it_waits_does_not_begin(self, somebody: threading.Event) -> None:
        """It leaves with an error, and the one that has the streams keeps them."""
        said = list[BaseException]()

        def wait() -> None:
            try:
                with Turn(2):
                    said.append(AssertionError("it had its turn"))
            except GivenUpError as error:
                said.append(error)

        with Turn(1) as turn:
            turn.begin(0)
            between = random.getstate()
            waiting = threading.Thread(target=wait)
            waiting.start()
            somebody.wait()
            assert waiting.ident is not None
            give_up_turns_of(waiting.ident)
            waiting.join()
            assert random.getstate() == between
        assert [type(error) for error in said] == [GivenUpError]

    def test_a_turn_that_was_taken_away_begins_no_further_item(self) -> None:
        """Others may have the streams by then."""
        before = random.getstate()
        with Turn(1) as turn:
            turn.begin(0)
            give_up_turns_of(threading.get_ident())
            assert random.getstate() == before
            with pytest.raises(GivenUpError):
                turn.begin(1)
        assert random.getstate() == before

    def test_who_does_not_draw_neither_waits_nor_keeps_others_waiting(self) -> None:
        """A lent turn is over as soon as somebody wants the streams, and is none where somebody has them."""
        before = random.getstate()

        def draw(found: list[float]) -> None:
            with Turn(1) as turn:
                turn.begin(0)
                found.append(random.random())

        def begin_beside() -> None:
            with Turn(2, lent=True) as beside:
                beside.begin(0)

        found = list[float]()
        with Turn(2, lent=True) as lent:
            lent.begin(0)
            other = threading.Thread(target=draw, args=(found,))
            other.start()
            other.join()
            assert random.getstate() == before
            lent.begin(1)
            assert random.getstate() == before
        assert found == [expected(1, 0)[0]]
        with Turn(1) as turn:
            turn.begin(0)
            between = random.getstate()
            beside = threading.Thread(target=begin_beside)
            beside.start()
            beside.join()
            assert random.getstate() == between
