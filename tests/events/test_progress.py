"""Bars: when they appear, what they say, and that nothing else changes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar._engine import bars, progress
from autopar._engine.progress import Bar, show_for

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("not_eager")


def double(x: int) -> int:
    return 2 * x


def loud(x: int) -> int:
    print("item", x, end=" " if x % 3 else "\n", flush=True)
    return x


def maps_inside(x: int) -> list[int]:
    return parallel(double).map(range(x))


class Screen(io.StringIO):
    """A terminal that understands as much as the bar needs: what a user would see of it."""

    encoding = "utf-8"

    def __enter__(self) -> Screen:
        """Take the place of standard output and error; in the test itself, since pytest puts its own there before."""
        self._before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self._before

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """The text on the screen, line by line."""
        rows, row, column, kept = [""], 0, 0, (0, 0)
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\x1b[78DM]|\n|\r|[^\x1b\n\r]+", self.getvalue()):
            if part in ("\n", "\x1bD"):
                row += 1
                column = 0 if part == "\n" else column
                rows += [""] * (row + 1 - len(rows))
            elif part == "\r":
                column = 0
            elif part == "\x1b[A":
                row -= 1
            elif part == "\x1b[B":
                row = min(row + 1, len(rows) - 1)
            elif part == "\x1b7":
                kept = row, column
            elif part == "\x1b8":
                row, column = kept
            elif part == "\x1b[2K":
                rows[row] = ""
            elif part == "\x1b[J":
                rows[row] = rows[row][:column]
                rows[row + 1 :] = []
            elif not part.startswith("\x1b"):
                rows[row] = rows[row].ljust(column)[:column] + part + rows[row][column + len(part) :]
                column += len(part)
        return rows


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A terminal on which bars come at once."""
    found = Screen()
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    yield found
    assert "write" not in vars(found)


def test_a_bar_says_how_far_it_is(screen: Screen) -> None:
    """It names the function, what is done of how many, the rate, the plan, and what failed; at the end it is gone."""
    with screen:
        bar = Bar("shop.price", 0.0)
        screen.write("begun")
        bar.update(30, 120, ("2 threads", 1, 2))
        before, line = screen.lines
        assert before == "begun"
        assert line.startswith("shop.price ")
        assert " 30/120 " in line
        assert "/s " in line
        assert "2 threads, 1 failed, 2 retried" in line
        screen.write(" and ended\n")
        assert screen.lines == ["begun and ended", ""]
        bar.update(120, 120, ("2 threads", 1, 2))
        assert " 120/120 " in screen.lines[-1]
        bar.finish(120, 120, ("2 threads", 1, 2))
        assert screen.lines == ["begun and ended", ""]


@pytest.mark.parametrize("hints", [{}, {"backend": "threads"}, {"progress": True}], ids=["auto", "threads", "asked"])
def test_what_a_program_prints_is_the_same(screen: Screen, hints: dict[str, Any]) -> None:
    """With a bar, what items print stands where it would stand, in the middle of lines too."""
    with screen:
        assert ap.map(loud, range(20), **hints) == list(range(20))
        assert "\x1b7" in screen.getvalue()
        plain = "".join(f"item {x}" + (" " if x % 3 else "\n") for x in range(20))
        assert screen.lines == plain.split("\n")


def test_never_where_it_is_not_wanted(screen: Screen) -> None:
    """progress=False shows nothing, as a hint, from a block and from the environment."""
    with screen:
        ap.map(loud, range(5), progress=False)
        with ap.config(progress=False):
            ap.map(loud, range(5))
        assert "\x1b" not in screen.getvalue()


def test_one_bar_for_nested_maps(screen: Screen) -> None:
    """A map inside of an item has no bar of its own, whoever asks for it."""
    with screen:
        parallel(maps_inside).map([3, 4], backend="serial")
        assert "\x1b7" in screen.getvalue()
        assert ".double" not in screen.getvalue()
        assert show_for(None, "shop.price") is not None


def test_one_bar_at_a_time(screen: Screen) -> None:
    """Where another map shows one, a bar waits until its place is free."""
    with screen:
        first, second = Bar("first", 0.0), Bar("second", 0.0)
        first.update(1, 2, ("", 0, 0))
        second.update(1, 2, ("", 0, 0))
        assert "second" not in screen.getvalue()
        first.finish(2, 2, ("", 0, 0))
        second.update(2, 2, ("", 0, 0))
        assert "second" in screen.getvalue()
        second.finish(2, 2, ("", 0, 0))


def test_quiet_in_pipes() -> None:
    """Where standard error is no terminal there is nothing to show, asked for or not."""
    assert show_for(None, "shop.price") is None
    assert show_for(True, "shop.price") is None


def test_hostile_names_cannot_command_a_terminal(screen: Screen) -> None:
    """Control characters and markup in a function's name are text."""
    with screen:
        bar = Bar("a\x1b[31mb[red]c", 0.0)
        bar.update(1, 2, ("", 0, 0))
        assert "[red]c" in screen.lines[-1]
        assert "\x1b[31mb" not in screen.getvalue()
        bar.finish(2, 2, ("", 0, 0))


def test_a_narrow_terminal(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar keeps to one line that fits."""
    with screen:
        monkeypatch.setenv("COLUMNS", "30")
        bar = Bar("shop.price_of_everything", 0.0)
        bar.update(1, 2, ("2 processes", 0, 0))
        assert len(screen.lines) == 2
        assert 0 < len(screen.lines[-1]) <= 30
        bar.finish(2, 2, ("", 0, 0))


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_dumb_terminal(screen: Screen, monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    """Where no line can be taken back none is drawn."""
    with screen:
        monkeypatch.setenv("TERM", term)
        ap.map(double, range(10), progress=True)
        assert screen.getvalue() == ""


def test_a_callback_hears_of_the_end(screen: Screen) -> None:
    """A callable takes the bar's place."""
    with screen:
        told: list[tuple[int, int | None]] = []
        ap.map(double, range(10), progress=lambda done, total: told.append((done, total)))
        assert told[-1] == (10, 10)
        assert screen.getvalue() == ""


def test_the_rate_in_words() -> None:
    """Fast items are counted a second, slow ones in seconds; without a total nothing is said of the end."""
    began = time.monotonic() - 10.0
    assert bars.rate(1000, began).endswith("/s")
    assert bars.rate(2, began).endswith(" s each")
    assert bars.rate(0, began) == ""
    assert bars.left(1, None, began) == ""
    assert re.fullmatch(r"\d+:\d\d left", bars.left(1, 10, began))


SHORT = """
import sys
sys.stderr.isatty = lambda: True
sys.stdout.isatty = lambda: True
import autopar as ap
assert ap.map(abs, range(-500, 0)) == list(range(500, 0, -1))
assert ap.map(abs, range(-500, 0), backend="threads", workers=2) == list(range(500, 0, -1))
sys.exit("rich" if "rich" in sys.modules else 0)
"""


@pytest.mark.slow
def test_short_maps_load_nothing() -> None:
    """In a terminal, a map that ends within a second draws nothing and does not import what would."""
    done = subprocess.run([sys.executable, "-c", SHORT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


TERMINAL = """
import sys, time
from autopar import parallel

@parallel(backend="threads", workers=2)
def wait(x):
    time.sleep(0.02)
    return x

print("before", end=" ", flush=True)
done = wait.map(range(160))
print("after", len(done))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_a_real_terminal(tmp_path: Path) -> None:
    """On a terminal a map of over a second shows a bar by itself, and the program's own line is whole."""
    import pty

    (tmp_path / "program.py").write_text(TERMINAL)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")], stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:  # what Linux says when the other end is closed
                break
            if not data:
                break
            said += data
    os.close(ours)
    assert process.returncode == 0, said
    screen = Screen()
    screen.write(said.decode().replace("\r\n", "\n"))
    assert re.search(r"wait .*/160", screen.getvalue())
    assert "2 threads" in screen.getvalue()
    assert screen.lines == ["before after 160", ""]


def test_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook the bar is an element with a name, which changes in place and is empty at the end."""
    pytest.importorskip("IPython")
    from IPython import display

    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], *, raw: bool) -> None:
            shown.append(data)

    monkeypatch.setattr(display, "display", lambda *_, **__: Handle())
    monkeypatch.setattr(bars, "in_notebook", lambda: True)
    bar = Bar("shop.<price>", 0.0)
    bar.update(3, 4, ("2 threads", 1, 0))
    bar.finish(4, 4, ("2 threads", 1, 0))
    first, last = shown
    assert 'aria-label="shop.&lt;price&gt;"' in first["text/html"]
    assert "3 of 4" in first["text/html"]
    assert "2 threads, 1 failed" in first["text/plain"]
    assert last == {"text/html": "", "text/plain": ""}
