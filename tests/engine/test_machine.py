"""The real machine, as far as it is more than a name for something else."""

from __future__ import annotations

import pytest

from autopar._engine import machine
from autopar._engine.machine import ThisMachine


@pytest.mark.parametrize(
    ("threads", "writing", "answer"),
    [
        ([True], False, True),
        ([False], False, False),
        ([False, True], True, True),
        ([False, False], True, False),
    ],
    ids=["one thread", "others", "the store's, soon gone", "the store's and others"],
)
def test_a_planning_waits_for_the_thread_that_writes_to_the_store(
    threads: list[bool], writing: bool, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone in a moment, and workers can then be forked; for other threads nobody waits."""
    answers = iter(threads)
    monkeypatch.setattr(machine, "why_not_forkable_without", lambda *_, **__: "" if next(answers) else "another thread")
    monkeypatch.setattr(machine, "settled", lambda seconds: not writing or seconds > 0)
    assert ThisMachine().forkable() is answer
