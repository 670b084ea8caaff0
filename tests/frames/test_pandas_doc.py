"""What docs/pandas.md shows is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "pandas.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_examples_give_what_the_page_shows() -> None:
    """Every line of the page's examples runs, one after the other, and prints what the page prints."""
    shown = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(shown, {"__name__": "__main__"}, "pandas.md", "pandas.md", 0)
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert results.attempted > 15
    assert results.failed == 0, "".join(said)
