"""A file or folder that only its user can have written: where it is checked, and how it is made.

The folder must be this user's and writable by nobody else; then no other user can put a link or a file into it between
the check and the use. Folders above it may be links, as a home often is.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOST_FOLDERS = 2  # a cache folder and ours in it; a home that does not exist is not for us to make
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

# A file that exists is never opened here: closing it would drop the locks that SQLite holds on it for another thread
# (sqlite.org/howtocorrupt.html, section 2.2).
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK


class RefusedError(Exception):
    """A file is not kept there; the message says why."""


def claim(path: Path, *, companions: tuple[str, ...] = ()) -> None:
    """Make a private file and its folder if they are not there, whatever the umask, and check them if they are.

    Parameters
    ----------
    path
        The file. It, its folder and the one above are made if they are missing, with modes 0600 and 0700.
    companions
        Endings of further files beside it that must be as private if they are there: ``"-wal"``.

    Raises
    ------
    RefusedError
        The folder or a file is a link, somebody else's, writable by others or of the wrong sort, or cannot be made.
    """
    try:
        _make_folders(path.parent)
        if sys.platform == "win32":  # no owners and modes there: the folder's access list protects it
            _claim_on_windows(path)
        else:
            _claim(path, companions)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or error}") from error


def claim_folder(folder: Path) -> None:
    """Make a private folder in a cache folder or in autopar's own if it is not there, and check it if it is.

    Raises
    ------
    RefusedError
        The folder is a link, somebody else's, writable by others or no folder, or cannot be made.
    """
    try:
        _make_folders(folder, most=_MOST_FOLDERS + 1)
        if sys.platform == "win32":
            if folder.is_symlink() or not folder.is_dir():
                raise RefusedError(f"{folder} is not an ordinary folder")
            return
        for each in (folder.parent, folder):  # who may write to the parent may put another folder in this one's place
            _check_folder(each)
    except OSError as error:
        raise RefusedError(f"{folder}: {error.strerror or error}") from error


def read_private(path: Path) -> bytes | None:
    """The content of a file in a folder that was claimed; None if there is no such file.

    Raises
    ------
    RefusedError
        It is a link, somebody else's, writable by others or not an ordinary file, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | _NO_LINK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or error}") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(f"{path} is not an ordinary file")
        if sys.platform != "win32":
            _check(status, str(path))
        try:
            return file.read()
        except OSError as error:
            raise RefusedError(f"{path}: {error.strerror or error}") from error


def _make_folders(folder: Path, most: int = _MOST_FOLDERS) -> None:
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = folder.parent
    if len(missing) > most:
        raise RefusedError(f"the folder {missing[most]} does not exist")
    for folder in reversed(missing):
        try:
            folder.mkdir(0o700)
        except FileExistsError:  # another process was quicker; what it made is checked like any other
            continue


def _claim_on_windows(path: Path) -> None:
    if path.parent.is_symlink() or path.is_symlink():
        raise RefusedError(f"{path} is a link")
    if not path.exists():
        os.close(os.open(path, _CREATE, 0o600))


def _claim(path: Path, companions: tuple[str, ...]) -> None:
    folder = _open_folder(path.parent)
    try:
        _check(os.fstat(folder), f"the folder {path.parent}")
        if not _check_entry(folder, path):
            _make_file(folder, path)
        for ending in companions:
            _check_entry(folder, path.with_name(path.name + ending))
    finally:
        os.close(folder)


def _open_folder(folder: Path) -> int:
    if folder.is_symlink():
        raise RefusedError(f"the folder {folder} is a link")
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)


def _check_folder(folder: Path) -> None:
    descriptor = _open_folder(folder)
    try:
        _check(os.fstat(descriptor), f"the folder {folder}")
    finally:
        os.close(descriptor)


def _make_file(folder: int, path: Path) -> None:
    try:
        os.close(os.open(path.name, _CREATE, 0o600, dir_fd=folder))
    except FileExistsError:  # another process was quicker
        _check_entry(folder, path)


def _check_entry(folder: int, path: Path) -> bool:
    """Check what has this name; return whether there is anything."""
    try:
        status = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(status.st_mode):
        raise RefusedError(f"{path} is a link")
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError(f"{path} is not an ordinary file")
    _check(status, str(path))
    return True


def _check(status: os.stat_result, what: str) -> None:
    if status.st_uid != os.geteuid():
        raise RefusedError(f"{what} belongs to another user")
    if status.st_mode & _OTHERS_MAY_WRITE:
        raise RefusedError(f"{what} can be written by other users (mode {stat.S_IMODE(status.st_mode):04o})")
