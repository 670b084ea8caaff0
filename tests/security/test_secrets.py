"""No argument's value goes further than its caller: not into the store, a log, a report or the text of an error."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autopar import decisions, parallel, table
from autopar._engine import journal
from autopar._record.codec import to_json
from autopar.errors import AutoparError
from autopar.report.page import report
from tests.routes import choose_only, fork_anyway, own_log
from tests.security.canary import CANARY, Secret, ends, gives, uses

__all__ = ["choose_only", "fork_anyway", "own_log"]

pytestmark = [pytest.mark.timeout(60), pytest.mark.skipif(sys.platform == "win32", reason="workers are killed")]

N = 40


def everything_said(store: Path) -> str:
    """All that autopar keeps, and all that it says of it."""
    journal.decision_log().flush()
    made = decisions()
    texts = [table(), report(made, {}), *(journal.explanation(one) for one in made), *map(to_json, made)]
    texts += [path.read_bytes().decode("latin-1") for path in sorted(store.parent.rglob("*")) if path.is_file()]
    return "\n".join(texts)


def notes_and_text(error: BaseException) -> str:
    """What autopar has written into an error: its notes, and the message of an error of its own."""
    notes = "\n".join(getattr(error, "__notes__", []))
    return f"{notes}\n{error}" if isinstance(error, AutoparError) else notes


def mapped(function: Any, how: str, **hints: Any) -> tuple[list[Any], str]:
    """Map over secrets, one of them special; results, and what was warned of."""
    items = [Secret(how=how if place == N // 2 else "") for place in range(N)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            results = parallel(function, pure=True).map(items, **hints)
        except Exception as error:
            results = [error]
    return results, "\n".join(str(each.message) for each in caught)


@pytest.mark.parametrize("backend", ["serial", "threads", "processes"])
@pytest.mark.parametrize("how", ["", "raises"])
def test_values_stay_out_of_all_that_is_kept(
    backend: str, how: str, isolated_store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A value in an item, its repr or its error is in no store, log, report, note, warning or output."""
    results, warned = mapped(uses, how, backend=backend)
    assert (type(results[-1]) is ValueError) == (how == "raises")
    said = everything_said(isolated_store) + warned + "".join(capfd.readouterr())
    assert "uses" in said
    assert CANARY not in said
    assert not [error for error in results if isinstance(error, Exception) and CANARY in notes_and_text(error)]


@pytest.mark.parametrize(("function", "how"), [(uses, "pickling"), (uses, "loading"), (gives, "result")])
def test_errors_of_pickling_are_kept_without_their_words(
    function: Callable[..., Any], how: str, isolated_store: Path, choose_only: Callable[[str], None]
) -> None:
    """What an item's own code says while it is pickled stays with the caller; the record has the type of the error."""
    choose_only("processes")
    results, warned = mapped(function, how)
    assert len(results) == N
    said = everything_said(isolated_store)
    assert "ValueError" in said
    assert CANARY not in said + warned


@pytest.mark.parametrize(("function", "how"), [(ends, "dies"), (uses, "pickling")])
def test_a_demand_that_fails_is_kept_without_values(
    function: Callable[..., Any], how: str, isolated_store: Path
) -> None:
    """The named error of an item that kills its worker, or does not travel, leaves no value behind either."""
    results, warned = mapped(function, how, backend="processes", workers=1)
    assert isinstance(results[0], AutoparError)
    assert CANARY not in everything_said(isolated_store) + warned + "\n".join(results[0].__notes__)


def test_json_for_programs_is_as_discreet(isolated_store: Path) -> None:
    """The JSON of a decision holds names, numbers and types."""
    mapped(uses, "raises", backend="threads")
    (made,) = decisions()
    assert CANARY not in json.dumps(json.loads(to_json(made)))
