"""Signals of decimal arithmetic, which leave a flag in the context of whoever computes: the caller's, in the loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from autopar._model.work import SIGNALS, Outcome


def signals_noted(run: Callable[[], Outcome]) -> Outcome:
    """Run a chunk in a worker process, and have its outcome tell which signals it has raised."""
    if "decimal" in sys.modules:
        sys.modules["decimal"].getcontext().clear_flags()
    outcome = run()
    if "decimal" in sys.modules:
        flags = sys.modules["decimal"].getcontext().flags
        if raised := [signal.__name__ for signal, on in flags.items() if on]:
            outcome.emitted = [*outcome.emitted, (len(outcome.values), SIGNALS, raised)]
    return outcome


def raise_flags(names: Iterable[str]) -> None:
    """Set the flags in the context here."""
    import decimal

    flags = decimal.getcontext().flags
    for name in names:
        flags[getattr(decimal, name)] = True
