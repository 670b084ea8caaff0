"""From a C text to code in memory: out of the cache, or through the compiler."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from autopar._compilers.native.cache import ObjectCache, is_key, key_of
from autopar._compilers.native.refusal import NotCompiled
from autopar._compilers.native.toolchain import DEADLINE, Toolchain, compile_text, find_toolchain, private_folder
from autopar._model.light_dataclass import dataclass

VERSION = "1"
"""Raised when objects of the same C text are not the same any more, for a reason that their key does not show."""


class Code(Protocol):
    """Compiled code in memory, whoever has made it: as :class:`Library`."""

    @property
    def handle(self) -> object:
        """What the code lives as long as."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong on the way, in words."""

    def address(self, name: str) -> int:
        """The address of a function of :mod:`autopar._kernel.abi`."""


@dataclass(frozen=True, slots=True)
class Library:
    """A loaded shared object.

    Attributes
    ----------
    handle
        The ctypes library; it is never unloaded.
    cached
        It came out of the cache, or was put there.
    notes
        What went wrong on the way, in words: an object that was not believed, a folder that cannot be written.
    """

    handle: ctypes.CDLL
    cached: bool
    notes: tuple[str, ...] = field(default=(), compare=False)

    def address(self, name: str) -> int:
        """The address of a function.

        Raises
        ------
        NotCompiled
            The library has none of that name.
        """
        try:
            return ctypes.cast(getattr(self.handle, name), ctypes.c_void_p).value or 0
        except AttributeError:
            raise NotCompiled(f"the compiled object has no function {name}") from None


_loaded: dict[str, Library] = {}
_lock = threading.Lock()


def _new_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def load(text: str, *, flags: tuple[str, ...] | None = None, deadline: float = DEADLINE) -> Library:
    """Compile and load a C text, unless it has been; with the toolchain's usual flags if none are given.

    Raises
    ------
    NotCompiled
        There is no compiler, it fails, or what it made cannot be loaded.
    """
    toolchain = find_toolchain().with_flags(flags)
    key = key_of(text, toolchain, version=VERSION)
    with _lock:
        known = _loaded.get(key)
    if known is not None:
        return known
    library = _from_cache_or_compiler(key, text, toolchain, deadline)
    with _lock:
        return _loaded.setdefault(key, library)


def name_of(text: str, flags: tuple[str, ...]) -> str:
    """The name in the cache of the object that a C text makes."""
    return key_of(text, find_toolchain().with_flags(flags), version=VERSION)


def load_cached(key: str, cache: ObjectCache) -> Library | None:
    """Load an object by its name, if it is in the cache."""
    with _lock:
        known = _loaded.get(key)
    if known is not None:
        return known
    found = cache.find(key) if is_key(key) else None
    handle = None if found is None else _opened(found, cache)
    if handle is None:
        return None
    with _lock:
        return _loaded.setdefault(key, Library(handle, True))


def _from_cache_or_compiler(key: str, text: str, toolchain: Toolchain, deadline: float) -> Library:
    cache = ObjectCache.from_environment()
    found = cache.find(key)
    if found is not None and (handle := _opened(found, cache)) is not None:
        return Library(handle, True, tuple(cache.notes))
    content = compile_text(text, toolchain, deadline=deadline)
    kept = cache.keep(key, content)
    if kept is not None and (handle := _opened(kept, cache)) is not None:
        return Library(handle, True, tuple(cache.notes))
    with private_folder() as folder:
        path = folder / "kernel.so"
        try:
            path.write_bytes(content)
            handle = ctypes.CDLL(str(path))
        except OSError as error:
            raise NotCompiled(f"the compiled object cannot be loaded: {error.strerror or error}") from error
    return Library(handle, False, tuple(cache.notes))


def _opened(path: Path, cache: ObjectCache) -> ctypes.CDLL | None:
    """Load an object of the cache; one that has just been removed, or may not run there, is done without."""
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        cache.note(f"a compiled object cannot be loaded from the cache: {error}")
        return None


def function_at(address: int, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A C function as a callable that holds no GIL while it runs."""
    return ctypes.CFUNCTYPE(result, *arguments)(address)
