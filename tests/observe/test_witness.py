"""The witness sees what one call changed, wherever that is kept, and nothing where the call changed nothing."""

from __future__ import annotations

import contextvars
import decimal
import os
import random
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from autopar._effects import analyse
from autopar._model.effects import EffectKind as E
from autopar._model.own_work import OWN_WORK
from autopar._observe.witness import ALL, ONE, Witness
from tests.ids import named

seen: list[Any] = []
table = {"a": [1]}
number = 0
variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)


def helper(x: Any, kept: list[Any] = []) -> None:  # noqa: B006
    kept.append(x)


def keyworded(x: Any, *, kept: list[Any] = []) -> None:  # noqa: B006
    kept.append(x)


def closed_over() -> Callable[[Any], None]:
    cell: list[Any] = []

    def inner(x: Any) -> None:
        cell.append(x)

    return inner


closed = closed_over()


class Counter:
    """Counts in itself and in its class; holds a lock, which does not pickle."""

    count = 0
    names: list[Any] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.n = 0

    def add(self, x: Any) -> None:
        self.n += 1

    def count_all(self, x: Any) -> None:
        type(self).count += 1

    def name(self, x: Any) -> None:
        self.names.append(x)

    def mark(self, x: Any) -> None:
        type(self).marked = x  # type: ignore[attr-defined]

    def __call__(self, x: Any) -> None:
        self.n += 1


counter = Counter()


def writes_global(x: Any) -> None:
    global number
    number += 1


def calls_counter(x: Any) -> None:
    counter.add(x)


def sets_attribute(x: Any) -> None:
    helper.calls = x  # type: ignore[attr-defined]


def sets_variable(x: Any) -> None:
    variable.set(x)


def sets_precision(x: Any) -> None:
    decimal.getcontext().prec += 1


def decorated(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def wrapper(x: Any) -> Any:
        return function(x)

    return wrapper


def through_helpers(x: Any) -> None:
    def deep() -> None:
        closed(x)

    deep()


CHANGES: list[tuple[Callable[[Any], Any], E, str]] = [
    (lambda x: seen.append(x), E.WRITES_GLOBAL, "global 'seen'"),
    (lambda x: table["a"].append(x), E.WRITES_GLOBAL, "global 'table'"),
    (writes_global, E.WRITES_GLOBAL, "global 'number'"),
    (lambda x: helper(x), E.WRITES_DEFAULT, "a default of helper()"),
    (lambda x: keyworded(x), E.WRITES_DEFAULT, "a default of keyworded()"),
    (helper, E.WRITES_DEFAULT, "a default"),
    (closed, E.WRITES_CLOSURE, "closure variable 'cell'"),
    (lambda x: closed(x), E.WRITES_CLOSURE, "closure variable 'cell' of closed()"),
    (through_helpers, E.WRITES_CLOSURE, "closure variable 'cell' of closed()"),
    (decorated(decorated(closed)), E.WRITES_CLOSURE, "closure variable 'cell' of inner()"),
    (sets_attribute, E.WRITES_SHARED, "an attribute of helper()"),
    (counter.add, E.WRITES_SELF, "its own object"),
    (counter, E.WRITES_SELF, "its own object"),
    (calls_counter, E.WRITES_GLOBAL, "global 'counter'"),
    (counter.count_all, E.WRITES_SHARED, "class attribute Counter.count"),
    (counter.name, E.WRITES_SHARED, "class attribute Counter.names"),
    (counter.mark, E.WRITES_SHARED, "the attributes of class Counter"),
    (lambda x: counter.name(x), E.WRITES_SHARED, "class attribute Counter.names"),
    (lambda x: random.random(), E.RANDOM, "random"),
    (lambda x: os.environ.update(AUTOPAR_WITNESS=str(x)), E.PROCESS_STATE, "os.environ"),
    (lambda x: sys.path.append("nowhere"), E.PROCESS_STATE, "sys.path"),
    (lambda x: os.chdir("/"), E.PROCESS_STATE, "the working folder"),
    (sets_variable, E.CONTEXT, "a context variable"),
    (sets_precision, E.CONTEXT, "the decimal context"),
]


def changes_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, E]:
    """What a call of the function is seen to change."""
    witness = Witness(function, args, kwargs, analyse(function).reads)
    function(*args, **kwargs)
    return {effect.what.removesuffix(", seen to change while it ran"): effect.kind for effect in witness.changes()}


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Put back what the calls change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOPAR_WITNESS", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    vars(helper).clear()
    state, count = random.getstate(), Counter.count
    with decimal.localcontext():
        yield
    random.setstate(state)
    Counter.count = count
    if "marked" in vars(Counter):
        del Counter.marked  # type: ignore[attr-defined]


@pytest.mark.parametrize(("function", "kind", "what"), CHANGES, ids=[what for _, _, what in CHANGES])
def test_a_change_is_seen_where_it_is_kept(function: Callable[..., Any], kind: E, what: str) -> None:
    """The change is found, with its kind and its place."""
    found = contextvars.copy_context().run(changes_of, function, 7)
    assert found.get(what) is kind, found


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, bytearray(b"a"), counter, [lambda: 1], {"a": closed}], ids=named)
def test_a_changed_argument_is_seen(value: Any) -> None:
    """Also of an object that does not pickle."""

    def change(x: Any, other: Any = None) -> None:
        if isinstance(x, Counter):
            x.n += 1
        else:
            x.clear()

    assert E.WRITES_ARGUMENT in changes_of(change, value).values()


def test_an_argument_by_name_is_seen() -> None:
    """Broadcast arguments are watched as the others are."""
    into: list[Any] = []
    assert changes_of(lambda x, into: into.append(x), 1, into=into) == {"argument 'into'": E.WRITES_ARGUMENT}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: [x, number, len(table["a"]), counter.n, Counter.count],
        lambda x: Decimal(1) / 3,
        lambda x: random.Random(1).random(),
        lambda x: sorted([x, 2]),
        lambda x: helper.__name__,
        lambda x: variable.get(),
    ],
    ids=["reads", "decimal", "own random", "sorts", "function", "context"],
)
def test_a_call_that_changes_nothing_shows_nothing(function: Callable[..., Any]) -> None:
    """Reading is no change, nor is the flag that a calculation sets."""
    assert changes_of(function, 1) == {}


def test_what_is_too_large_is_left_to_the_analysis() -> None:
    """Objects past the budget are not compared, and those behind them still are."""
    large, small = ["x" * 100] * 1 + list(range(ONE)), [1]
    assert changes_of(lambda a, b: (a.append(1), b.append(1)), large, small) == {"argument 2": E.WRITES_ARGUMENT}


def test_the_budget_is_that_of_a_call() -> None:
    """Many objects of medium size use it up."""
    medium = [[str(i) * 50 for i in range(400)] for _ in range(4 * ALL // ONE)]
    found = changes_of(lambda *rows: [row.append("") for row in rows], *medium)
    assert 0 < len(found) < len(medium)


@pytest.mark.parametrize("change", CHANGES[-6:-2], ids=["random", "os.environ", "sys.path", "folder"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside", "alone"])
def test_what_a_thread_of_autopars_own_may_have_changed_is_unclear(
    change: tuple[Callable[[Any], Any], E, str], beside: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A change to the whole process is the item's only if nothing of autopar's own was at work meanwhile."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("AUTOPAR_WITNESS", "before")
    function, kind, what = change
    witness = Witness(function, (1,), {})
    if beside:
        with OWN_WORK.under_way():
            pass
    function(1)
    found = witness.changes()
    assert [(effect.kind, what in str(effect)) for effect in (witness.unclear if beside else found)] == [(kind, True)]
    assert not (found if beside else witness.unclear)


def test_what_only_the_item_can_reach_is_its_own_doing_whoever_works_beside() -> None:
    """Arguments and globals no thread of autopar's own writes to."""
    with OWN_WORK.under_way():
        witness = Witness(CHANGES[0][0], (1,), {})
        CHANGES[0][0](1)
        assert [effect.kind for effect in witness.changes()] == [CHANGES[0][1]]
    assert not witness.unclear
