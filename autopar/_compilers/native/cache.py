"""Compiled objects kept on disk, so that a second process need not compile again.

A folder ``native`` beside the store holds one file for each object, named by its key and by the digest of its content:
``<key>.<digest>.so``; an empty file ``<key>.known`` for each function and types that were worth compiling, and a text
``<key>.json`` that says what a process has to know of the kernel besides its code (see `manifest`). An object therefore
arrives whole, by one rename, and is checked against its own name before it is loaded; any number of processes may read,
write and remove at the same time without a lock. What cannot be read, kept or believed costs a compilation and is said
in words.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any

from autopar._compilers.native.toolchain import Toolchain
from autopar._model.blake2 import blake2b
from autopar._model.light_dataclass import dataclass
from autopar._private_file import RefusedError, claim_folder, read_private
from autopar._user_cache import locate

LARGEST = 200_000_000
"""Bytes of all objects together; a kernel's takes about 20 kB."""

KEEP_AFTER_PRUNING = 0.8
"""Share of the bound to which the oldest are removed, so that not every new object makes room anew. Unmeasured."""

STALE_SECONDS = 3600.0
"""Age of a half-written file from which its writer is taken to have died."""

_KEY_BYTES, _DIGEST_BYTES = 16, 32
_DIGITS = frozenset("0123456789abcdef")
_UNFINISHED = ".unfinished"


def key_of(text: str, toolchain: Toolchain, *, version: str, python: str = sys.version) -> str:
    """The name of an object: a digest of everything that it depends on.

    Parameters
    ----------
    text
        The C text. It is made from the function, everything that it calls, the values of what it reads and the types
        of its arguments, so it stands for all of these.
    toolchain
        Compiler, flags and processor.
    version, python
        Of autopar and of the interpreter.
    """
    return _key(text, toolchain.key, version, python)


def is_key(text: str) -> bool:
    """Whether a text can be the name of an object."""
    return _is_hex(text, _KEY_BYTES)


def function_key(function: Callable[..., Any], types: Sequence[object], *, python: str = sys.version) -> str:
    """A name for a function's own code and the types of a call: enough to know it again, not to load anything by."""
    code = function.__code__
    parts = (
        function.__module__ or "",
        function.__qualname__,
        code.co_code.hex(),
        repr(code.co_names),
        *map(str, types),
    )
    return _key(*parts, python)


def _key(*parts: str) -> str:
    digest = blake2b(digest_size=_KEY_BYTES)
    for part in parts:
        piece = part.encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()


@dataclass(slots=True)
class ObjectCache:
    """The objects of one user.

    Attributes
    ----------
    folder
        Where they are; None where none are kept.
    why_off
        Why there is no folder; empty where the user wants none.
    largest
        Bytes that they may take together.
    notes
        What was refused or failed so far, in words, each once.
    """

    folder: Path | None
    why_off: str = ""
    largest: int = LARGEST
    notes: list[str] = field(default_factory=list)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ObjectCache:
        """The cache beside the store; without a store there is none."""
        store, why_not = locate(os.environ if environ is None else environ)
        return cls(None if store is None else store.parent / "native", why_not)

    def find(self, key: str) -> Path | None:
        """The file of an object that may be loaded, or None."""
        if self.folder is None or not os.path.lexists(self.folder):
            return None
        try:
            claim_folder(self.folder)
            candidates = [path for path, found in _objects(self.folder) if found == key]
        except (RefusedError, OSError) as error:
            self.note(f"compiled objects are not read: {error}")
            return None
        return next((path for path in candidates if self._believed(path)), None)

    def keep(self, key: str, content: bytes) -> Path | None:
        """Write an object and return its file, or None if it cannot be kept."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.{_digest(content)}.so"
        try:
            claim_folder(self.folder)
            self._write(path, content)
            self._prune(spare=path)
        except (RefusedError, OSError) as error:
            self.note(f"compiled objects are not kept: {getattr(error, 'strerror', None) or error}")
            return None
        return path if self._believed(path) else None

    def read_manifest(self, key: str) -> bytes | None:
        """What an earlier process has left under a key, if it is ours to believe."""
        if self.folder is None or not os.path.lexists(self.folder):
            return None
        try:
            claim_folder(self.folder)
            return read_private(self.folder / f"{key}.json")
        except (RefusedError, OSError) as error:
            self.note(f"compiled objects are not read: {error}")
            return None

    def keep_manifest(self, key: str, content: bytes) -> None:
        """Leave something under a key for later processes."""
        if self.folder is None:
            return
        try:
            claim_folder(self.folder)
            self._write(self.folder / f"{key}.json", content)
        except (RefusedError, OSError) as error:
            self.note(f"compiled objects are not kept: {getattr(error, 'strerror', None) or error}")

    def remember(self, function_key: str) -> None:
        """Note that a function was worth compiling."""
        if self.folder is None:
            return
        path = self.folder / f"{function_key}.known"
        try:
            claim_folder(self.folder)
            path.touch(0o600)
        except (RefusedError, OSError) as error:
            self.note(f"compiled objects are not kept: {getattr(error, 'strerror', None) or error}")

    def remembers(self, function_key: str) -> bool:
        """Whether a function was worth compiling; anybody's word will do, since nothing of it is loaded or run."""
        return self.folder is not None and os.path.lexists(self.folder / f"{function_key}.known")

    def forget(self) -> int:
        """Remove all objects and return how many there were; functions that have loaded one go on with it."""
        if self.folder is None or not os.path.lexists(self.folder):
            return 0
        claim_folder(self.folder)
        removed = 0
        for path, _ in _objects(self.folder):
            with suppress(FileNotFoundError):
                path.unlink()
                removed += 1
        for path in _notes_of_functions(self.folder):
            path.unlink(missing_ok=True)
        _remove_unfinished(self.folder)
        return removed

    def size(self) -> tuple[int, int]:
        """How many objects there are, and their bytes."""
        sizes = [status.st_size for _, status in self._statuses()]
        return len(sizes), sum(sizes)

    def _believed(self, path: Path) -> bool:
        """Whether a file is ours and holds what its name says; using it makes it new."""
        try:
            content = read_private(path)
        except RefusedError as refused:
            self.note(f"a compiled object is ignored: {refused}")
            return False
        if content is None:
            return False
        if path.name.split(".")[1] != _digest(content):
            self.note(f"a compiled object is ignored: {path} does not hold what its name says")
            with suppress(OSError):
                path.unlink()
            return False
        with suppress(OSError):
            os.utime(path)
        return True

    def _write(self, path: Path, content: bytes) -> None:
        import tempfile

        descriptor, name = tempfile.mkstemp(suffix=_UNFINISHED, dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _prune(self, *, spare: Path) -> None:
        """Remove the longest unused objects once all of them take too much."""
        found = self._statuses()
        total = sum(status.st_size for _, status in found)
        if total <= self.largest:
            return
        for path, status in sorted(found, key=lambda entry: entry[1].st_mtime):
            if total <= KEEP_AFTER_PRUNING * self.largest:
                break
            if path != spare:
                with suppress(OSError):
                    path.unlink()
                total -= status.st_size
        for path in _notes_of_functions(spare.parent):
            with suppress(OSError):
                path.unlink()
        _remove_unfinished(spare.parent)

    def _statuses(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        if self.folder is not None and os.path.lexists(self.folder):
            for path, _ in _objects(self.folder):
                with suppress(FileNotFoundError):
                    found.append((path, os.lstat(path)))
        return found

    def note(self, text: str) -> None:
        """Write down what was refused or failed."""
        if text not in self.notes:
            self.notes.append(text)


def _objects(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each object's file and key; files of other names are not ours to touch."""
    with os.scandir(folder) as entries:
        for entry in entries:
            key, *rest = entry.name.split(".")
            if is_key(key) and len(rest) == 2 and _is_hex(rest[0], _DIGEST_BYTES) and rest[1] == "so":
                yield Path(entry.path), key


def _notes_of_functions(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if _is_note(*entry.name.split("."))]


def _is_note(key: str, *rest: str) -> bool:
    return is_key(key) and rest in (("known",), ("json",))


def _is_hex(text: str, size: int) -> bool:
    """Whether a text writes so many bytes; an expression of `re` takes longer to compile than to load a kernel."""
    return len(text) == 2 * size and _DIGITS.issuperset(text)


def _remove_unfinished(folder: Path) -> None:
    oldest = time.time() - STALE_SECONDS
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_UNFINISHED):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        os.unlink(entry.path)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
