"""`checkpoint=`: results outlive the program, finished items do not run again, and a file is never trusted blindly."""

from __future__ import annotations

import asyncio
import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar import parallel
from autopar.errors import CheckpointChangedError, CheckpointError, HintTypeError, HintValueError, UnsafeDemandError
from tests.faults import checkpointed
from tests.scripts import environment, run_python

pytestmark = pytest.mark.timeout(60)

SCRIPT = str(Path(checkpointed.__file__))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where items leave a file for each run."""
    found = tmp_path / "runs"
    found.mkdir()
    return found


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The checkpoint."""
    return str(tmp_path / "run.sqlite")


def runs(folder: Path) -> Counter[int]:
    return Counter(int(path.name.partition("-")[0]) for path in folder.glob("*-[0-9]*"))


@parallel
def leaves_a_file(x: int, folder: str, fails_from: int = 1 << 30) -> Any:
    """Leave a file for each run of an item."""
    before = len([name for name in os.listdir(folder) if name.startswith(f"{x}-")])
    Path(folder, f"{x}-{before}").touch()
    if x >= fails_from and not Path(folder, "repaired").exists():
        raise ValueError(x)
    return [x, np.float32(x / 3), {"half": x / 2}]


@parallel
async def async_leaves_a_file(x: int, folder: str, fails_from: int = 1 << 30) -> Any:
    """Leave a file for each run of an item."""
    await asyncio.sleep(0)
    return leaves_a_file(x, folder, fails_from)


def result(x: int) -> Any:
    return [x, np.float32(x / 3), {"half": x / 2}]


# -- a program that is killed ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("backend", ["serial", "threads", "processes"])
def test_a_killed_program_goes_on_where_it_was(backend: str, folder: Path, file: str) -> None:
    """What was handed out before SIGKILL is not run again, and everything comes out in order the second time."""
    arguments = (SCRIPT, str(folder), file, backend)
    killed = subprocess.run([sys.executable, *arguments], env=environment(), capture_output=True, timeout=50)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    handed_out = (folder / "handed-out").read_text().splitlines()
    if backend == "serial":
        assert len(handed_out) == checkpointed.FATAL
    (folder / "handed-out").unlink()
    run_python(*arguments)
    assert (folder / "handed-out").read_text().splitlines() == [f"{x} {x * x}" for x in range(checkpointed.ITEMS)]
    found = runs(folder)
    assert set(found) == set(range(checkpointed.ITEMS))
    assert found[checkpointed.FATAL] == 2
    assert all(found[int(line.split()[0])] == 1 for line in handed_out)


# -- one item that fails -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["serial", "threads", "processes", None])
def test_what_ended_before_an_error_is_not_run_again(backend: str | None, folder: Path, file: str) -> None:
    """The error is the loop's; once its cause is gone the same call runs what is left, and only that."""
    hints: dict[str, Any] = {"backend": backend, "workers": 2, "checkpoint": file}
    with pytest.raises(ValueError, match=r"^5\b"):
        leaves_a_file.map(range(9), folder=str(folder), fails_from=5, **hints)
    before = runs(folder)
    assert all(before[x] == 1 for x in range(6))
    (folder / "repaired").touch()
    assert leaves_a_file.map(range(9), folder=str(folder), fails_from=5, **hints) == [result(x) for x in range(9)]
    assert runs(folder) - Counter(range(9)) == Counter({x: 1 for x in before if x >= 5})
    assert leaves_a_file.map(range(9), folder=str(folder), fails_from=5, **hints) == [result(x) for x in range(9)]
    assert sum(runs(folder).values()) == 9 + len([x for x in before if x >= 5])
    assert "9 results were taken from" in leaves_a_file.decisions[-1].fallbacks[-1]


def test_coroutines_go_on_too(folder: Path, file: str) -> None:
    """Maps of coroutine functions keep their results likewise, from any kind of input."""

    async def numbers() -> AsyncIterator[int]:
        for x in range(6):
            yield x

    async def lazily() -> list[Any]:
        return [each async for each in async_leaves_a_file.aimap(numbers(), folder=str(folder), checkpoint=file)]

    assert async_leaves_a_file.map(range(4), folder=str(folder), checkpoint=file) == [result(x) for x in range(4)]
    assert asyncio.run(lazily()) == [result(x) for x in range(6)]
    assert list(async_leaves_a_file.imap(range(7), folder=str(folder), checkpoint=file)) == [
        result(x) for x in range(7)
    ]
    assert runs(folder) == Counter(range(7))


def test_failures_are_not_kept(folder: Path, file: str) -> None:
    """With on_error="return" the items that raised run again in the next map, and no others."""
    hints: dict[str, Any] = {"checkpoint": file, "on_error": "return", "folder": str(folder), "fails_from": 3}
    assert [type(each) for each in leaves_a_file.map(range(5), **hints)] == [list] * 3 + [ValueError] * 2
    (folder / "repaired").touch()
    assert leaves_a_file.map(range(5), **hints) == [result(x) for x in range(5)]
    assert runs(folder) == Counter([*range(5), 3, 4])


def test_imap_unordered_and_starmap_go_on(folder: Path, file: str) -> None:
    """Every kind of map takes what is there, holes included."""
    options = leaves_a_file.options(checkpoint=file)
    pairs = [(x, str(folder)) for x in range(6)]
    unordered = options.imap_unordered([0, 1], folder=str(folder))
    assert next(unordered) == (0, result(0))
    unordered.close()
    assert options.starmap(pairs) == [result(x) for x in range(6)]
    assert options.starmap([*pairs[:3], (30, str(folder)), *pairs[4:]]) == [result(x) for x in (0, 1, 2, 30, 4, 5)]
    assert runs(folder)[30] == 1
    assert sum(runs(folder).values()) == 1 + 6 + 1


def test_a_generator_is_read_no_further_than_its_consumer(folder: Path, file: str) -> None:
    """What is taken from the file moves the input on as the loop would: one item for each result."""
    leaves_a_file.map(range(50), folder=str(folder), checkpoint=file)
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for x in range(50):
            read.append(x)
            yield x

    results = leaves_a_file.imap(numbers(), folder=str(folder), checkpoint=file)
    for x in range(10):
        assert next(results) == result(x)
        assert len(read) <= x + 2
    results.close()
    assert runs(folder) == Counter(range(50))


def test_random_streams_go_on_from_the_same_root(file: str) -> None:
    """With seed="fresh" the root is kept with the results, so that the rest draws what it would have drawn."""

    def draws(x: int) -> float:
        return random.random()

    first = ap.map(draws, range(3), seed="fresh", checkpoint=file)
    more = ap.map(draws, range(6), seed="fresh", checkpoint=file)
    assert more[:3] == first
    assert len(set(more)) == 6


# -- what a result is kept under ---------------------------------------------------------------------------------------


def test_items_and_arguments_tell_results_apart(folder: Path, file: str) -> None:
    """Another item at the same place, and other keyword arguments, are other results."""

    def item(x: Any, folder: str, k: int = 0) -> Any:
        Path(folder, f"{len(os.listdir(folder))}-0").touch()
        return type(x).__name__, k

    assert ap.map(item, [1, True], folder=str(folder), checkpoint=file) == [("int", 0), ("bool", 0)]
    assert ap.map(item, [1.0, True], folder=str(folder), checkpoint=file) == [("float", 0), ("bool", 0)]
    assert ap.map(item, [1.0, True], folder=str(folder), k=1, checkpoint=file) == [("float", 1), ("bool", 1)]
    assert ap.map(item, [1.0, True], folder=str(folder), checkpoint=file) == [("float", 0), ("bool", 0)]
    assert len(list(folder.iterdir())) == 5


RATE = 3


def helper(x: int) -> int:
    return x * RATE


def version(change: str) -> Any:
    """The same function with a change somewhere."""
    added = 1 if change == "captured value" else 0

    def priced(x: int) -> int:
        return helper(x) + added

    def other_body(x: int) -> int:
        return helper(x) + added + 2

    chosen = other_body if change == "code" else priced
    chosen.__name__, chosen.__qualname__ = "priced", "priced"
    return chosen


CHANGES = ["code", "captured value", "value of a global", "called function"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_function_is_refused(change: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code, what it captures, what it reads and what it calls all count; the error says what can be done."""
    first = ap.map(version(""), [1, 2], checkpoint=file)
    assert first == [3, 6]
    if change == "value of a global":
        monkeypatch.setitem(globals(), "RATE", 4)
    if change == "called function":
        monkeypatch.setitem(globals(), "helper", lambda x: x - 1)
    changed = version(change)
    with pytest.raises(
        CheckpointChangedError, match=r'priced: .*changed.*checkpoint_changed="rerun".*"reuse"'
    ) as caught:
        ap.map(changed, [1, 2], checkpoint=file)
    assert isinstance(caught.value, ValueError)
    assert ap.map(changed, [1, 2], checkpoint=file, checkpoint_changed="reuse") == first
    new = ap.map(changed, [1, 2], checkpoint=file, checkpoint_changed="rerun")
    assert new == list(map(changed, [1, 2])) != first
    assert ap.map(changed, [1, 2], checkpoint=file) == new


def test_an_unchanged_function_of_another_process_is_the_same(tmp_path: Path, file: str) -> None:
    """Hash seeds, folders and line numbers do not count."""
    text = (
        "import autopar as ap\n{}def f(x):\n    return x in {{'a', 'b'}}\nprint(ap.map(f, ['a', 'c'], checkpoint={!r}))"
    )
    for number, lines in enumerate(["", "\n\n"]):
        script = tmp_path / f"script{number}.py"
        script.write_text(text.format(lines, file))
        assert run_python(str(script), PYTHONHASHSEED=str(number)).strip() == "[True, False]"
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT COUNT(*) FROM maps").fetchone() == (1,)
    connection.close()


# -- what cannot be kept -----------------------------------------------------------------------------------------------


def test_what_is_left_behind_cannot_be_kept(file: str) -> None:
    """A function that changes something of the program is refused before its first item; `pure=True` is consent."""
    total: list[int] = []

    def adds(x: int) -> int:
        total.append(x)
        return x

    with pytest.raises(UnsafeDemandError, match=r"checkpoint: line \d+ .*total.*pure=True"):
        ap.map(adds, [1, 2], checkpoint=file)
    assert not total
    assert ap.map(adds, [1, 2], checkpoint=file, pure=True) == [1, 2]


@parallel
def makes_a_path(x: int) -> Any:
    return Path(str(x)) if x == 1 else x


def test_a_result_that_cannot_be_kept_is_named(file: str) -> None:
    """The error has the index and the type, the results before it are safe, and a word of the user's admits pickles."""
    with pytest.raises(CheckpointError, match=r"result of item 1 .*Path.*checkpoint_pickle=True") as caught:
        makes_a_path.map(range(3), checkpoint=file)
    assert caught.value.index == 1
    assert makes_a_path.map(range(3), checkpoint=file, checkpoint_pickle=True) == [0, Path("1"), 2]
    assert makes_a_path.map(range(3), checkpoint=file, checkpoint_pickle=True) == [0, Path("1"), 2]
    with pytest.raises(CheckpointError, match=r"item 1 .*is a pickle, which could run code"):
        makes_a_path.map(range(3), checkpoint=file)


def test_an_item_that_cannot_be_told_from_others_is_named(file: str) -> None:
    """An item without a digest is an error with its index."""
    with pytest.raises(CheckpointError, match=r"item 1 cannot be told from others: a _thread.lock") as caught:
        ap.map(str, ["a", __import__("threading").Lock()], checkpoint=file, pure=True)
    assert caught.value.index == 1


# -- the file ----------------------------------------------------------------------------------------------------------


class Planted:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def rows_of(file: str, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("form", [0, 1])
def test_a_planted_pickle_is_never_loaded(form: int, tmp_path: Path, file: str) -> None:
    """Whatever the file says of it: without the user's word no pickle is read."""
    ap.map(abs, [-1], checkpoint=file)
    mark = tmp_path / "ran"
    rows_of(file, "UPDATE results SET form = ?, value = ?", form, pickle.dumps(Planted(mark)))
    with pytest.raises(CheckpointError, match="item 0"):
        ap.map(abs, [-1], checkpoint=file)
    assert not mark.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_the_file_is_private(tmp_path: Path, file: str) -> None:
    """It is made for its user alone, and one that others may write to, or a link, is refused with the reason."""
    before = os.umask(0)
    try:
        assert ap.map(abs, [-1], checkpoint=file) == [1]
    finally:
        os.umask(before)
    assert os.stat(file).st_mode & 0o077 == 0
    os.chmod(file, 0o666)
    with pytest.raises(CheckpointError, match="can be written by other users"):
        ap.map(abs, [-1], checkpoint=file)
    os.chmod(file, 0o600)
    link = tmp_path / "link.sqlite"
    link.symlink_to(file)
    with pytest.raises(CheckpointError, match="is a link"):
        ap.map(abs, [-1], checkpoint=link)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(CheckpointError, match="folder that only its user can write to"):
        ap.map(abs, [-1], checkpoint=open_to_all / "run.sqlite")


def test_another_programs_database_is_left_alone(tmp_path: Path, file: str) -> None:
    """A database that is no checkpoint, a file that is no database, and a later version are refused unchanged."""
    rows_of(file, "CREATE TABLE mine (x)")
    os.chmod(file, 0o600)
    with pytest.raises(CheckpointError, match="another program's database"):
        ap.map(abs, [-1], checkpoint=file)
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and longer than the header of one " * 4)
    text.chmod(0o600)
    with pytest.raises(CheckpointError, match="cannot be used: file is not a database"):
        ap.map(abs, [-1], checkpoint=text)
    later = str(tmp_path / "later.sqlite")
    ap.map(abs, [-1], checkpoint=later)
    rows_of(later, "PRAGMA user_version = 99")
    with pytest.raises(CheckpointError, match="version 99"):
        ap.map(abs, [-1], checkpoint=later)


def test_one_map_at_a_time_has_the_file(folder: Path, file: str) -> None:
    """A second map on the same file is told so at once; when the first has gone it works."""
    first = leaves_a_file.imap(range(3), folder=str(folder), checkpoint=file)
    next(first)
    with pytest.raises(CheckpointError, match="in use by another map"):
        leaves_a_file.map(range(3), folder=str(folder), checkpoint=file)
    first.close()
    assert leaves_a_file.map(range(3), folder=str(folder), checkpoint=file) == [result(x) for x in range(3)]


@pytest.mark.parametrize(
    ("hints", "error", "text"),
    [
        ({"checkpoint": 3}, HintTypeError, "checkpoint must be the path of a file, not int"),
        ({"checkpoint": ""}, HintValueError, "checkpoint must be the path of a file"),
        ({"checkpoint_changed": "maybe"}, HintValueError, "checkpoint_changed must be one of raise, rerun, reuse"),
        ({"checkpoint_pickle": 1}, HintTypeError, "checkpoint_pickle must be True or False"),
    ],
    ids=["type", "empty", "word", "flag"],
)
def test_bad_hints_are_named(hints: dict[str, Any], error: type[Exception], text: str) -> None:
    """A wrong value is an error that names the hint."""
    with pytest.raises(error, match=text):
        ap.map(abs, [1], **hints)
