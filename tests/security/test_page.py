"""docs/security.md: every line of the threat model has its test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

TABLE = re.compile(r"^\| (?!threat \||---)(.*) \|$", re.MULTILINE)


def rows() -> list[list[str]]:
    """The cells of every line of every table."""
    return [[cell.strip() for cell in line.split(" | ")] for line in TABLE.findall(PAGE)]


def test_every_threat_has_a_test_that_exists() -> None:
    """The last cell of a line names a test function, by file and name."""
    found = rows()
    assert len(found) >= 30
    missing = []
    for _, _, shown in found:
        matched = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
        assert matched is not None, shown
        path = ROOT / matched[1]
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
        if matched[2] not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(shown)
    assert missing == []


def test_every_test_of_security_is_on_the_page() -> None:
    """What is tested in this folder is a line there."""
    here = [path for path in sorted(Path(__file__).parent.glob("test_*.py")) if path != Path(__file__)]
    names = [
        f"`tests/security/{path.name}::{node.name}`"
        for path in here
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert [name for name in names if name not in {row[-1] for row in rows()}] == []
