"""Names come from anywhere: none becomes code, and none commands a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autopar import parallel, table
from autopar._compilers.cython.generate import module_text, write
from autopar._compilers.native import frontend
from autopar._engine import journal, progress
from autopar._engine.notice import hint_where_it_hurts
from autopar._kernel import types as t
from autopar._model.decision import Decision
from autopar._model.plan import LOOP, Choice, Plan, Rejected
from autopar._model.workload import Kind, Workload
from autopar._record.store import Store
from autopar.cli.main import main
from autopar.errors import PerformanceHint

ESCAPES = "\x1b]0;planted\x07\x1b[2J\u202e\r\nplanted"
INJECTION = '"); planted(); /* */ }\n#error planted\n'
COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, or shows out of order, but for tabs and ends of lines."""


def named(name: str) -> Callable[[int], int]:
    """A function that anybody may have given this name, these annotations and this text."""

    def hostile(x: int) -> int:
        y = 0
        for step in range(x):
            y += step
        return y

    hostile.__name__ = hostile.__qualname__ = hostile.__doc__ = name
    hostile.__annotations__ = {"x": f"__import__('os').system({name!r})", "return": name}
    return hostile


@pytest.mark.parametrize("name", [INJECTION, ESCAPES, "a\\\nb", "ünï"])
@pytest.mark.parametrize("language", ["c", "cython"])
def test_no_name_or_annotation_gets_into_generated_code(name: str, language: str) -> None:
    """What the function is called, annotated and documented by is in no text that is compiled."""
    harmless, hostile = named("f"), named(name)
    texts = []
    for function in (harmless, hostile):
        if language == "c":
            texts.append(frontend.kernel_of(function, (t.Int(),))[1])
        else:
            texts.append(module_text([write(function)])[0])  # type: ignore[arg-type]
    comments = re.compile(r"/\*.*?\*/", re.DOTALL)
    assert comments.sub("", texts[0]) == comments.sub("", texts[1])
    assert "planted" not in comments.sub("", texts[1])


def test_a_variable_may_have_any_name_in_c() -> None:
    """A variable that is called as a keyword, a macro or a function of C is: in C it has a name of ours."""

    def kernel(struct: int, NULL: int) -> int:  # noqa: N803
        system = 0
        for signal in range(struct):
            system += signal * NULL
        return system

    _, text = frontend.kernel_of(kernel, (t.Int(), t.Int()))
    assert not re.search(r"\b(system|signal)\b", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    assert parallel(kernel, compiler="native").map([4], [5]) == [kernel(4, 5)]


def test_a_note_cannot_command_a_terminal() -> None:
    """The note that names an item shows a hostile name's control characters as something else."""

    def fails(x: int) -> int:
        raise ValueError(x)

    fails.__name__ = fails.__qualname__ = ESCAPES
    with pytest.raises(ValueError, match="1") as caught:
        parallel(fails).map([1, 2])
    notes = "".join(caught.value.__notes__)
    assert "planted" in notes
    assert not COMMANDS.search(notes)


def test_a_hint_cannot_command_a_terminal() -> None:
    """Nor can a hostile name in a warning."""
    function = parallel(named(ESCAPES))
    state = journal_state(function)
    rejected = Rejected(Plan(backend="threads", workers=2, predicted=0.1), f"it calls {ESCAPES}", "thread_safe=True")
    with pytest.warns(PerformanceHint, match="planted") as caught:
        hint_where_it_hurts(
            state, Choice(Plan(predicted=9.0), Workload(Kind.CPU, 1.0, 1.0, 1.0, 1.0, 0.9), (rejected,))
        )
    assert not COMMANDS.search(str(caught[0].message))


def journal_state(function: Any) -> Any:
    """What the engine knows of a decorated function."""
    from autopar._engine.functions import state_of

    return state_of(function.__wrapped__)


def test_progress_cannot_command_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can it in the bar that shows how far a map has come; the commands of the bar itself are known."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)  # type: ignore[attr-defined]
    parallel(named(ESCAPES)).map(range(3), progress=True)
    shown = terminal.getvalue()
    assert "planted" in shown
    assert not COMMANDS.search(re.sub(r"\r|\x1b[78DM]|\x1b\[J|\x1b\[[0-9;]*[ABKm]", "", shown))


def test_the_log_cannot_command_a_terminal(isolated_store: Path) -> None:
    """No command and no text about decisions shows a control character of a name, a reason or a note."""
    hostile = Decision(
        1, ESCAPES, "map", 1.0, 3, None, LOOP, why=ESCAPES, notes=(ESCAPES,), fallbacks=(ESCAPES,), error=ESCAPES
    )
    assert Store(isolated_store).write([hostile])
    said = [journal.explanation(hostile), table([hostile])]
    for arguments in (["log"], ["log", "--json"], ["explain", "*planted"], ["explain", ESCAPES], ["forget", ESCAPES]):
        result = CliRunner().invoke(main, arguments)
        said += [result.stdout, result.stderr]
    assert any("planted" in each for each in said)
    assert not [each for each in said if COMMANDS.search(each)]
