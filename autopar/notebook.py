"""IPython: ``%load_ext autopar`` brings ``%autopar`` and ``%%autopar``."""

from __future__ import annotations

import ast
from typing import Any

from autopar._api.config import config
from autopar._api.html import decision_html, decisions_html, function_html, gain
from autopar._engine.journal import all_decisions
from autopar._model.decision import Decision
from autopar._model.hints import check_hints
from autopar._record.explain import explain, printable, table
from autopar.errors import HintTypeError


class Shown:
    """Something for a notebook to show, with a text for a terminal."""

    def __init__(self, html: str, text: str) -> None:
        self._html = html
        self._text = text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext autopar`` calls.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
        The shell that gets the magics.
    """

    def of_a_line(line: str) -> Shown:
        """Show the decisions so far, or with a function's name why its latest map ran as it did."""
        return _line(shell, line)

    def of_a_cell(line: str, cell: str) -> None:
        """Run the cell, with hints if some are given (``%%autopar workers=2``), and show what was decided in it."""
        _cell(shell, line, cell)

    shell.register_magic_function(of_a_line, "line", "autopar")
    shell.register_magic_function(of_a_cell, "cell", "autopar")


def unload_ipython_extension(shell: Any) -> None:
    """What ``%unload_ext autopar`` calls."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("autopar", None)


def _line(shell: Any, line: str) -> Shown:
    name = line.strip()
    if not name:
        decisions = all_decisions()
        return Shown(decisions_html(decisions), table(decisions))
    found = shell.ev(name)
    if isinstance(found, Decision):
        return Shown(decision_html(found), explain(found))
    if not hasattr(type(found), "__autopar_unwrap__"):
        raise HintTypeError(f"%autopar takes the name of a function with @parallel, not {type(found).__name__}")
    decisions = found.decisions
    text = explain(decisions[-1]) if decisions else f"{found._self_state.name} has not been mapped yet"
    return Shown(function_html(found._self_state.name, found._self_hints, decisions), text)


def _cell(shell: Any, line: str, cell: str) -> None:
    hints = _hints(shell, line)
    before = {decision.number for decision in all_decisions()}
    # An error of the cell is shown once: where it is raised below, which also stops a notebook that runs all its cells.
    shell.showtraceback, own = _show_nothing, shell.__dict__.pop("showtraceback", None)
    try:
        with config(**hints):
            ran = shell.run_cell(cell)
    finally:
        del shell.showtraceback
        if own is not None:
            shell.showtraceback = own
    made = [decision for decision in all_decisions() if decision.number not in before]
    from IPython.display import display

    display(_summary(made))  # type: ignore[no-untyped-call, unused-ignore]
    ran.raise_error()


def _show_nothing(*_: Any, **__: Any) -> None:
    pass


def _hints(shell: Any, line: str) -> dict[str, Any]:
    """The hints behind ``%%autopar``, written as arguments of a call; their values may be names of the notebook."""
    try:
        call = ast.parse(f"hints({line})", mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call) or call.args or any(keyword.arg is None for keyword in call.keywords):
        raise HintTypeError(f'%%autopar takes hints, such as workers=2, backend="threads", not {printable(line)!r}')
    given = {str(keyword.arg): shell.ev(ast.unparse(keyword.value)) for keyword in call.keywords}
    return check_hints(given, where="%%autopar")


def _summary(decisions: list[Decision]) -> Shown:
    said = gain(decisions)
    return Shown(decisions_html(decisions, said), f"{table(decisions)}\n{said}".rstrip())
