"""Names come from anywhere: none becomes code, and none commands a terminal."""

from __future__ import annotations

import copy
import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autopar import errors, parallel, table
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
from autopar.errors import DemandError, PerformanceHint

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


@pytest.mark.parametrize(
    "hints",
    [
        {"backend": "asyncio"},
        {"backend": "processes"},
        {"compiler": "native"},
        {"compiler": "cython"},
        {"backend": "interpreters", "timeout": 1.0, "worker_memory": "1GB"},
    ],
    ids=str,
)
def test_a_demand_that_is_refused_cannot_command_a_terminal(hints: dict[str, Any]) -> None:
    """The error says of which function it speaks, with a hostile name's control characters shown as something else."""
    counts = named(ESCAPES)
    counts.__code__ = global_counter.__code__
    with pytest.raises(DemandError) as caught:
        parallel(counts, **hints).map([1, 2, 3])
    assert "planted" in str(caught.value)
    assert not COMMANDS.search(str(caught.value))


def global_counter(x: int) -> int:
    """Nothing but the plain loop keeps what this does."""
    globals()["counted"] = x
    return int(eval("x"))  # so no compiler takes it


def test_no_error_can_command_a_terminal() -> None:
    """Whatever an error of autopar quotes, its text has lines and tabs and no other control characters."""
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.AutoparError)]
    assert len(kinds) > 10
    for kind in kinds:
        error = kind(f"{ESCAPES}\n\tmore")
        assert "planted" in str(error)
        assert str(error).endswith("\n\tmore")
        assert not COMMANDS.search(str(error))
        assert type(copy.copy(error)) is kind
        assert pickle.loads(pickle.dumps(error)).args == error.args


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


DRAWN = re.compile(r"\x1bD\x1b\[A\x1b7\x1b\[B\r\x1b\[2K(?P<line>.*?)\x1b8|\x1b\[J", re.DOTALL)
"""What the bar writes: room for a line, the line, and the way back; or that it is gone."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_progress_cannot_command_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can it in the bar that shows how far a map has come, which obeys the bar alone."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def lines(name: str) -> list[str]:
        terminal = Terminal()
        monkeypatch.setattr(progress.sys, "stderr", terminal)  # type: ignore[attr-defined]
        parallel(named(name)).map(range(3), progress=True)
        shown = terminal.getvalue()
        assert DRAWN.sub("", shown) == ""
        return [each["line"] for each in DRAWN.finditer(shown) if each["line"] is not None]

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    planted = "\x1b[91;4;53m"  # red, underlined and overlined: no bar is
    hostile = lines(f"{ESCAPES}\x1b8\x1b[J{planted}")
    assert any("planted" in line for line in hostile)
    for line in hostile:
        assert planted not in line
        assert not COMMANDS.search(COLOUR.sub("", line))


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
