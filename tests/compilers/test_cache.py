"""Compiled objects on disk: whole, ours, checked, bounded, and never needed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autopar._compilers.native.cache import ObjectCache, function_key, key_of
from autopar._compilers.native.toolchain import Toolchain
from tests.scripts import ROOT, environment

KEY, OTHER = "0" * 32, "1" * 32

on_posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "autopar" / "native")


def only_file(cache: ObjectCache) -> Path:
    """The one file of a cache."""
    assert cache.folder is not None
    [path] = cache.folder.iterdir()
    return path


def test_what_is_kept_is_found(cache: ObjectCache) -> None:
    """An object is found under its key, and under no other."""
    path = cache.keep(KEY, b"code")
    assert path is not None
    assert path.read_bytes() == b"code"
    assert (cache.find(KEY), cache.find(OTHER), cache.notes) == (path, None, [])


def test_the_cache_lies_beside_the_store(tmp_path: Path) -> None:
    """AUTOPAR_STORE says where it is; without a store there is no cache."""
    assert ObjectCache.from_environment({"AUTOPAR_STORE": str(tmp_path / "s.db")}).folder == tmp_path / "native"
    off = ObjectCache.from_environment({"AUTOPAR_STORE": "off"})
    assert (off.folder, off.keep(KEY, b"code"), off.find(KEY), off.forget(), off.notes) == (None, None, None, 0, [])


TOOLS = Toolchain(("cc",), "12")


@pytest.mark.parametrize(
    "other",
    [
        ("int f;", TOOLS, "1", "3.11"),
        ("int g;", Toolchain(("cc",), "13"), "1", "3.11"),
        ("int g;", Toolchain(("cc",), "12", flags=("-O1",)), "1", "3.11"),
        ("int g;", Toolchain(("cc",), "12", target="another processor"), "1", "3.11"),
        ("int g;", TOOLS, "2", "3.11"),
        ("int g;", TOOLS, "1", "3.12"),
    ],
)
def test_a_key_stands_for_all_that_an_object_depends_on(other: tuple[str, Toolchain, str, str]) -> None:
    """Another text, compiler, flag, processor, version or Python has another key."""
    text, toolchain, version, python = other
    one = key_of("int g;", TOOLS, version="1", python="3.11")
    assert one != key_of(text, toolchain, version=version, python=python)
    assert one == key_of("int g;", TOOLS, version="1", python="3.11")


def test_a_corrupt_object_is_ignored_with_a_reason(cache: ObjectCache) -> None:
    """Content that does not have the digest in its name is not loaded, but removed and noted."""
    path = cache.keep(KEY, b"code")
    assert path is not None
    path.write_bytes(b"other code")
    assert cache.find(KEY) is None
    assert cache.notes == [f"a compiled object is ignored: {path} does not hold what its name says"]
    assert not path.exists()


@on_posix
def test_an_object_that_others_can_write_is_ignored(cache: ObjectCache) -> None:
    """A file with group or other write permission is not believed."""
    path = cache.keep(KEY, b"code")
    assert path is not None
    path.chmod(0o666)
    assert cache.find(KEY) is None
    assert "can be written by other users (mode 0666)" in cache.notes[0]


@on_posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_foreign_object_is_ignored(cache: ObjectCache) -> None:
    """A file of another user is not believed."""
    path = cache.keep(KEY, b"code")
    assert path is not None
    os.chown(path, 12345, 12345)
    assert cache.find(KEY) is None
    assert "belongs to another user" in cache.notes[0]


@on_posix
def test_a_link_is_not_followed(cache: ObjectCache, tmp_path: Path) -> None:
    """A link in an object's place is not believed, wherever it leads."""
    path = cache.keep(KEY, b"code")
    assert path is not None
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.find(KEY) is None
    assert cache.notes


@on_posix
def test_a_pipe_does_not_hold_it_up(cache: ObjectCache) -> None:
    """A pipe in an object's place is refused at once."""
    path = cache.keep(KEY, b"code")
    assert path is not None
    path.unlink()
    os.mkfifo(path)
    assert cache.find(KEY) is None
    assert "is not an ordinary file" in cache.notes[0]


@on_posix
@pytest.mark.parametrize("place", ["folder", "parent"])
def test_a_folder_that_others_can_write_is_not_used(cache: ObjectCache, place: str) -> None:
    """Neither the folder nor the one that holds it may be writable by others."""
    assert cache.keep(KEY, b"code") is not None
    assert cache.folder is not None
    (cache.folder if place == "folder" else cache.folder.parent).chmod(0o777)
    assert (cache.find(KEY), cache.keep(OTHER, b"code")) == (None, None)
    assert len(cache.notes) == 2
    assert all("can be written by other users" in note for note in cache.notes)


@on_posix
def test_the_folder_is_private_whatever_the_umask(cache: ObjectCache) -> None:
    """Folder and files are the user's alone."""
    before = os.umask(0)
    try:
        path = cache.keep(KEY, b"code")
    finally:
        os.umask(before)
    assert path is not None
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0


def test_the_longest_unused_are_removed_first(cache: ObjectCache) -> None:
    """Above the bound the oldest go; using an object makes it new."""
    cache.largest = 2500
    keys = [f"{number:032x}" for number in range(4)]
    for age, key in enumerate(keys[:3]):
        path = cache.keep(key, bytes(700))
        assert path is not None
        os.utime(path, (1000 + age, 1000 + age))
    assert cache.find(keys[0]) is not None
    assert cache.keep(keys[3], bytes(700)) is not None
    assert [cache.find(key) is not None for key in keys] == [True, False, False, True]


def test_an_object_larger_than_the_bound_stays_until_the_next(cache: ObjectCache) -> None:
    """What was just compiled is not removed to make room for itself."""
    cache.largest = 10
    assert cache.keep(KEY, bytes(100)) is not None


def test_forget_removes_all_objects_and_nothing_else(cache: ObjectCache) -> None:
    """What is forgotten is gone; a file that is not ours stays."""
    cache.keep(KEY, b"code")
    cache.keep(OTHER, b"code")
    assert cache.folder is not None
    (cache.folder / "notes.txt").write_text("mine")
    assert (cache.size(), cache.forget(), cache.size()) == ((2, 8), 2, (0, 0))
    assert [path.name for path in cache.folder.iterdir()] == ["notes.txt"]


def test_what_was_worth_compiling_is_remembered(cache: ObjectCache) -> None:
    """A function is known again by its code and types, in another process too, until it is forgotten."""

    def one(x: int) -> int:
        return x + 1

    def other(x: int) -> int:
        return x * 2

    keys = [function_key(one, ("int",)), function_key(one, ("float",)), function_key(other, ("int",))]
    assert [cache.remembers(key) for key in keys] == [False, False, False]
    cache.remember(keys[0])
    assert [cache.remembers(key) for key in keys] == [True, False, False]
    assert (cache.forget(), cache.remembers(keys[0]), cache.notes) == (0, False, [])


def test_a_full_disk_costs_a_note(cache: ObjectCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that cannot be written is not kept, and no half of it stays."""

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    assert cache.keep(KEY, b"code") is None
    assert cache.notes == ["compiled objects are not kept: No space left on device"]
    assert cache.folder is not None
    assert list(cache.folder.iterdir()) == []


def test_a_cache_that_cannot_be_made_costs_a_note(tmp_path: Path) -> None:
    """A file where the folder should be, as on a home that cannot be written, is noted once."""
    (tmp_path / "autopar").write_text("not a folder")
    cache = ObjectCache(tmp_path / "autopar" / "native")
    assert (cache.find(KEY), cache.keep(KEY, b"code"), cache.keep(KEY, b"code")) == (None, None, None)
    assert len(cache.notes) == 1


@on_posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_costs_a_note(tmp_path: Path) -> None:
    """Where nothing may be written nothing is kept."""
    (tmp_path / "autopar").mkdir(0o500)
    cache = ObjectCache(tmp_path / "autopar" / "native")
    assert cache.keep(KEY, b"code") is None
    assert "Permission denied" in cache.notes[0]


def test_a_cache_that_is_removed_meanwhile_is_made_again(cache: ObjectCache) -> None:
    """Between two objects the folder may go."""
    cache.keep(KEY, b"code")
    assert cache.folder is not None
    shutil.rmtree(cache.folder)
    assert (cache.find(KEY), cache.notes) == (None, [])
    assert cache.keep(KEY, b"code") is not None


WRITER = """
import sys
from pathlib import Path
from autopar._compilers.native.cache import ObjectCache

cache = ObjectCache(Path(sys.argv[1]), largest=30_000)
sys.stdin.readline()
for number in range(60):
    key = f"{number % 7:032x}"
    found = cache.find(key)
    assert found is None or len(found.name) == 100, found
    cache.keep(key, bytes([number % 7]) * 4000)
    if number % 20 == 19:
        cache.forget()
print(cache.notes)
"""


@pytest.mark.slow
def test_many_processes_use_it_at_once(cache: ObjectCache) -> None:
    """Processes that read, write, prune and forget the same objects at the same time do not disturb one another."""
    command = [sys.executable, "-c", WRITER, str(cache.folder)]
    writers = [
        subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=50)[0].strip() for writer in writers]
    assert said == ["[]"] * 4
    assert [writer.returncode for writer in writers] == [0] * 4
