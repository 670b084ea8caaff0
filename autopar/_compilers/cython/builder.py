"""From the text of a Cython module to the module: out of the cache, or through Cython and the system's C compiler.

Both run as programs of their own, within a deadline: Cython is never imported here, holds nobody's GIL, and whatever is
wrong with its installation is a reason in words.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
import os
import re
import sys
import sysconfig
import threading
import time
from dataclasses import field
from functools import cache
from pathlib import Path
from types import ModuleType

from autopar._compilers.native.cache import ObjectCache, key_of
from autopar._compilers.native.emit import FLAGS as KERNEL_FLAGS
from autopar._compilers.native.loader import Library
from autopar._compilers.native.toolchain import (
    LEAN,
    Toolchain,
    compile_text,
    find_toolchain,
    private_folder,
    run_program,
)
from autopar._model.compiler import NotCompiled
from autopar._model.light_dataclass import dataclass

__all__ = ["DEADLINE", "Built", "build", "cython_version", "library", "why_no_cython"]

DEADLINE = 120.0
"""Seconds after which Cython or the C compiler is taken to hang: 30 times what they take for a function."""

FLAGS = ("-std=gnu11", "-O2", "-fwrapv", "-fno-strict-aliasing", "-fvisibility=hidden", "-fPIC", "-shared", "-w")
"""How the C is compiled: as Python builds extensions, and without what is particular to this processor."""

VERSION = "1"
"""Raised when modules of the same text are not the same any more, for a reason that their key does not show."""

_RUN_CYTHON = (
    "import sys; sys.path[:0] = [sys.argv.pop(1)]; from Cython.Compiler.Main import setuptools_main as main; main()"
)
_TRACEBACK = re.compile(r'__Pyx_AddTraceback\("[^"]*\.ap_f\d+(?:_\d+)?"')
_UNBOUND = re.compile(r'__Pyx_RaiseUnboundLocalError\("v_')


@dataclass(frozen=True, slots=True)
class Built:
    """A loaded module.

    Attributes
    ----------
    module
        It is in nobody's ``sys.modules``, and is never unloaded.
    cached
        It came out of the cache, or was put there.
    notes
        What went wrong on the way, in words.
    """

    module: ModuleType
    cached: bool
    notes: tuple[str, ...] = field(default=(), compare=False)


_built: dict[str, Built] = {}
_libraries: dict[str, Library] = {}
_lock = threading.Lock()


def _new_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def why_no_cython() -> str:
    """Why nothing can be built here, or an empty string; nothing is imported or run."""
    try:
        cython_version()
        find_toolchain()
    except NotCompiled as refused:
        return str(refused)
    return ""


@cache
def _find(path: tuple[str, ...]) -> tuple[str, str]:
    """The folder that Cython is in, and its version."""
    found = importlib.machinery.PathFinder.find_spec("Cython", list(path))
    if found is None or not found.origin:
        raise NotCompiled("Cython is not installed")
    try:
        text = Path(found.origin).with_name("Shadow.py").read_text(encoding="utf-8")
    except OSError as error:
        raise NotCompiled(f"Cython's installation is broken: {error.strerror or error}") from error
    matched = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if matched is None:
        raise NotCompiled("Cython's installation is broken: it does not say its version")
    if int(matched[1].partition(".")[0]) < 3:
        raise NotCompiled(f"Cython {matched[1]} is too old: version 3 is needed")
    return str(Path(found.origin).parent.parent), matched[1]


def cython_version() -> str:
    """The version of the Cython that is installed.

    Raises
    ------
    NotCompiled
        There is none, or it is broken.
    """
    return _find(tuple(sys.path))[1]


def build(text: str, *, flags: tuple[str, ...] = FLAGS, deadline: float = DEADLINE) -> Built:
    """Build and load a module, unless it has been.

    Raises
    ------
    NotCompiled
        There is no Cython or no C compiler, one of them fails or takes too long, or what they made cannot be loaded.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise NotCompiled("a module that Cython makes switches the GIL on when it is loaded, for the whole program")
    version = cython_version()
    toolchain = _toolchain(flags)
    key = key_of(text, toolchain, version=f"cython {version} {VERSION}", python=f"{sys.version} {sys.flags.optimize}")
    with _lock:
        known = _built.get(key)
    if known is None:
        known = _from_cache_or_compiler(key, text, toolchain, deadline)
        with _lock:
            known = _built.setdefault(key, known)
    return known


def library(text: str, *, flags: tuple[str, ...] = KERNEL_FLAGS, deadline: float = DEADLINE) -> Library:
    """Build and load a module of kernels, of which nothing is Python's: it is loaded as any shared object.

    Raises
    ------
    NotCompiled
        As :func:`build`.
    """
    version = cython_version()
    toolchain = _toolchain(flags)
    key = key_of(text, toolchain, version=f"cython {version} {VERSION}")
    with _lock:
        known = _libraries.get(key)
    if known is not None:
        return known
    store = ObjectCache.from_environment()
    found = store.find(key)
    ends = time.monotonic() + deadline
    content = b""
    if found is None:
        c_text = _translated(f"autopar_{key}", text, deadline)
        content = compile_text(c_text, toolchain, deadline=max(1.0, ends - time.monotonic()))
        found = store.keep(key, content)
    try:
        if found is not None:
            made = Library(ctypes.CDLL(str(found)), True, tuple(store.notes))
        else:
            with private_folder() as folder:
                path = folder / "kernel.so"
                path.write_bytes(content)
                made = Library(ctypes.CDLL(str(path)), False, tuple(store.notes))
    except OSError as error:
        raise NotCompiled(f"the compiled kernel cannot be loaded: {error.strerror or error}") from error
    with _lock:
        return _libraries.setdefault(key, made)


def _toolchain(flags: tuple[str, ...]) -> Toolchain:
    toolchain = find_toolchain().with_flags(tuple([flag for flag in flags if flag != LEAN]))
    folder = sysconfig.get_paths()["include"]
    if not os.path.isfile(os.path.join(folder, "Python.h")):
        raise NotCompiled(f"the headers of Python are not installed: there is no {folder}/Python.h")
    return toolchain.with_flags((*toolchain.flags, f"-I{folder}"))


def _from_cache_or_compiler(key: str, text: str, toolchain: Toolchain, deadline: float) -> Built:
    store = ObjectCache.from_environment()
    name = f"autopar_{key}"
    found = store.find(key)
    if found is not None and (module := _opened(name, found, store)) is not None:
        return Built(module, True, tuple(store.notes))
    ends = time.monotonic() + deadline
    c_text = _translated(name, text, deadline)
    content = compile_text(c_text, toolchain, deadline=max(1.0, ends - time.monotonic()))
    kept = store.keep(key, content)
    if kept is not None and (module := _opened(name, kept, store)) is not None:
        return Built(module, True, tuple(store.notes))
    with private_folder() as folder:
        path = folder / "module.so"
        try:
            path.write_bytes(content)
        except OSError as error:
            raise NotCompiled(f"the compiled module cannot be written: {error.strerror or error}") from error
        module = _opened(name, path, store)
    if module is None:
        raise NotCompiled(store.notes[-1])
    return Built(module, False, tuple(store.notes))


def _translated(name: str, text: str, deadline: float) -> str:
    """The C that Cython makes of a text, with tracebacks and errors of ours in place of its own."""
    home, _ = _find(tuple(sys.path))
    with private_folder() as folder:
        source = folder / f"{name}.pyx"
        source.write_text(text, encoding="utf-8")
        made = folder / f"{name}.c"
        arguments = ["-3", "--no-docstrings", "-o", made.name, source.name]
        run_program([sys.executable, "-I", "-c", _RUN_CYTHON, home, *arguments], folder, time.monotonic() + deadline)
        try:
            c_text = made.read_text(encoding="utf-8")
        except OSError as error:
            raise NotCompiled(f"Cython has made no C: {error.strerror or error}") from error
    c_text, changed = _TRACEBACK.subn('AP_TRACEBACK("f"', c_text)
    if "ap_f0" in text and not changed:
        raise NotCompiled(f"Cython {cython_version()} writes tracebacks in a way that is not known here")
    return _UNBOUND.sub('AP_UNBOUND("', c_text)


def _opened(name: str, path: Path, store: ObjectCache) -> ModuleType | None:
    """Load a module from its file, which is ours alone; None if that cannot be done."""
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    try:
        assert spec is not None  # noqa: S101 - a loader was given
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    except (ImportError, OSError) as error:
        store.note(f"a compiled module cannot be loaded: {error}")
        return None
    return module
