"""Tables in a terminal, and what the command line imports for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from autopar._record import Store
from autopar.cli import drawn
from tests.cli.test_commands import decision

TEXTS = st.text(alphabet=st.sampled_from("ab 文é"), max_size=40)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("price", "3", "it is short"), ["price           3  it is", " " * 19 + "short"]),
        (("a.very.long.name", "1,000", ""), ["a.very.lon  1,000", "g.name"]),
        (("文文文文文文", "1", "x"), ["文文文文文      1  x", "文"]),
    ],
)
def test_a_row(row: tuple[str, ...], expected: list[str]) -> None:
    """Numbers stand to the right, long cells go on below, at a space where they have some; wide letters count two."""
    assert list(drawn.lines(row, [10, 5, 6], [False, True, False])) == expected


@settings(max_examples=40)
@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4),
    st.integers(24, 120),
)
def test_a_table_fits(rows: list[tuple[str, ...]], columns: int) -> None:
    """No line is wider than the terminal, and none of a cell's letters is lost."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        patch.setattr("click.echo", said.append)
        drawn.draw(("one", "two", "three"), rows, ["two"])
    said = [line.removeprefix("\x1b[1m").removesuffix("\x1b[0m") for line in said]
    assert max(map(cell_len, said)) <= columns
    letters = "".join(said).replace(" ", "").strip("onetwhr")
    assert sorted(letters.replace("─", "").replace("-", "")) == sorted("".join(map("".join, rows)).replace(" ", ""))


def test_what_is_written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The headings, a rule as wide as the table, the rows; without styles for a terminal that has none."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    drawn.draw(("function", "items"), [("shop.price", "1,000")], ["items"])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "function    items"
    assert set(said[1]) <= set("─-")
    assert said[2] == "shop.price  1,000"


_LOG = """
import sys
sys.stdout.isatty = lambda: True
from autopar.cli.main import main
main(["log"], standalone_mode=False)
print(*sys.modules)
"""

_NOT_NEEDED = {"rich.console", "rich.table", "numpy", "asyncio", "multiprocessing", "logging", "autopar._engine"}


@pytest.mark.slow
def test_the_log_imports_little(isolated_store: Path) -> None:
    """`autopar log` in a terminal imports neither the engine nor what draws elaborately: it has 150 ms in all."""
    assert Store(isolated_store).write([decision(1, "shop.price")])
    done = subprocess.run([sys.executable, "-c", _LOG], capture_output=True, text=True, check=True)
    assert "shop.price" in done.stdout
    assert not _NOT_NEEDED & set(done.stdout.splitlines()[-1].split())
