"""`autopar.apply` gives what pandas' own apply gives, whatever it is applied to, and wherever the calls run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autopar as ap
from autopar._engine.journal import decision_log
from autopar.errors import HintTypeError, UnavailableError
from tests.frames import functions
from tests.frames.comparing import Outcome, assert_same
from tests.frames.strategies import frames, series

FEWER = settings(max_examples=settings().max_examples // 3)
WAYS = ["serial", "threads", "processes"]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning:pandas")]


@pytest.fixture(autouse=True)
def any_warning_of_pandas() -> Iterator[None]:
    """What pandas warns of is pandas' own; that it is the same is looked at where the answer is."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def same(way: str | None, obj: Any, function: Any, *args: Any, **kwargs: Any) -> None:
    """Compare with pandas, by way of a backend or as autopar sees fit; the frame is left as it was."""
    before = obj.copy() if hasattr(obj, "copy") else None
    expected = Outcome(lambda: obj.apply(function, *args, **kwargs))
    with ap.config(**({} if way is None else {"backend": way, "workers": 2, "chunksize": 2})):
        found = Outcome(lambda: ap.apply(obj, function, *args, **kwargs))
    found.assert_same(expected)
    if before is not None:
        assert_same(obj, before)


def latest() -> Any:
    return decision_log().all()[-1]


@pytest.mark.parametrize("way", WAYS)
@FEWER
@given(
    frame=frames(),
    function=st.sampled_from(functions.ROW_FUNCTIONS),
    axis=st.sampled_from([0, 1, "index", "columns"]),
    result_type=st.sampled_from([None, "expand", "reduce"]),
)
def test_any_frame_gives_what_pandas_gives(
    way: str, frame: pd.DataFrame, function: Any, axis: Any, result_type: Any
) -> None:
    """Rows and columns of any dtypes give pandas' values, dtypes, index and names, or its exception."""
    same(way, frame, function, axis=axis, result_type=result_type)


@pytest.mark.parametrize("way", WAYS)
@FEWER
@given(frame=frames(), function=st.sampled_from([functions.constant, np.sum, len, list]), axis=st.sampled_from([0, 1]))
def test_raw_rows_are_the_arrays_that_pandas_gives(way: str, frame: pd.DataFrame, function: Any, axis: int) -> None:
    """With raw=True NumPy puts the results together, errors of shape and type included."""
    same(way, frame, function, axis=axis, raw=True)


@pytest.mark.parametrize("way", WAYS)
@FEWER
@given(items=series(), function=st.sampled_from(functions.ELEMENT_FUNCTIONS))
def test_any_series_gives_what_pandas_gives(way: str, items: Any, function: Any) -> None:
    """Elements are those that pandas takes out of the dtype, and categories are called once."""
    same(way, items, function)


@pytest.mark.parametrize("way", WAYS)
@FEWER
@given(
    frame=frames(),
    function=st.sampled_from(functions.GROUP_FUNCTIONS),
    sort=st.booleans(),
    dropna=st.booleans(),
    group_keys=st.booleans(),
    of_series=st.booleans(),
)
def test_any_groups_give_what_pandas_gives(
    way: str, frame: pd.DataFrame, function: Any, sort: bool, dropna: bool, group_keys: bool, of_series: bool
) -> None:
    """Groups have their key as their name, are free to be changed, and are put together as pandas does."""
    keys = [place % 3 if place % 4 else None for place in range(len(frame))]
    try:
        grouped: Any = frame.groupby(keys, sort=sort, dropna=dropna, group_keys=group_keys)
        grouped = grouped[frame.columns[0]] if of_series and frame.columns.is_unique and len(frame.columns) else grouped
    except Exception:
        return  # pandas cannot group this
    same(way, grouped, function)


@pytest.mark.parametrize("way", [None, *WAYS])
def test_own_arguments_reach_the_function(way: str | None) -> None:
    """`args` and keywords go to the function, as with pandas."""
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [4.0, 5.0, 6.0]}, index=list("xyz"))
    same(way, frame, functions.scaled, axis=1, args=(10,), times=2)
    same(way, frame["a"], functions.element_scaled, args=(10,), times=2)
    same(way, frame["a"], functions.element_scaled, factor=3)
    same(way, frame.groupby("a"), lambda group, factor, times: (len(group), factor, times), 10, times=2)
    same(way, frame, functions.scaled, axis=1)  # one argument too few


@pytest.mark.parametrize("function", functions.AS_IN_THE_LOOP, ids=lambda function: function.__name__)
def test_what_only_the_loop_shows_stays_with_pandas(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that changes or keeps the one row object that pandas has, or draws numbers, is called by pandas."""
    monkeypatch.setenv("AUTOPAR_EAGER", "1")
    frame = pd.DataFrame({"a": np.arange(300), "b": np.linspace(0, 1, 300)})
    outcomes = []
    for apply in (pd.DataFrame.apply, ap.apply):
        random.seed(1)
        np.random.seed(1)
        functions.KEPT.clear()
        outcomes.append(Outcome(lambda apply=apply: apply(frame.copy(), function, axis=1)))  # type: ignore[misc]
    outcomes[1].assert_same(outcomes[0])
    assert latest().plan.backend == "serial"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda frame, apply: apply(frame, "sum"), "what str stands for"),
        (lambda frame, apply: apply(frame, ["sum", "max"]), "what list stands for"),
        (lambda frame, apply: apply(frame, np.sqrt), "a ufunc takes all values"),
        (lambda frame, apply: apply(frame, len, result_type="broadcast"), "writes each result"),
        (lambda frame, apply: apply(frame["a"], len, by_row=False), "by_row=False"),
        (lambda frame, apply: apply(frame.iloc[:0], len, axis=1), "it is empty"),
        (lambda frame, apply: apply(frame, len, 7), "pandas has no such axis"),
        (lambda frame, apply: apply(frame, len, args=iter([1])), "args is list_iterator"),
        (lambda frame, apply: apply(frame, len, nonsense=1), None),
        (lambda frame, apply: apply(_Subclass(frame), len), "_Subclass may apply functions in a way of its own"),
        (lambda frame, apply: apply(frame.rolling(2), len), "Rolling may apply"),
    ],
)
def test_the_log_says_why_pandas_makes_the_calls(call: Any, why: str | None) -> None:
    """Where items cannot be told apart the plain call of pandas is made, and the decision log has the reason."""
    frame = pd.DataFrame({"a": [1.0, 4.0], "b": [9.0, 16.0]})
    expected = Outcome(lambda: call(frame, lambda obj, *args, **kwargs: obj.apply(*args, **kwargs)))
    found = Outcome(lambda: call(frame, ap.apply))
    found.assert_same(expected)
    if why is not None:
        assert why in latest().why


class _Subclass(pd.DataFrame):  # type: ignore[misc]
    """A frame of the program's own."""


def test_a_demand_that_pandas_cannot_meet_raises() -> None:
    """A backend that is named is not passed over where pandas has to make the calls."""
    frame = pd.DataFrame({"a": [1, 2]})
    with ap.config(backend="threads"), pytest.raises(UnavailableError, match=r"what str stands for"):
        ap.apply(frame, "sum")


def test_hints_go_with_the_function_or_beside_it() -> None:
    """A decorated function brings its hints; a keyword that is a hint and no parameter is one."""
    frame = pd.DataFrame({"a": range(20)})

    @ap.parallel(backend="threads", workers=2)
    def double(row: Any) -> Any:
        return row["a"] * 2

    assert ap.apply(frame, double, axis=1).tolist() == list(range(0, 40, 2))
    assert double.decisions[-1].plan.backend == "threads"
    assert double.decisions[-1].operation == "apply"
    ap.apply(frame, functions.total, axis=1, backend="threads")
    assert latest().plan.backend == "threads"
    same("threads", frame, lambda row, workers: (row["a"], workers), axis=1, workers="the function's own")


def test_what_is_no_frame_is_refused() -> None:
    """An object without an apply is named with its type."""
    with pytest.raises(HintTypeError, match="not list"):
        ap.apply([1, 2], len)


def test_pandas_options_are_the_callers_on_workers() -> None:
    """A function that asks for an option gets the caller's value, wherever it runs."""
    frame = pd.DataFrame({"a": range(6)})
    pd.get_option("display.max_rows")
    with pd.option_context("display.max_rows", 17, "display.precision", 3):
        found = ap.apply(frame, _options, axis=1, backend="processes", workers=2)
    assert set(found) == {(17, 3)}
    assert set(ap.apply(frame, _options, axis=1, backend="processes", workers=2)) == {_options(None)}


def _options(row: Any) -> tuple[Any, ...]:
    return pd.get_option("display.max_rows"), pd.get_option("display.precision")


def test_rows_that_are_kept_are_found_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that starts to keep its row where parallel calls have begun leaves all of it to pandas."""
    monkeypatch.setenv("AUTOPAR_EAGER", "1")
    frame = pd.DataFrame({"a": range(200)})
    same(None, frame, lambda row: [row] if row["a"] >= 150 else [1], axis=1)
    assert "keeps its row" in latest().why


@pytest.mark.parametrize("way", WAYS)
def test_errors_can_be_values_and_calls_be_repeated(way: str) -> None:
    """`on_error` and `retries` mean what they mean in a map; an item is the position of a row."""
    frame = pd.DataFrame({"a": [1, 0, 2]})
    errors = ap.apply(frame, _inverse, axis=1, backend=way, workers=2, on_error="return", retries=1)
    assert [type(found).__name__ for found in errors] == ["float", "ZeroDivisionError", "float"]
    answers = ap.apply(frame, _inverse, axis=1, backend=way, workers=2, on_error=lambda error, position: -position)
    assert answers.tolist() == [1.0, -1.0, 0.5]


def _inverse(row: Any) -> float:
    return 1 / int(row["a"])


def test_objects_in_cells_keep_what_is_done_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists in the cells of a frame are the program's: who changes them changes them for everybody."""
    monkeypatch.setenv("AUTOPAR_EAGER", "1")
    frame = pd.DataFrame({"key": [0, 1] * 20, "seen": [[] for _ in range(40)]})
    ap.apply(frame, _notes, axis=1)
    ap.apply(frame.groupby("key"), _notes_in_all)
    assert [len(seen) for seen in frame["seen"]] == [2] * 40


def _notes(row: Any) -> int:
    row["seen"].append(1)
    return len(row["seen"])


def _notes_in_all(group: Any) -> int:
    for seen in group["seen"]:
        seen.append(2)
    return len(group)


def test_what_was_printed_before_an_error_was_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines come in the order of the rows, up to the one that fails, which is pandas' error."""
    frame = pd.DataFrame({"a": [3, 2, 1, 0, 5]})
    with pytest.raises(ZeroDivisionError):
        ap.apply(frame, _prints, axis=1, backend="processes", workers=2, chunksize=1)
    assert capsys.readouterr().out == "3\n2\n1\n0\n"


def _prints(row: Any) -> Any:
    print(row["a"])
    return 1 // int(row["a"])
