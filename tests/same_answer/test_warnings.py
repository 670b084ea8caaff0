"""Warnings of items are the caller's: its filters decide, and what it has been shown is not shown again."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import pytest

import autopar as ap
from autopar import parallel
from tests.routes import not_beside_numpy
from tests.same_answer import items, items_numpy
from tests.same_answer.items import BAD, OwnWarning

pytestmark = pytest.mark.timeout(30)

N = 12
WARNING: list[Callable[[int], Any]] = [items.warns_alike, items.warns_of_each, items.warns_its_own, items_numpy.divide]
ACTIONS = ["default", "always", "once", "module", "ignore"]


@contextmanager
def recorded() -> Iterator[list[warnings.WarningMessage]]:
    """Record the warnings of the block, without those of a fork beside the threads of other tests (Python 3.12)."""
    with warnings.catch_warnings(record=True) as shown:
        yield shown
        shown[:] = [each for each in shown if "use of fork()" not in str(each.message)]


def raised(run: Callable[[], Any], action: str) -> list[tuple[Any, ...]]:
    """The warnings that a call shows under one filter, in order, nothing having been shown before."""
    for module in (items, items_numpy):
        vars(module).pop("__warningregistry__", None)
    warnings.onceregistry.clear()  # type: ignore[attr-defined]
    with recorded() as shown:
        warnings.resetwarnings()
        warnings.simplefilter(action)  # type: ignore[arg-type]
        run()
    return [(w.category, str(w.message), w.filename, w.lineno) for w in shown]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("function", WARNING, ids=lambda function: function.__name__)
def test_a_map_warns_as_the_loop_does(route: dict[str, Any], function: Callable[[int], Any], action: str) -> None:
    """The same warnings, with the same place in the source, as often and in the same order."""
    not_beside_numpy(route, function)
    expected = raised(lambda: [function(x) for x in range(N)], action)
    assert raised(lambda: ap.map(function, range(N), **route), action) == expected
    assert raised(lambda: ap.map(function, range(N), chunksize=5, **route), action) == expected


def test_a_warning_is_shown_once_over_several_maps(route: dict[str, Any]) -> None:
    """What one map has shown the next one does not show again, nor does the loop."""

    def run() -> None:
        for _ in range(2):
            ap.map(items.warns_alike, range(N), **route)
        items.warns_alike(1)

    assert len(raised(run, "default")) == 1


def test_what_the_loop_has_shown_a_map_does_not_show(route: dict[str, Any]) -> None:
    """The caller's memory counts for its workers."""

    def run() -> None:
        items.warns_alike(1)
        ap.map(items.warns_alike, range(N), **route)

    assert len(raised(run, "default")) == 1


def test_a_filter_that_makes_it_an_error_makes_the_item_fail(route: dict[str, Any]) -> None:
    """The first item that warns raises its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", OwnWarning)
        with pytest.raises(OwnWarning) as caught:
            ap.map(items.warns_its_own, range(N), **route)
    assert caught.value.code == 0
    assert "item 0 " in caught.value.__notes__[0]


def test_filters_by_module_and_message_count(route: dict[str, Any]) -> None:
    """A filter sees the module and the text that it sees in the loop."""
    with recorded() as shown:
        warnings.resetwarnings()
        warnings.filterwarnings("ignore")
        warnings.filterwarnings("always", message="item [246]", module=r"tests\.same_answer\.items")
        ap.map(items.warns_of_each, range(N), **route)
    assert [str(w.message) for w in shown] == ["item 2", "item 4", "item 6"]


def test_a_warning_of_an_item_that_fails_is_shown_and_none_after_it(route: dict[str, Any]) -> None:
    """As in the loop."""

    def run() -> None:
        with pytest.raises(ValueError, match=str(BAD)):
            ap.map(items.warns_then_fails, range(3 * N), **route)

    assert [text for _, text, *_ in raised(run, "always")] == [f"item {x}" for x in range(BAD + 1)]


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_imap_warns_before_the_result(backend: str) -> None:
    """A warning comes with its item, not when it arrives; on demanded threads it comes when the item runs."""
    function = parallel(items.warns_of_each, backend=backend)
    with recorded() as shown:
        warnings.simplefilter("always")
        results = function.imap(range(4))
        for x in range(4):
            assert next(results) == x
            assert [str(w.message) for w in shown] == [f"item {y}" for y in range(x + 1)]
        assert next(results, None) is None


def test_a_warning_of_its_own_arrives_as_itself(route: dict[str, Any]) -> None:
    """Category and attributes are kept."""
    with recorded() as shown:
        warnings.simplefilter("always")
        ap.map(items.warns_its_own, range(3), **route)
    assert [w.message.code for w in shown] == [0, 1, 2]  # type: ignore[union-attr]


def test_a_warning_that_does_not_travel_arrives_as_the_closest_built_in() -> None:
    """A class that does not pickle leaves the text."""

    def item(x: int) -> None:
        class Stubborn(DeprecationWarning):
            lock = threading.Lock()

        warnings.warn(Stubborn(f"item {x}"), stacklevel=1)

    with recorded() as shown:
        warnings.simplefilter("always")
        ap.map(item, range(2), backend="processes")
    assert [(w.category, str(w.message)) for w in shown] == [
        (DeprecationWarning, "item 0"),
        (DeprecationWarning, "item 1"),
    ]


def test_an_item_that_records_warnings_itself_sees_them(route: dict[str, Any]) -> None:
    """`catch_warnings` inside an item works there, and nothing is shown here."""

    def item(x: int) -> list[str]:
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            items.warns_of_each(x)
        return [str(w.message) for w in shown]

    with recorded() as here:
        warnings.simplefilter("always")
        assert ap.map(item, range(N), pure=True, **route) == [[f"item {x}"] for x in range(N)]
    assert here == []


def test_captured_warnings_go_to_the_callers_log(route: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """After `logging.captureWarnings(True)` warnings are records of the logger py.warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            ap.map(items.warns_of_each, range(3), **route)
        finally:
            logging.captureWarnings(False)
    said = [record.getMessage() for record in caplog.records if record.name == "py.warnings"]
    assert [f"UserWarning: item {x}" in text for x, text in enumerate(said)] == [True] * 3


def test_warnings_of_c_code_are_the_callers_too(route: dict[str, Any]) -> None:
    """NumPy warns from C; no analysis sees it."""
    not_beside_numpy(route)
    with numpy.errstate(divide="warn"), pytest.warns(RuntimeWarning, match="divide by zero"):
        ap.map(items_numpy.divide, [1, 0, 2], **route)


@pytest.mark.parametrize("backend", ["serial", "processes"])
def test_a_program_sees_its_warnings_on_standard_error(backend: str) -> None:
    """With Python's own filters: a deprecation in the main script is shown, once, with its line."""
    script = f"""
import warnings, autopar
def item(x):
    warnings.warn("old", DeprecationWarning)
    return x
print(autopar.map(item, range(8), backend={backend!r}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 1, 2, 3, 4, 5, 6, 7]\n"
    shown, *source = done.stderr.splitlines()
    assert shown == "<string>:4: DeprecationWarning: old"
    assert source in ([], ['  warnings.warn("old", DeprecationWarning)'])  # Python 3.13 knows the source of -c


@pytest.mark.parametrize("hints", [{}, {"seed": 1}, {"on_error": "return"}, {"retries": 1}, {"chunksize": 2}], ids=str)
@pytest.mark.parametrize("operation", ["map", "imap", "imap_unordered"])
def test_a_warning_may_blame_the_caller(route: dict[str, Any], operation: str, hints: dict[str, Any]) -> None:
    """With `stacklevel=2` the line that asked for the map is named, as often as in the loop, and filters go by it."""

    def run(loop: bool) -> None:
        """Both in one line, since that is what the warnings are to name."""
        list([items.blames_its_caller(x) for x in range(6)] if loop else getattr(mapped, operation)(range(6)))

    mapped = parallel(items.blames_its_caller, pure=True, **route, **hints)
    for action in ("default", "always"):
        globals().pop("__warningregistry__", None)
        expected = raised(lambda: run(True), action)
        globals().pop("__warningregistry__", None)
        assert raised(lambda: run(False), action) == expected
        assert len(expected) == (1 if action == "default" else 6)
    with recorded() as shown:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", module=__name__)
        run(False)
    assert {w.filename for w in shown} == {__file__}


def test_a_coroutine_may_blame_its_caller(async_route: dict[str, Any]) -> None:
    """The same for coroutines."""

    async def item(x: int) -> int:
        warnings.warn("not like this", stacklevel=2)
        return x

    for seed in (None, 1):
        globals().pop("__warningregistry__", None)
        with recorded() as shown:
            warnings.simplefilter("always")
            ap.map(item, range(3), seed=seed, **async_route)
        assert {w.filename for w in shown} == {__file__}
        assert len({w.lineno for w in shown}) == 1
        assert len(shown) == 3
