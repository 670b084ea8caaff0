"""Type checkers see the original function, and the right results of its maps."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["checked", "checked_plain_functions"])
def test_types_are_seen_through_the_decorator(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mypy` agrees with every assertion of the checked file, and finds each mistake that it marks."""
    monkeypatch.chdir(ROOT)
    said, complaints, status = api.run(["--strict", "--warn-unused-ignores", str(HERE / f"{name}.py")])
    assert (status, complaints) == (0, ""), said
