"""What a function reads besides its arguments: workers see what the caller's process has now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults import surroundings
from tests.faults.surroundings import by_class, by_environment, by_folder, by_global, by_helper, by_table

pytestmark = pytest.mark.timeout(30)

N = 30


def twice(x: int) -> int:
    return 20 * x


def test_a_global_that_changed_is_seen(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A module-level value that was changed between two maps counts in the second."""
    assert by_global.map(range(N), **route) == [2 * x for x in range(N)]
    with monkeypatch.context() as changed:
        changed.setattr(surroundings, "FACTOR", 20)
        assert by_global.map(range(N), **route) == [20 * x for x in range(N)]
        changed.setattr(surroundings, "FACTOR", 3)
        assert by_global.map(range(N), **route) == [3 * x for x in range(N)]
    assert by_global.map(range(N), **route) == [2 * x for x in range(N)]


def test_a_global_object_that_was_changed_in_place_is_seen(
    route: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module-level dictionary that was changed between two maps counts in the second."""
    assert by_table.map(range(N), **route) == [2 * x for x in range(N)]
    monkeypatch.setitem(surroundings.TABLE, "factor", 20)
    assert by_table.map(range(N), **route) == [20 * x for x in range(N)]


def test_a_class_attribute_that_changed_is_seen(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute of a module-level class that was changed between two maps counts in the second."""
    assert by_class.map(range(N), **route) == [2 * x for x in range(N)]
    monkeypatch.setattr(surroundings.Config, "factor", 20)
    assert by_class.map(range(N), **route) == [20 * x for x in range(N)]


def test_a_function_that_was_replaced_is_seen(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A module-level function that was patched between two maps is the one that is called."""
    assert by_helper.map(range(N), **route) == [2 * x for x in range(N)]
    with monkeypatch.context() as changed:
        changed.setattr(surroundings, "helper", twice)
        assert by_helper.map(range(N), **route) == [20 * x for x in range(N)]
        changed.setattr(surroundings, "helper", lambda x: -x)
        assert by_helper.map(range(N), **route) == [-x for x in range(N)]
    assert by_helper.map(range(N), **route) == [2 * x for x in range(N)]


def test_the_environment_of_now_is_seen(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables that were set or removed between two maps count in the second."""
    assert by_environment.map(range(N), **route) == [None] * N
    monkeypatch.setenv("AUTOPAR_TEST_FACTOR", "7")
    assert by_environment.map(range(N), **route) == ["7"] * N
    monkeypatch.delenv("AUTOPAR_TEST_FACTOR")
    assert by_environment.map(range(N), **route) == [None] * N


def test_the_working_folder_of_now_is_seen(
    route: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths are those of the caller's working folder."""
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "here.txt").write_text(name)
        monkeypatch.chdir(folder)
        assert by_folder.map(range(N), **route) == [name] * N
