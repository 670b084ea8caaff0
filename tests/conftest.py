"""What every test gets: a store of its own, and Hypothesis in one of two profiles."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no bug, so no example has a deadline; the tests themselves have one.
settings.register_profile("ordinary", max_examples=50, deadline=None)
settings.register_profile("long", max_examples=5000, deadline=None)
settings.load_profile("long" if os.environ.get("AUTOPAR_TEST_LONG") == "1" else "ordinary")


def pytest_sessionfinish() -> None:
    """Drop a log that something opened after its test: the folder of its store is gone."""
    journal = sys.modules.get("autopar._engine.journal")
    if journal is not None:
        vars(journal)["_log"] = None


@pytest.fixture(autouse=True)
def isolated_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test, and the processes it starts, a store of its own: a file that is not made yet."""
    store = tmp_path / "store" / "store.sqlite"
    monkeypatch.setenv("AUTOPAR_STORE", str(store))
    yield store
    journal = sys.modules.get("autopar._engine.journal")
    if journal is not None:
        journal.new_log()


@pytest.fixture
def not_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans be chosen by what they save, for tests of just that, also where the whole suite runs eagerly."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)
