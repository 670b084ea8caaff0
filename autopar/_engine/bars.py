"""The bar itself: one line drawn by rich below the cursor of a terminal, or an element of a notebook.

On a terminal the cursor stays where the program left it, in the middle of a line too, and the line below holds the bar.
Whatever the program writes to its standard streams, the bar is wiped away first and comes back at the next look; so the
program's text is what it would have been. At the end nothing of the bar is left.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from autopar._backends.said import behind
from autopar._record.explain import printable

Facts = tuple[str, int, int]
"""Plan in words, failures, retries."""

_MAKE_ROOM = "\x1bD\x1b[A"  # index and up: there is a line below, and the column is as it was
_SAVE, _BACK = "\x1b7", "\x1b8"
_LINE_BELOW = "\x1b[B\r\x1b[2K"
_WIPE = "\x1b[J"  # from the cursor to the end of the screen: the bar is all that is there


def in_notebook() -> bool:
    """This is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return shell is not None and hasattr(shell(), "kernel")


def bar_here(function: str, began: float) -> _Terminal | _Notebook | _Nothing:
    """The bar that this place can show."""
    name = printable(function)
    if in_notebook():
        return _Notebook(name, began)
    from rich.console import Console

    stream = behind(sys.stderr)
    console = Console(file=stream)
    if not console.is_terminal or console.is_dumb_terminal or console.legacy_windows:
        return _Nothing()
    return _Terminal(name, began, stream, console)


class _Nothing:
    """For terminals on which no line can be drawn and wiped away."""

    def draw(self, done: int, total: int | None, facts: Facts) -> None: ...
    def end(self) -> None: ...


class _Terminal:
    """A line below the cursor."""

    def __init__(self, name: str, began: float, stream: Any, console: Any) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        def column(kind: Callable[..., ProgressColumn], *args: Any, **settings: Any) -> ProgressColumn:
            return kind(*args, table_column=Column(no_wrap=True), **settings)

        self._lock = threading.RLock()
        self._stream = stream
        self._console = console
        self._shown = False
        self._progress = Progress(
            column(TextColumn, "{task.description}", markup=False),
            column(BarColumn, bar_width=24),
            column(MofNCompleteColumn),
            column(TextColumn, "{task.fields[rate]}", markup=False),
            column(TimeRemainingColumn, compact=True),
            column(TextColumn, "{task.fields[facts]}", markup=False),
            console=console,
            auto_refresh=False,
        )
        self._task = self._progress.add_task(name, total=None, rate="", facts="")
        self._progress.tasks[0].start_time = began
        self._began = began
        self._hooked = [_Hook(each, self.erase) for each in _terminals()]

    def draw(self, done: int, total: int | None, facts: Facts) -> None:
        self._progress.update(
            self._task, completed=done, total=total, rate=rate(done, self._began), facts=in_words(facts)
        )
        with self._console.capture() as captured:
            table = self._progress.make_tasks_table(self._progress.tasks)
            self._console.print(table, no_wrap=True, overflow="crop", crop=True)
        line = captured.get().split("\n")[0]
        with self._lock:
            for hook in self._hooked:
                hook.flush()
            self._write(f"{_MAKE_ROOM}{_SAVE}{_LINE_BELOW}{line}{_BACK}")
            self._shown = True

    def erase(self) -> None:
        with self._lock:
            if self._shown:
                self._shown = False
                self._write(_WIPE)

    def end(self) -> None:
        self.erase()
        for hook in self._hooked:
            hook.remove()

    def _write(self, text: str) -> None:
        write = getattr(type(self._stream), "write")  # noqa: B009 - past the hook
        write(self._stream, text)
        self._stream.flush()


class _Hook:
    """Wipes the bar away before anything is written to a stream; the stream itself stays in its place."""

    def __init__(self, stream: Any, before: Callable[[], None]) -> None:
        self._stream = stream
        write = stream.write

        def write_alone(text: str) -> Any:
            before()
            return write(text)

        self._mine = write_alone
        try:
            stream.write = write_alone
        except AttributeError:  # one that takes no attributes; the bar and its text may share a line
            self._mine = write

    def flush(self) -> None:
        """What waits in the stream belongs before the bar."""
        self._stream.flush()

    def remove(self) -> None:
        if vars(self._stream).get("write") is self._mine:
            del self._stream.write


def _terminals() -> list[Any]:
    """The standard streams that end at a terminal."""
    streams = (behind(sys.stdout), behind(sys.stderr))
    return [each for each in streams if each is not None and hasattr(each, "__dict__") and each.isatty()]


class _Notebook:
    """An element below the cell."""

    def __init__(self, name: str, began: float) -> None:
        from IPython import display

        self._name = name
        self._began = began
        show: Any = display.display
        self._handle = show({"text/plain": ""}, raw=True, display_id=True)

    def draw(self, done: int, total: int | None, facts: Facts) -> None:
        words = " ".join(
            part for part in (rate(done, self._began), left(done, total, self._began), in_words(facts)) if part
        )
        import html

        of = "" if total is None else f" of {total:,}"
        value = f' value="{done}" max="{total}"' if total else ""
        name = html.escape(self._name)
        text = f"{done:,}{of} {words}"
        element = (
            f'<label><code>{name}</code> <progress{value} aria-label="{name}"></progress></label> {html.escape(text)}'
        )
        self._handle.update({"text/html": element, "text/plain": f"{self._name}: {text}"}, raw=True)

    def end(self) -> None:
        self._handle.update({"text/html": "", "text/plain": ""}, raw=True)


def in_words(facts: Facts) -> str:
    """The plan, and what went wrong."""
    plan, failures, retries = facts
    parts = [plan, f"{failures:,} failed" if failures else "", f"{retries:,} retried" if retries else ""]
    return ", ".join(part for part in parts if part)


def rate(done: int, began: float) -> str:
    """Items a second, or seconds an item."""
    seconds = time.monotonic() - began
    if not done or seconds <= 0:
        return ""
    each = seconds / done
    return f"{done / seconds:,.3g}/s" if each <= 1 else f"{each:.3g} s each"


def left(done: int, total: int | None, began: float) -> str:
    """Seconds that remain at this rate."""
    if not done or total is None:
        return ""
    minutes, seconds = divmod(round((time.monotonic() - began) * (total - done) / done), 60)
    return f"{minutes}:{seconds:02d} left"
