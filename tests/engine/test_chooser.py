"""Which of Python and a compiled form runs a call: by what real calls take, for each size of arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autopar._engine.chooser import TIMED, Chosen, size_class
from autopar._model.compiler import Counters

SLOW, QUICK = 10e-3, 1e-3


class Clock:
    """Time that calls let pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Form:
    """A compiled form of a function that says how often it was called, and takes so long."""

    compiler, certain, types, types_text, pure, holds_gil = "numba", False, (), "compiled", True, False

    def __init__(self, clock: Clock, python: float, compiled: float, *, ends: bool = True) -> None:
        self.counters = Counters()
        self.withdrawn, self.notes = "", ()
        self.python_seconds: float | None = None
        self.otherwise: Any = None
        self.listener: Callable[..., object] | None = None
        self.calls = self.in_python = 0
        self._clock, self._python, self._compiled, self._ends = clock, python, compiled, ends
        self.call: Callable[..., Any] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._clock.now += self._compiled
        self.calls += self._ends
        return args

    def function(self, *args: Any, **kwargs: Any) -> Any:
        """Do it in Python."""
        self._clock.now += self._python
        self.in_python += 1
        return args

    def __autopar_block__(self, items: Any, star: bool, kwargs: Any, out: list[Any], /) -> bool:
        """Run many at once."""
        self.calls += len(items)
        out += items
        return True

    def withdraw(self, reason: str) -> None:
        """Run no more."""
        self.withdrawn = reason
        if self.listener is not None:
            self.listener(self.function)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The chooser's time, which is the forms' own."""
    made = Clock()
    monkeypatch.setattr("autopar._engine.chooser.time.perf_counter", made)
    return made


def chosen(form: Any, kept: dict[int, str] | None = None) -> Chosen:
    """The form behind a chooser that remembers in a dict."""
    memory = {} if kept is None else kept
    return Chosen(form, recall=lambda size: memory.get(size, ""), remember=memory.__setitem__)


@pytest.mark.parametrize(
    ("python", "compiled", "winner"),
    [
        (SLOW, QUICK, "numba"),
        (QUICK, SLOW, "python"),
        (QUICK, QUICK, "python"),
        (QUICK, 0.98 * QUICK, "python"),
        (QUICK, 0.9 * QUICK, "numba"),
    ],
)
def test_the_quicker_way_is_taken_once_both_were_timed(
    clock: Clock, python: float, compiled: float, winner: str
) -> None:
    """Each call gives its result, whoever ran it; where both are alike the function stays as it is."""
    form, kept = Form(clock, python, compiled), dict[int, str]()
    way = chosen(form, kept)
    for _ in range(20):
        assert way(1, 1) == (1, 1)
    size = size_class((1, 1), {})
    assert kept[size] == winner
    before = form.calls, form.in_python
    assert way(1, 1) == (1, 1)
    assert (form.calls - before[0], form.in_python - before[1]) == ((1, 0) if winner == "numba" else (0, 1))


def test_trials_are_few(clock: Clock) -> None:
    """Python's calls are timed no more often than the form's, and then no call is timed."""
    form = Form(clock, SLOW, QUICK)
    way = chosen(form)
    for _ in range(50):
        way(1)
    assert form.in_python == TIMED
    assert "numba: 1,000 us a call in numba code, 10,000 us in Python" in next(iter(way.verdicts.values()))


def test_each_size_is_judged_by_itself(clock: Clock) -> None:
    """What is quicker for few elements need not be so for many."""
    form = Form(clock, SLOW, QUICK)
    kept: dict[int, str] = {}
    way = chosen(form, kept)
    for _ in range(20):
        way([0] * 10)
    form._python, form._compiled = QUICK, SLOW
    for _ in range(20):
        way([0] * 10_000)
    assert sorted(kept.values()) == ["numba", "python"]
    assert way.in_python(([0] * 10_000,), {})
    assert not way.in_python(([0] * 10,), {})


def test_an_earlier_process_need_not_be_repeated(clock: Clock) -> None:
    """What was kept for a size is taken at once, with no trial."""
    form = Form(clock, SLOW, QUICK)
    way = chosen(form, {size_class((5,), {}): "numba"})
    way(5)
    assert (form.calls, form.in_python) == (1, 0)


def test_an_earlier_choice_of_python_is_measured_again(clock: Clock) -> None:
    """A machine that was busy then need not be so now."""
    form = Form(clock, SLOW, QUICK)
    kept = {size_class((5,), {}): "python"}
    way = chosen(form, kept)
    for _ in range(20):
        way(5)
    assert not way.in_python((5,), {})


def test_a_form_that_never_ends_a_call_is_not_chosen(clock: Clock) -> None:
    """Calls that leave compiled code have taken its time and Python's."""
    form = Form(clock, SLOW, QUICK, ends=False)
    way = chosen(form)
    for _ in range(40):
        way(1)
    assert way.in_python((1,), {})


def test_a_short_call_that_stays_in_python_is_left_alone(clock: Clock) -> None:
    """Where looking at the size would cost more than a few per cent, the form is given up."""
    form = Form(clock, 1e-6, 2e-6)
    way = chosen(form)
    told: list[Any] = []
    way.listener = told.append
    for _ in range(40):
        way(1)
    assert "measured" in way.withdrawn
    assert told == [form.function]
    assert way.call == form.function


def test_a_form_that_is_withdrawn_is_not_called_again(clock: Clock) -> None:
    """Its reason is the chooser's too, and calls run in Python."""
    form = Form(clock, SLOW, QUICK)
    way = chosen(form)
    for _ in range(20):
        way(1)
    before = form.calls
    way.withdraw("a global has changed")
    assert way(1) == (1,)
    assert (form.calls, way.withdrawn) == (before, "a global has changed")


@pytest.mark.parametrize(
    ("args", "kwargs", "larger"),
    [(([0] * 10,), {}, ([0] * 100,)), ((10,), {}, (10_000,)), (("x" * 9,), {"b": 1}, ("x" * 999,))],
)
def test_sizes_are_told_apart(args: Any, kwargs: Any, larger: Any) -> None:
    """By lengths and by integers, to a factor of two."""
    assert size_class(args, kwargs) < size_class(larger, kwargs)
    assert size_class(args, kwargs) == size_class(args, kwargs)


def test_a_block_runs_once_all_of_its_sizes_are_settled_for_the_form(clock: Clock) -> None:
    """Before that, and where Python runs one of the sizes, items are called one by one."""
    form = Form(clock, SLOW, QUICK)
    choice, out = chosen(form), list[Any]()
    assert not choice.__autopar_block__([3, 3], False, {}, out)
    for _ in range(2 * TIMED):
        choice.call(3)
    assert choice.__autopar_block__([3, 3], False, {}, out)
    assert choice.__autopar_block__([(2,), (3,)], True, {}, out)
    assert not choice.__autopar_block__([3, 1000], False, {}, out)
    form.withdraw("it differs")
    assert not choice.__autopar_block__([3, 3], False, {}, out)
    assert out == [3, 3, (2,), (3,)]
