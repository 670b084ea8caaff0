"""The site: every page has its place, and it builds without a warning."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autopar._model.hints import HINTS
from autopar._model.plan import BACKENDS, COMPILERS
from tests.docs.blocks import ROOT

CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
PAGES = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}


def tool(name: str) -> ModuleType:
    """A script of docs/_tools."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / "_tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_is_outside_of_the_navigation() -> None:
    """Whoever adds a page gives it a place in mkdocs.yml."""
    named = set(re.findall(r"^ +- (?:\w+: )?([\w/-]+\.md)$", CONFIG[CONFIG.index("\nnav:") :], re.MULTILINE))
    assert PAGES - named == set()


def test_links_between_files_become_links_of_pages() -> None:
    """The examples in the tool's docstrings hold."""
    results = doctest.testmod(tool("links"))
    assert results.attempted
    assert not results.failed


def test_the_page_of_hints_is_up_to_date() -> None:
    """It is what docs/_tools/hints_page.py writes."""
    assert (ROOT / "docs" / "hints.md").read_text(encoding="utf-8") == tool("hints_page").page()


def test_parallel_documents_each_hint() -> None:
    """Its docstring has every hint, in the program's order, and every backend and compiler by name."""
    documented = tool("hints_page").documented()
    assert list(documented) == list(HINTS)
    for hint, named in (("backend", BACKENDS), ("compiler", COMPILERS)):
        assert set(re.findall(r'``"(\w+)"``', documented[hint][1])) == set(named)


def test_the_picture_of_the_report_is_small() -> None:
    """Readers of the page get it at once; `make picture` takes it."""
    picture = (ROOT / "docs" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) <= 300_000


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="the docs extra is not installed")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """All links and anchors lead somewhere, all docstrings are understood, and nothing is fetched from elsewhere."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched: list[Any] = re.findall(r'<(?:script|img|link)\b[^>]*?(?:src|href)="https?://[^"]*"', text)
        assert [each for each in fetched if "canonical" not in each] == [], page.name
        assert ":class:" not in text, page.name
    assert "backend : str" not in (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
